import pytest

from eventlab.pitfalls.consumers import two_topics
from eventlab.pitfalls.consumers.two_topics.bank import PaymentMade, TariffSet

LIVE, PAYMENTS_LATE, ACCOUNTS_LATE = "live", "payments late", "accounts late"


@pytest.fixture(scope="module")
def broken(kafka):
    return two_topics.run(kafka)


def wrong(result):
    return {name: sum(line.wrong for line in view.lines) for name, view in result.views.items()}


def hashes(result):
    return {view.hash for view in result.views.values()}


def payments(result):
    return sum(isinstance(event, PaymentMade) for event in result.workload)


def test_live_every_payment_meets_its_tariff_and_after_a_replay_the_last_one_or_none(broken):
    found = wrong(broken)
    assert found[LIVE] == 0
    last = {event.account: event for event in broken.workload if isinstance(event, TariffSet)}
    assert all(line.tariff == last[line.payment.account] for line in broken.views[PAYMENTS_LATE].lines)
    assert found[ACCOUNTS_LATE] == payments(broken)
    assert len(hashes(broken)) == 3


def test_held_aside_or_marked_all_agree_with_the_one_who_was_there(kafka, broken):
    there = broken.views[LIVE].hash
    for join in ("hold aside", "mark"):
        result = two_topics.run(kafka, join=join)
        assert hashes(result) == {there}
        assert max(result.views[ACCOUNTS_LATE].open) == payments(result)
        assert {view.open[-1] for view in result.views.values()} == {0}


def test_what_is_held_aside_is_not_shown_and_what_is_marked_says_so(kafka):
    held = two_topics.run(kafka, join="hold aside", lost=True).views[LIVE]
    marked = two_topics.run(kafka, join="mark", lost=True).views[LIVE]
    assert held.waiting == marked.waiting
    assert {(payment.account, payment.version) for payment in held.waiting} == {(held.waiting[0].account, 2)}
    assert {line.payment for line in marked.lines if line.marked} == set(held.waiting)
    assert not {line.payment for line in held.lines} & set(held.waiting)
    assert not any(line.wrong for line in marked.lines)


def test_by_time_all_agree_and_with_a_slow_clock_all_are_wrong(kafka):
    result = two_topics.run(kafka, join="by time")
    assert len(hashes(result)) == 1
    assert set(wrong(result).values()) == {wrong(result)[LIVE]}
    assert wrong(result)[LIVE] > 0


def test_the_picture_says_what_it_shows(broken):
    figure = broken.picture(broken.wrong[0])
    assert broken.wrong[0] in figure.alt
    assert all(name in figure.alt for name in broken.views)
    assert figure.table["wrong"].sum() > 0
    assert f"{ACCOUNTS_LATE} 0 at most and 0 in the end" in broken.waiting().alt
