"""Loading a stream for a decision: its events without their envelopes, and the version they lead to."""

from datetime import date

import pytest
from msgspec import Struct

from eventlab.domain import account, cart
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId, Version
from eventlab.events.errors import UnknownEventType, UnknownSchemaVersion, Unreadable
from eventlab.events.registry import TypeRegistry
from eventlab.store import BEGINNING, EventStore, state

from .backends import DURABLE, Backend
from .samples import CART, OTHER, added, several

ACCOUNT = StreamId("account", "ana")
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize("events", [1, 2_500])
def test_what_is_loaded_are_the_events_that_are_read(store: EventStore, events: int) -> None:
    store.append(CART, several(range(events)))
    store.append(OTHER, several([9]))
    for after in (0, 1, events - 1, events, events + 1):
        found = store.read(CART, after=Version(after))
        assert store.load(CART, after=Version(after)) == ([each.event for each in found], max(after, events))


def test_a_stream_that_is_not_there_loads_nothing(store: EventStore) -> None:
    store.append(OTHER, several([9]))
    assert store.load(CART) == ([], 0)
    assert store.load(CART, after=Version(3)) == ([], 3)


def test_a_loaded_version_can_be_loaded_on_from(store: EventStore) -> None:
    first, second = several([1, 2]), several([3])
    store.append(CART, first)
    _, version = store.load(CART)
    store.append(CART, second)
    assert store.load(CART, after=version) == ([second[0].event], 3)


def test_an_event_that_cannot_be_loaded_is_named_with_its_place(backend: Backend) -> None:
    registry = TypeRegistry(cart.EVENTS)
    store = backend.open(registry)
    store.append(CART, several([1, 2]))
    registry.register(cart.ItemAdded, schema_version=2)
    with pytest.raises(UnknownSchemaVersion, match=r"cart-17 version 1 \(position 1\): ItemAdded.*version 1.*reads 2"):
        store.load(CART)
    with pytest.raises(UnknownSchemaVersion, match=r"cart-17 version 2 \(position 2\)"):
        store.load(CART, after=Version(1))


@DURABLE
def test_an_unknown_type_is_named_with_its_place_by_load(backend: Backend, store: EventStore) -> None:
    store.append(CART, [added(1), NewEvent(cart.CartAbandoned("late")), added(2)])
    stranger = backend.open(TypeRegistry([cart.ItemAdded]))
    with pytest.raises(UnknownEventType, match=r"cart-17 version 2 \(position 2\): .*'CartAbandoned'"):
        stranger.load(CART)
    assert stranger.load(CART, after=Version(2)) == ([added(2).event], 3)


@DURABLE
def test_corrupt_data_is_named_with_its_place_by_load(backend: Backend, store: EventStore) -> None:
    store.append(CART, [added(1)])
    backend.open(wrong_registry()).append(CART, [NewEvent(Wrong("lots"))])
    with pytest.raises(Unreadable, match=r"cart-17 version 2 \(position 2\): .*ItemAdded.*\$\.quantity"):
        store.load(CART)


@DURABLE
def test_what_comes_before_a_corrupt_event_is_followed_before_the_error(backend: Backend, store: EventStore) -> None:
    store.append(CART, several(range(3)))
    backend.open(wrong_registry()).append(CART, [NewEvent(Wrong("lots"))])
    subscription = store.subscribe(BEGINNING, idle=1)
    assert [next(subscription).version for _ in range(3)] == [1, 2, 3]
    with pytest.raises(Unreadable, match=r"cart-17 version 4 \(position 4\)"):
        next(subscription)


def test_the_state_of_a_stream_is_the_fold_of_its_events(store: EventStore) -> None:
    commands: list[cart.Command] = [
        cart.CreateCart("Ana", "EUR"),
        cart.AddItem("trousers", 2, Money(4990, "EUR")),
        cart.ChangeQuantity("trousers", 3),
        cart.CheckOut(),
    ]
    events: list[cart.Event] = []
    for command in commands:
        events += cart.decider.decide(command, cart.decider.fold(events))
    store.append(CART, [NewEvent(event) for event in events])
    now = state(store, cart.decider, CART)
    assert now == cart.decider.fold([each.event for each in store.read(CART)])
    assert (now.status, now.total) == ("checked out", Money(3 * 4990, "EUR"))
    assert state(store, cart.decider, OTHER) == cart.decider.initial
    store.append(ACCOUNT, [NewEvent(account.AccountOpened("Ana", "EUR", Money(0, "EUR"), TODAY))])
    store.append(ACCOUNT, [NewEvent(account.Deposited(Money(1240, "EUR"), TODAY))])
    assert state(store, account.decider, ACCOUNT).balance == Money(1240, "EUR")


class Wrong(Struct, frozen=True):
    """Written under the name ItemAdded by a program with a mistake."""

    quantity: str
    product: str = "trousers"


def wrong_registry() -> TypeRegistry:
    registry = TypeRegistry()
    registry.register(Wrong, name="ItemAdded")
    return registry
