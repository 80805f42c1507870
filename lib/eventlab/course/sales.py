"""The shop of lesson 02: points, an order number and a voucher, worked out while folding or written down as facts.

Run as a program, this module is one server of the shop: stored stories come in, what it makes of them goes out.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import reduce
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from eventlab.domain import cart
from eventlab.domain.cart import Cart, CartCreated, CheckedOut, ItemAdded, ItemRemoved, QuantityChanged
from eventlab.domain.money import Money
from eventlab.events.codec import Encoded, JsonCodec
from eventlab.events.registry import TypeRegistry


class VoucherGiven(Struct, frozen=True):
    """The customer gets a voucher: one in three does."""

    def __str__(self) -> str:
        return "voucher given"


class PointsEarned(Struct, frozen=True):
    """Loyalty points for a purchase."""

    points: int

    def __str__(self) -> str:
        return f"earned {self.points} points"


class OrderNumbered(Struct, frozen=True):
    """The number under which the customer asks for the parcel."""

    number: str

    def __str__(self) -> str:
        return f"order number {self.number}"


Event = cart.Event | VoucherGiven | PointsEarned | OrderNumbered
Story = Sequence[Event]

CODEC = JsonCodec(TypeRegistry([*cart.EVENTS, VoucherGiven, PointsEarned, OrderNumbered]))
_SUNDAY = 6  # as date.weekday() counts


class Sale(Struct, frozen=True):
    """What the shop shows beside a cart."""

    points: int = 0
    order: str = ""
    voucher: bool = False


Evolve = Callable[[Sale, Event], Sale]


def points(total: Money, on: date) -> int:
    """The rule of the shop: a point for each euro, two on Sundays."""
    return total.minor // 100 * (2 if on.weekday() == _SUNDAY else 1)


def worked_out(sale: Sale, event: Event, today: Callable[[], date] = date.today) -> Sale:
    """An evolve as it is often written: the events say enough to work the rest out."""
    match event:
        case CartCreated(customer):
            return replace(sale, voucher=hash(customer) % 3 == 0)
        case CheckedOut(total):
            return replace(sale, points=points(total, today()), order=uuid4().hex[:8])
    return sale


def check_out(bought: Cart, today: date, number: str) -> list[Event]:
    """What decide gives for a purchase in the cured shop. Day and number come in from outside. Raises Refused."""
    events = cart.decide(cart.CheckOut(), bought)
    return [*events, PointsEarned(points(bought.total, today)), OrderNumbered(number)]


def written_down(sale: Sale, event: Event) -> Sale:
    """The evolve of the cured shop: it asks nobody, it copies what the events say."""
    match event:
        case VoucherGiven():
            return replace(sale, voucher=True)
        case PointsEarned(earned):
            return replace(sale, points=earned)
        case OrderNumbered(number):
            return replace(sale, order=number)
    return sale


def fold(evolve: Evolve, story: Story) -> Sale:
    """The sale after ``story``."""
    return reduce(evolve, story, Sale())


class Loaded(NamedTuple):
    """What one load gave for each story."""

    points: list[int]
    order: list[str]
    voucher: list[bool]
    cart: list[str]


def load(evolve: Evolve, stories: Iterable[Story]) -> Loaded:
    """Fold every story: the sale's fields, and the cart itself in words."""
    kept = list(stories)
    sales = [fold(evolve, story) for story in kept]
    carts = [cart.decider.fold(event for event in story if isinstance(event, cart.Event)) for story in kept]
    return Loaded(
        [sale.points for sale in sales],
        [sale.order for sale in sales],
        [sale.voucher for sale in sales],
        [str(each) for each in carts],
    )


def on(evolve: Evolve, day: date) -> Evolve:
    """``evolve`` on ``day``: what asks the clock is told that day."""
    if evolve is not worked_out:
        return evolve
    return lambda sale, event: worked_out(sale, event, lambda: day)


def _serve() -> None:
    name, day = sys.argv[1:]
    evolve = on({"worked_out": worked_out, "written_down": written_down}[name], date.fromisoformat(day))
    stored = msgspec.json.decode(sys.stdin.buffer.read(), type=list[list[Encoded]])
    stories: list[list[Any]] = [[CODEC.decode(*event) for event in story] for story in stored]
    sys.stdout.buffer.write(msgspec.json.encode(load(evolve, stories)))


def in_place(held: dict[str, int], event: Event) -> dict[str, int]:
    """Pieces per product, kept the fast way: the dict that comes in is changed and handed on."""
    match event:
        case ItemAdded(product, quantity):
            held[product] = held.get(product, 0) + quantity
        case ItemRemoved(product, quantity):
            held[product] -= quantity
        case QuantityChanged(product, _, after):
            held[product] = after
    return held


if __name__ == "__main__":
    _serve()
