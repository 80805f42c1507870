"""Reading a part: backwards, of some types, of a span of time; over more than one page of a database."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import Any

import pytest

from eventlab.domain.cart import CartAbandoned, ItemAdded, ItemRemoved
from eventlab.events.envelope import NewEvent, Position, Recorded, Version
from eventlab.events.errors import UnknownEventType
from eventlab.events.registry import TypeRegistry
from eventlab.store import EventStore

from .backends import Backend
from .samples import CART, OTHER, Unheard, quantities, several

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ONE_IN_INDIA = (NOON + HOUR).astimezone(timezone(5.5 * HOUR))

TYPES: tuple[Collection[type], ...] = ((), [ItemAdded], {ItemRemoved, CartAbandoned}, (CartAbandoned,))
TIMES = ((None, None), (NOON + HOUR, None), (None, NOON + HOUR), (ONE_IN_INDIA, NOON + 2 * HOUR))
SPANS = ((0, None), (700, 3_300))


def is_wanted(recorded: Recorded, types: Collection[type], since: datetime | None, before: datetime | None) -> bool:
    return (
        (not types or type(recorded.event) in types)
        and (since is None or since <= recorded.recorded_time)
        and (before is None or recorded.recorded_time < before)
    )


def filled(backend: Backend) -> EventStore:
    """4,500 events of two carts at noon, at one and at two; 1,203 of CART do not say that something was added."""
    now = NOON
    store = backend.open(clock=lambda: now)
    for hour in range(3):
        now = NOON + hour * HOUR
        batch = several(range(1_200))
        batch[100:500] = [NewEvent(CartAbandoned("late")) for _ in range(400)]
        batch[550] = NewEvent(ItemRemoved("trousers", 1))
        store.append(CART, batch)
        store.append(OTHER, several(range(300), product="socks"))
    return store


def check_reads(store: EventStore, everything: list[Recorded], *, backwards: bool) -> None:
    """All combinations, against what a reader would leave out by hand."""
    of_cart = [recorded for recorded in everything if recorded.stream == CART]
    for types, (since, before), (after, until) in product(TYPES, TIMES, SPANS):
        narrowed: dict[str, Any] = {"types": types, "since": since, "before": before}
        last = everything[-1].position if until is None else until
        right = [each for each in everything if after < each.position <= last and is_wanted(each, **narrowed)]
        found = store.read_all(Position(after), until and Position(until), backwards=backwards, **narrowed)
        assert list(found) == (right[::-1] if backwards else right), (narrowed, after, until)
        right = [each for each in of_cart if after < each.version <= last and is_wanted(each, **narrowed)]
        found = store.read(CART, Version(after), until and Version(until), backwards=backwards, **narrowed)
        assert list(found) == (right[::-1] if backwards else right), (narrowed, after, until)


def test_reads_are_narrowed_by_types_and_times_and_bounds(backend: Backend) -> None:
    long = filled(backend)
    everything = list(long.read_all())
    assert len(everything) == 4_500
    check_reads(long, everything, backwards=False)


def test_backwards_is_the_same_turned_around(backend: Backend) -> None:
    long = filled(backend)
    everything = list(long.read_all())
    assert len(everything) == 4_500
    check_reads(long, everything, backwards=True)


def test_a_span_of_time_holds_its_beginning_and_not_its_end(backend: Backend) -> None:
    long = filled(backend)
    assert {each.recorded_time for each in long.read(CART, since=NOON, before=NOON + 2 * HOUR)} == {NOON, NOON + HOUR}
    microsecond = timedelta(microseconds=1)
    after = long.read(CART, since=NOON + microsecond, before=NOON + HOUR + microsecond)
    assert {each.recorded_time for each in after} == {NOON + HOUR}
    assert list(long.read_all(since=NOON, before=NOON)) == []
    assert list(long.read_all(since=NOON + 3 * HOUR)) == []


def test_the_last_event_is_the_first_backwards(store: EventStore) -> None:
    store.append(CART, several([1, 2]))
    store.append(OTHER, several([3]))
    assert quantities([next(store.read(CART, backwards=True)), next(store.read_all(backwards=True))]) == [2, 3]
    assert list(store.read(OTHER, after=Version(1), backwards=True)) == []


@pytest.mark.parametrize("events", [1, 1_500])
def test_a_read_backwards_gives_what_was_there_when_it_was_called(store: EventStore, events: int) -> None:
    store.append(CART, several(range(events)))
    one, everything = store.read(CART, backwards=True), store.read_all(backwards=True)
    store.append(CART, several([events]))
    assert quantities(one) == quantities(everything) == list(reversed(range(events)))


def test_a_narrowed_read_gives_what_was_there_when_it_was_called(store: EventStore) -> None:
    store.append(CART, several(range(1_500)))
    one, everything = store.read(CART, types=[ItemAdded]), store.read_all(types=[ItemAdded])
    store.append(CART, several([1_500]))
    assert quantities(one) == quantities(everything) == list(range(1_500))


def test_a_class_is_found_by_its_stored_name(backend: Backend) -> None:
    registry = TypeRegistry([CartAbandoned])
    registry.register(ItemAdded, name="Added")
    store = backend.open(registry)
    store.append(CART, [*several([1]), NewEvent(CartAbandoned("late")), *several([2])])
    assert quantities(store.read(CART, types=[ItemAdded])) == quantities(store.read_all(types=[ItemAdded])) == [1, 2]


def test_a_class_that_is_not_registered_cannot_be_asked_for(store: EventStore) -> None:
    with pytest.raises(UnknownEventType, match="Unheard"):
        store.read(CART, types=[ItemAdded, Unheard])
    with pytest.raises(UnknownEventType, match="Unheard"):
        store.read_all(types=[Unheard])


@pytest.mark.parametrize("bound", ["since", "before"])
def test_a_time_without_a_zone_is_refused(store: EventStore, bound: str) -> None:
    naive: dict[str, Any] = {bound: NOON.replace(tzinfo=None)}
    with pytest.raises(ValueError, match="time zone"):
        store.read(CART, **naive)
    with pytest.raises(ValueError, match="time zone"):
        store.read_all(**naive)


@pytest.mark.parametrize("bound", ["since", "before"])
@pytest.mark.parametrize(
    "time", [datetime.max.replace(tzinfo=timezone(-HOUR)), datetime.min.replace(tzinfo=timezone(HOUR))]
)
def test_a_time_outside_the_calendar_is_refused(store: EventStore, bound: str, time: datetime) -> None:
    outside: dict[str, Any] = {bound: time}
    with pytest.raises(ValueError, match="years 1 to 9999"):
        store.read(CART, **outside)
    with pytest.raises(ValueError, match="years 1 to 9999"):
        store.read_all(**outside)
