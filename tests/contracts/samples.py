"""Events to append, and what tests say about what they read."""

from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec import Struct

from eventlab.domain.cart import ItemAdded
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, Recorded, StreamId

CART = StreamId("cart", "17")
OTHER = StreamId("cart", "4")
PATIENCE_SECONDS = 30.0
FEW_AND_MANY = (2, 400)  # stores may take another way for a large append


class Unheard(Struct, frozen=True):
    """An event class that no registry knows."""

    of: str = "x"


def added(quantity: int, product: str = "trousers") -> NewEvent:
    return NewEvent(ItemAdded(product, quantity, Money(4990, "EUR")))


def several(quantities: Iterable[int], product: str = "trousers") -> list[NewEvent]:
    return [added(quantity, product) for quantity in quantities]


def quantities(events: Iterable[Recorded]) -> list[int]:
    return [recorded.event.quantity for recorded in events if isinstance(recorded.event, ItemAdded)]


def take(count: int, subscription: Iterator[Recorded]) -> list[Recorded]:
    """The next events of a subscription; give it ``idle=PATIENCE_SECONDS`` so that a missing one fails the test."""
    taken = list(islice(subscription, count))
    assert len(taken) == count, f"only {len(taken)} of {count} events came"
    return taken
