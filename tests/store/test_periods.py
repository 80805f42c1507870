"""Closed books: the last period's own stream tells a decision what the whole life does."""

import itertools
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlab.domain.account import (
    Account,
    ClosePeriod,
    Deposit,
    Deposited,
    Event,
    PeriodClosed,
    brought_forward,
    decider,
)
from eventlab.domain.decider import Decider, Refused
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.inputs.generate import demo_account
from eventlab.store import EventStore, MemoryEventStore, SqlEventStore, WrongExpectedVersion, execute, state
from eventlab.store.periods import close_books, load_since

WHOLE, MARCH, APRIL = StreamId("account", "ana"), StreamId("account", "ana-2026-03"), StreamId("account", "ana-2026-04")
EUR = Money.of("10", "EUR")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[EventStore]:
    if request.param == "memory":
        yield MemoryEventStore()
        return
    store = SqlEventStore(request.getfixturevalue(f"{request.param}_url"))
    yield store
    store.close()


def periods(seed: int, months: int) -> list[list[Event]]:
    """The events of an account, month by month; each month ends with its PeriodClosed."""
    story: list[list[Event]] = [[]]
    for new in demo_account(seed, months):
        story[-1].append(new.event)  # type: ignore[arg-type]
        if isinstance(new.event, PeriodClosed):
            story.append([])
    return story[:-1]


def what_decisions_need(account: Account) -> object:
    return account.owner, account.balance, account.available, dict(account.holds), account.closed_until, account.since


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 500), st.integers(1, 8))
def test_each_months_stream_knows_what_the_whole_life_does(seed: int, months: int) -> None:
    store, life = MemoryEventStore(), StreamId("account", "life")
    names = (StreamId("account", f"month-{n}") for n in itertools.count())
    month = next(names)
    for events in periods(seed, months):
        store.append(life, [NewEvent(event) for event in events])
        store.append(month, [NewEvent(event) for event in events[:-1]])
        closed = events[-1]
        assert isinstance(closed, PeriodClosed)
        after = close_books(store, decider, month, ClosePeriod(closed.last), next_one := next(names), brought_forward)
        assert after.balance == closed.closing
        assert [each.event for each in store.read(month)][-1] == closed
        month = next_one
        assert what_decisions_need(state(store, decider, month)) == what_decisions_need(state(store, decider, life))


def a_march(store: EventStore) -> None:
    store.append(MARCH, [NewEvent(Deposited(EUR, date(2026, 3, 2)))])


def test_both_streams_or_none(store: EventStore) -> None:
    a_march(store)
    store.append(APRIL, [NewEvent(Deposited(EUR, date(2026, 4, 1)))])
    with pytest.raises(WrongExpectedVersion, match="account-ana-2026-04: expected 'no stream'"):
        close_books(store, decider, MARCH, ClosePeriod(date(2026, 3, 31)), APRIL, brought_forward)
    assert store.load(MARCH)[1] == 1


def test_who_comes_late_is_told(store: EventStore) -> None:
    a_march(store)

    def meanwhile(account: Account, closed: PeriodClosed) -> list[Event]:
        execute(store, decider, MARCH, Deposit(EUR, date(2026, 3, 31)))
        return brought_forward(account, closed)

    with pytest.raises(WrongExpectedVersion, match="account-ana-2026-03: expected version 1"):
        close_books(store, decider, MARCH, ClosePeriod(date(2026, 3, 31)), APRIL, meanwhile)
    assert store.load(APRIL) == ([], 0)
    close_books(store, decider, MARCH, ClosePeriod(date(2026, 3, 31)), APRIL, brought_forward)
    assert state(store, decider, APRIL).balance == EUR + EUR
    with pytest.raises(Refused, match="the books are closed up to 2026-03-31"):
        execute(store, decider, MARCH, Deposit(EUR, date(2026, 3, 31)))
    with pytest.raises(Refused, match="cannot close the books"):
        close_books(store, decider, MARCH, ClosePeriod(date(2026, 3, 31)), WHOLE, brought_forward)


def test_books_are_closed_by_one_event(store: EventStore) -> None:
    a_march(store)
    silent: Decider[Account, ClosePeriod, Event] = Decider(decider.initial, lambda *_: [], decider.evolve)
    with pytest.raises(ValueError, match="leads to 0 events; books are closed by one"):
        close_books(store, silent, MARCH, ClosePeriod(date(2026, 3, 31)), APRIL, brought_forward)


def test_since_the_last_one_of_a_kind(store: EventStore) -> None:
    history = demo_account(months=2)
    store.append(WHOLE, history)
    last = max(n for n, new in enumerate(history) if isinstance(new.event, PeriodClosed))
    store.append(WHOLE, [NewEvent(Deposited(EUR, date(2026, 3, 1)))])
    events, version = load_since(store, WHOLE, PeriodClosed)
    assert events == [history[last].event, Deposited(EUR, date(2026, 3, 1))]
    assert version == len(history) + 1
    a_march(store)
    assert load_since(store, MARCH, PeriodClosed) == store.load(MARCH)
    assert load_since(store, APRIL, PeriodClosed) == ([], 0)
