from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from eventlab.domain import cart
from eventlab.domain.cart import AddItem, CartCreated, CheckOut, CreateCart, ItemAdded, RemoveItem
from eventlab.domain.decider import Decider, Refused
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.store import Any, Appended, Expected, MemoryEventStore, WrongExpectedVersion, execute
from eventlab.store.contract import EventStore

CART = StreamId("cart", "17")
PRICE = Money.of("49.90", "EUR")


class Overtaken(MemoryEventStore):
    """A store in which others write between reading and appending, as often as ``times`` says."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def append(self, stream: StreamId, events: Sequence[NewEvent], expected: Expected = Any) -> Appended:
        if self.times and expected is not Any:
            self.times -= 1
            super().append(stream, [NewEvent(ItemAdded("socks", 1, PRICE))])
        return super().append(stream, events, expected)


def a_cart(store: EventStore) -> None:
    store.append(CART, [NewEvent(CartCreated("Ana", "EUR")), NewEvent(ItemAdded("trousers", 3, PRICE))])


def test_what_follows_from_a_command_is_stored_and_given_back() -> None:
    store = MemoryEventStore()
    created = execute(store, cart.decider, CART, CreateCart("Ana", "EUR"))
    added = execute(store, cart.decider, CART, AddItem("trousers", 3, PRICE))
    assert [recorded.event for recorded in created + added] == [
        CartCreated("Ana", "EUR"),
        ItemAdded("trousers", 3, PRICE),
    ]
    assert created + added == list(store.read(CART))


def test_a_refused_command_stores_nothing() -> None:
    store = MemoryEventStore()
    a_cart(store)
    with pytest.raises(Refused):
        execute(store, cart.decider, CART, RemoveItem("trousers", 4))
    assert len(list(store.read(CART))) == 2


def test_a_command_from_which_nothing_follows_stores_nothing() -> None:
    store = MemoryEventStore()
    a_cart(store)
    nothing: Callable[[object, object], list[object]] = lambda command, state: []  # noqa: E731
    decider = Decider(cart.decider.initial, nothing, cart.decider.evolve)
    assert execute(store, decider, CART, CheckOut()) == []
    assert len(list(store.read(CART))) == 2


def test_whoever_is_overtaken_decides_again_on_the_newer_state() -> None:
    store = Overtaken(times=2)
    a_cart(store)
    [checked_out] = execute(store, cart.decider, CART, CheckOut())
    assert checked_out.event == cart.CheckedOut(PRICE * 5)
    assert checked_out.version == 5


def test_whoever_is_always_overtaken_gives_up() -> None:
    store = Overtaken(times=3)
    a_cart(store)
    with pytest.raises(WrongExpectedVersion):
        execute(store, cart.decider, CART, CheckOut(), attempts=3)
    assert store.times == 0
    assert not any(recorded.type == "CheckedOut" for recorded in store.read(CART))


def test_cause_conversation_and_valid_time_are_passed_on() -> None:
    store = MemoryEventStore()
    cause, conversation, yesterday = uuid4(), uuid4(), datetime(2026, 3, 2, tzinfo=UTC)
    [created] = execute(
        store,
        cart.decider,
        CART,
        CreateCart("Ana", "EUR"),
        valid_time=yesterday,
        causation=cause,
        correlation=conversation,
    )
    assert (created.causation, created.correlation, created.valid_time) == (cause, conversation, yesterday)
