from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlab.domain import account, cart
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.inputs.generate import demo_account, demo_carts, demo_store

seeds = st.integers(0, 10_000)


@settings(max_examples=20)
@given(seed=seeds)
def test_the_same_seed_gives_the_same_history(seed: int) -> None:
    assert demo_account(seed) == demo_account(seed)
    assert demo_carts(seed, 10) == demo_carts(seed, 10)


def test_another_seed_gives_another_history() -> None:
    assert demo_account(1) != demo_account(2)
    assert demo_carts(1, 10) != demo_carts(2, 10)


@settings(max_examples=20)
@given(seed=seeds)
def test_the_account_holds_the_story_of_the_disputed_payment(seed: int) -> None:
    begin, end = datetime(2026, 3, 3, tzinfo=UTC), datetime(2026, 3, 6, tzinfo=UTC)
    story = [new for new in demo_account(seed) if new.valid_time and begin <= new.valid_time < end]
    payment, correction = (new.event for new in story)
    assert isinstance(payment, account.Withdrawn)
    assert isinstance(correction, account.Corrected)
    assert payment.amount == correction.amount == Money.of("12.40", "EUR")
    assert correction.corrects == payment.reference
    assert [str(new.valid_time) for new in story] == ["2026-03-03 12:31:00+00:00", "2026-03-05 09:15:00+00:00"]


@settings(max_examples=20)
@given(seed=seeds)
def test_the_account_keeps_its_own_rules(seed: int) -> None:
    state, last = account.Account(), datetime.min.replace(tzinfo=UTC)
    for new in demo_account(seed):
        assert new.valid_time is not None
        assert last <= new.valid_time
        last = new.valid_time
        state = account.evolve(state, new.event)  # type: ignore[arg-type]
        assert state.balance.minor >= -state.overdraft_limit.minor
    assert not state.holds or min(held.minor for held in state.holds.values()) > 0


def test_the_lesson_account_dips_below_zero_and_has_two_events_with_one_time() -> None:
    events = demo_account(4)
    state, balances = account.Account(), []
    for new in events:
        state = account.evolve(state, new.event)  # type: ignore[arg-type]
        balances.append(state.balance.minor)
    assert min(balances) < 0
    assert any(isinstance(a.event, account.FeeCharged) and a.valid_time == b.valid_time for a, b in pairwise(events))


@pytest.mark.parametrize(("months", "about"), [(1, 70), (3, 200), (12, 800)])
def test_the_size_knob_of_the_account(months: int, about: int) -> None:
    events = demo_account(4, months)
    assert about * 0.7 < len(events) < about * 1.3
    closings = [new.event for new in events if isinstance(new.event, account.PeriodClosed)]
    assert len(closings) == months
    assert events[-1].event == closings[-1]


@settings(max_examples=20)
@given(seed=seeds, n=st.integers(1, 30))
def test_carts_end_bought_or_abandoned(seed: int, n: int) -> None:
    carts = demo_carts(seed, n)
    assert list(carts) == [StreamId("cart", str(number)) for number in range(1, n + 1)]
    for events in carts.values():
        state = cart.decider.fold(new.event for new in events)  # type: ignore[misc]
        assert state.status in ("checked out", "abandoned")
        times = [new.valid_time for new in events if new.valid_time]
        assert times == sorted(times)
        assert times[-1] - times[0] < timedelta(hours=2)


def test_carts_have_what_the_lessons_need() -> None:
    events = [new.event for cart_events in demo_carts(1, 40).values() for new in cart_events]
    kinds = {type(event) for event in events}
    assert kinds == set(cart.EVENTS)
    assert any(isinstance(event, cart.ItemRemoved) and event.product == "trousers" for event in events)


def test_the_demo_store_recorded_everything_when_it_happened() -> None:
    carts = demo_carts(1, 5)
    with_account = {**carts, StreamId("account", "ana"): demo_account(4)}
    recorded = list(demo_store(with_account).read_all())
    assert len(recorded) == sum(map(len, with_account.values()))
    assert all(event.valid_time == event.recorded_time for event in recorded)
    assert [event.recorded_time for event in recorded] == sorted(event.recorded_time for event in recorded)


def test_the_demo_store_wants_times() -> None:
    with pytest.raises(ValueError, match="has no valid time"):
        demo_store({StreamId("cart", "1"): [NewEvent(cart.CartCreated("ana", "EUR"))]})
