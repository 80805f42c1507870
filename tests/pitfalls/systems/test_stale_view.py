import pytest

from eventlab.pitfalls.systems import stale_view
from eventlab.pitfalls.withdrawals import ACCOUNTS


@pytest.mark.parametrize(
    ("basis", "then", "stale"),
    [
        ("view", "app", ACCOUNTS),
        ("view, own events awaited", "app", 0),
        ("view, own events awaited", "cash machine", ACCOUNTS),  # the events of others are nobody's own
        ("view and its version", "cash machine", 0),
        ("stream", "cash machine", 0),
    ],
)
def test_what_is_decided_on_and_what_comes_of_it(kafka, basis, then, stale):
    result = stale_view.run(kafka, basis=basis, then=then)
    assert (result.count, len(result.overdrawn)) == (stale, stale)
    second = result.decisions().iloc[ACCOUNTS:]
    assert set(second["said"]) == {"booked" if stale else "refused"}
    assert set(second["seen version"]) == {5 if stale else 6}


def test_a_version_that_is_not_awaited_but_handed_over_is_refused_by_the_store(kafka):
    sent = stale_view.run(kafka, basis="view and its version").history.sent
    assert [attempt.status for attempt in sent[:ACCOUNTS]] == ["ok"] * ACCOUNTS
    assert "fail" in {attempt.status for attempt in sent[ACCOUNTS:]}
