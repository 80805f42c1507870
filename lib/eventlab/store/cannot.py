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
    "the broker accepts or refuses each batch of records on its own, so what went before a refused event stays; a log "
    "opened with the name of a writer hides it in a transaction, with the pitfalls of transactions (P9 to P12)"
)
_NOT_SEVERAL = (
    "each record goes to one partition on its own; a Kafka transaction makes the records of several streams visible "
    "together, but knows neither expected versions nor ids, and one that is left open holds up all readers (P9 to P12)"
)
_NOT_BACKWARDS = (
    "a fetch request names an offset and gets what follows; the version of an event is its place counted from the "
    "beginning, so the last event cannot be had without all before it"
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
        "test_several_streams_are_answered_in_their_order_with_versions_of_their_own": _NOT_SEVERAL,
        "test_positions_over_several_streams_grow_in_the_order_of_the_appends": _NOT_SEVERAL,
        "test_many_streams_with_many_events_go_in_one_append": _NOT_SEVERAL,
        "test_one_stale_expectation_stores_nothing_anywhere": _NOT_SEVERAL,
        "test_right_expectations_are_stored_together": _NOT_SEVERAL,
        "test_one_wrong_event_stores_nothing_in_any_stream": _NOT_SEVERAL,
        "test_several_streams_repeated_get_the_first_answers_and_store_nothing": _NOT_SEVERAL,
        "test_ids_known_in_only_one_of_the_streams_are_refused": _NOT_SEVERAL,
        "test_ids_known_in_another_of_the_streams_are_refused": _NOT_SEVERAL,
        "test_a_stream_that_comes_twice_is_refused": _NOT_SEVERAL,
        "test_an_id_that_comes_twice_in_several_streams_is_refused": _NOT_SEVERAL,
        "test_a_stream_without_events_refuses_the_others_too": _NOT_SEVERAL,
        "test_appends_over_the_same_streams_in_any_order_all_arrive_each_in_one_piece": _NOT_SEVERAL,
        "test_backwards_is_the_same_turned_around": _NOT_BACKWARDS,
        "test_the_last_event_is_the_first_backwards": _NOT_BACKWARDS,
        "test_a_read_backwards_gives_what_was_there_when_it_was_called": _NOT_BACKWARDS,
    }
)
