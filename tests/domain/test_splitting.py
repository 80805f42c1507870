"""One event that stands for several: the fold sees the parts, the stream keeps its places."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from eventlab.domain import cart
from eventlab.domain.cart import CartCreated, CheckedOut, CheckOut, ItemAdded, ItemRemoved, RemoveItem
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.events.registry import TypeRegistry
from eventlab.store import MemoryEventStore, MemorySnapshots, WrongExpectedVersion, execute
from eventlab.store.transform import Each, copy, same_fold

CART = StreamId("cart", "1")


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


class Swapped(Struct, frozen=True):
    """Out with one product, in with another: today these are two events."""

    out: str
    into: str
    quantity: int
    price: Money


class Nothing(Struct, frozen=True):
    """An event that means nothing any more."""


def parts(event: Any) -> list[Any]:
    match event:
        case Swapped(out, into, quantity, price):
            return [ItemRemoved(out, quantity), ItemAdded(into, quantity, price)]
        case Nothing():
            return []
    return [event]


TODAY = cart.decider.splitting(parts)
REGISTRY = TypeRegistry([*cart.EVENTS, Swapped, Nothing])
PRODUCTS, MONEY = st.sampled_from(["socks", "trousers", "hat"]), st.builds(eur, st.integers(0, 9_999))
EVENTS = st.one_of(
    st.builds(ItemAdded, PRODUCTS, st.integers(1, 9), MONEY),
    st.builds(Swapped, PRODUCTS, PRODUCTS, st.integers(1, 9), MONEY),
    st.builds(Nothing),
)
HISTORIES = st.lists(EVENTS, max_size=20).map(lambda events: [CartCreated("Ana", "EUR"), *events])


@given(HISTORIES, st.integers(1, 5))
def test_the_fold_is_that_of_the_parts_with_and_without_a_snapshot_and_after_a_copy(
    history: list[Any], every: int
) -> None:
    right = cart.decider.fold(part for event in history for part in parts(event))
    assert TODAY.fold(history) == right

    store, snapshots = MemoryEventStore(REGISTRY), MemorySnapshots(every=every, registry=REGISTRY)
    for event in history:
        store.append(CART, [NewEvent(event)])
        snapshots.load(store, TODAY, CART)
    assert snapshots.load(store, TODAY, CART)[:2] == (right, len(history))

    check = same_fold(TODAY, cart.decider)
    copied = copy(store, lambda clock: MemoryEventStore(TypeRegistry(cart.EVENTS), clock), Each(parts), check)
    assert cart.decider.fold(copied.store.load(CART)[0]) == right


def test_rules_see_the_parts_and_the_stream_goes_on_at_its_own_version() -> None:
    store = MemoryEventStore(REGISTRY)
    story = [CartCreated("Ana", "EUR"), ItemAdded("socks", 2, eur(450)), Swapped("socks", "trousers", 2, eur(4990))]
    store.append(CART, [NewEvent(event) for event in story])

    with pytest.raises(Refused):
        execute(store, TODAY, CART, RemoveItem("socks", 1))
    (recorded,) = execute(store, TODAY, CART, CheckOut())
    assert (recorded.version, recorded.event) == (4, CheckedOut(eur(9980)))
    with pytest.raises(WrongExpectedVersion):
        store.append(CART, [NewEvent(Nothing())], expected=recorded.version + 1)  # type: ignore[arg-type]
