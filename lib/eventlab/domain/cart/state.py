"""The cart at one moment, and how each event changes it."""

from types import MappingProxyType
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from eventlab.domain.cart.events import (
    CartAbandoned,
    CartCreated,
    CheckedOut,
    Event,
    ItemAdded,
    ItemRemoved,
    QuantityChanged,
)
from eventlab.domain.money import NO_CURRENCY, Money

Status = Literal["none", "open", "checked out", "abandoned"]


class Line(Struct, frozen=True, gc=False):
    """One product in the cart; ``price`` is for one piece."""

    quantity: int
    price: Money

    @property
    def amount(self) -> Money:
        """Price times quantity."""
        return self.price * self.quantity

    def __str__(self) -> str:
        return f"{self.quantity} × {self.price}"


class Cart(Struct, frozen=True, gc=False):
    """A cart at one moment: a line per product, each with one price, the latest that the customer was shown."""

    status: Status = "none"
    customer: str = ""
    currency: str = NO_CURRENCY
    lines: MappingProxyType[str, Line] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def total(self) -> Money:
        """What all lines cost together. Raises ValueError when imported lines mix currencies."""
        return sum((line.amount for line in self.lines.values()), Money(0, self.currency))

    def quantity(self, product: str) -> int:
        """How many pieces of ``product`` are in the cart, 0 for none."""
        return self.lines[product].quantity if product in self.lines else 0


def _with_line(cart: Cart, product: str, quantity: int, price: Money) -> Cart:
    lines = cart.lines.copy()
    if quantity > 0:
        lines[product] = Line(quantity, price)
    else:
        lines.pop(product, None)
    return Cart(cart.status, cart.customer, cart.currency, MappingProxyType(lines))


def evolve(cart: Cart, event: Event) -> Cart:
    """The cart after ``event``.

    Events are facts and may be imported or arrive out of order, so nothing is refused here: taking out
    what is not there leaves nothing there.
    """
    match event:
        # Long streams are these three; positions in a pattern would take as long as all the rest (measured).
        case ItemAdded():
            known = replace(cart, currency=event.price.currency) if cart.currency == NO_CURRENCY else cart
            line = cart.lines.get(event.product)
            quantity = line.quantity + event.quantity if line else event.quantity
            return _with_line(known, event.product, quantity, event.price)
        case ItemRemoved():
            line = cart.lines.get(event.product)
            return _with_line(cart, event.product, line.quantity - event.quantity, line.price) if line else cart
        case QuantityChanged():
            line = cart.lines.get(event.product)
            return _with_line(cart, event.product, event.after, line.price) if line else cart
        case CartCreated(customer, currency):
            return replace(cart, status="open", customer=customer, currency=currency)
        case CheckedOut():
            return replace(cart, status="checked out")
        case CartAbandoned():
            return replace(cart, status="abandoned")
