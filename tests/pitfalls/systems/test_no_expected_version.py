import pytest

from eventlab.pitfalls.checkers import stale_decisions
from eventlab.pitfalls.systems import no_expected_version
from eventlab.pitfalls.withdrawals import ACCOUNTS


def test_on_a_topic_both_are_told_yes_and_every_account_is_overdrawn(kafka):
    result = no_expected_version.run(kafka)
    assert len(result.overdrawn) == result.count == ACCOUNTS
    assert set(result.decisions()["said"]) == {"booked"}
    assert all(attempt.status == "ok" for attempt in result.history.sent)
    assert len(stale_decisions(result.history)) == ACCOUNTS


@pytest.mark.parametrize("log", ["event store", "single writer"])
def test_with_a_version_to_expect_or_with_one_writer_the_second_is_refused_on_the_new_balance(kafka, log):
    result = no_expected_version.run(kafka, log=log)
    assert (result.count, result.overdrawn, stale_decisions(result.history)) == (0, [], [])
    second = result.decisions().iloc[ACCOUNTS:]
    assert set(second["said"]) == {"refused"}
    assert set(second["seen version"]) == {6}


def test_a_lock_that_was_over_did_not_help(kafka):
    result = no_expected_version.run(kafka, log="lock")
    assert len(result.overdrawn) == result.count == ACCOUNTS
    assert set(result.decisions()["said"]) == {"booked"}


def test_with_a_fence_who_had_it_too_long_is_refused_and_decides_again_on_the_new_balance(kafka):
    result = no_expected_version.run(kafka, log="fenced lock")
    assert (result.count, result.overdrawn, stale_decisions(result.history)) == (0, [], [])
    late = result.decisions().query("said == 'refused'")
    assert len(late) == sum(attempt.status == "fail" for attempt in result.history.sent) == ACCOUNTS
    assert set(late["seen version"]) == {6}
    assert set(late["teller"]) == {"Ben"}


def test_only_the_event_store_says_no_to_an_event(kafka):
    refused = {
        log: sum(attempt.status == "fail" for attempt in no_expected_version.run(kafka, log=log).history.sent)
        for log in ("event store", "single writer")
    }
    assert refused == {"event store": ACCOUNTS, "single writer": 0}
