"""Where a Kafka log ends as an event store: the behaviours of the contract that it lacks, each with the reason.

The names are those of the tests in ``tests/contracts/``. They are run against a real broker and have to fail: when one
passes, the suite fails, and this table is wrong.
"""

from collections.abc import Mapping
from types import MappingProxyType

_NO_EXPECTED_VERSION = (
    "a produce request cannot say which offset or version it expects (KAFKA-2260, open since 2015): the broker appends "
    "whatever comes, so of two writers who decided on the same version both are stored"
)
_NO_IDS = (
    "the broker does not know the ids of events: its idempotent producer recognises only its own retries within one "
    "session, so an append that is repeated is stored again"
)
_NOT_ATOMIC = (
    "the broker accepts or refuses each batch of records on its own, so what went before a refused event stays; a "
    "Kafka transaction would hide it from readers of committed records, with the pitfalls of transactions (P9 to P12)"
)

CANNOT: Mapping[str, str] = MappingProxyType(
    {
        "test_an_append_at_the_expected_version_is_stored": _NO_EXPECTED_VERSION,
        "test_an_append_at_a_stale_version_is_refused": _NO_EXPECTED_VERSION,
        "test_an_append_at_a_version_to_come_is_refused": _NO_EXPECTED_VERSION,
        "test_no_stream_is_expected_once": _NO_EXPECTED_VERSION,
        "test_version_zero_is_no_stream": _NO_EXPECTED_VERSION,
        "test_a_stream_may_be_expected_to_exist": _NO_EXPECTED_VERSION,
        "test_of_those_who_expect_no_stream_one_wins": _NO_EXPECTED_VERSION,
        "test_each_version_has_one_winner_among_threads": _NO_EXPECTED_VERSION,
        "test_each_version_has_one_winner_among_processes": _NO_EXPECTED_VERSION,
        "test_a_repeated_append_is_answered_although_its_expectation_is_past": _NO_EXPECTED_VERSION,
        "test_a_repeated_append_gets_the_first_answer_and_stores_nothing": _NO_IDS,
        "test_events_of_two_appends_may_be_repeated_as_one": _NO_IDS,
        "test_ids_of_which_only_some_are_known_are_refused": _NO_IDS,
        "test_an_id_of_another_stream_is_refused": _NO_IDS,
        "test_the_same_events_appended_by_many_at_once_are_stored_once": _NO_IDS,
        "test_an_append_that_fails_stores_none_of_its_events": _NOT_ATOMIC,
    }
)
