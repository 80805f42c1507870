"""The cart team's events: the course's own, and Friday's release, which renames one of them and splits another."""

from msgspec import Struct

from eventlab.domain import cart
from eventlab.domain.cart import Cart, ItemAdded, QuantityChanged
from eventlab.domain.decider import Decider
from eventlab.domain.money import Money
from eventlab.events.registry import TypeRegistry


class LineAdded(Struct, frozen=True):
    """What was ItemAdded: the cart has lines, so this is the better name."""

    product: str
    quantity: int
    price: Money


class QuantityRaised(Struct, frozen=True):
    """The customer typed a larger quantity: what was QuantityChanged, for those who promote."""

    product: str
    by: int


class QuantityLowered(Struct, frozen=True):
    """The customer typed a smaller quantity: what was QuantityChanged, for those who ask why."""

    product: str
    by: int


class PaymentRefused(Struct, frozen=True):
    """Planned: the customer checked out, and the bank said no."""

    reason: str


class PaymentConfirmed(Struct, frozen=True):
    """Planned: the money is there."""


class ReceiptSent(Struct, frozen=True):
    """Planned: after the payment."""


# What the program of each release can read. The second one reads all that the first one wrote.
RELEASES = {1: TypeRegistry(cart.EVENTS), 2: TypeRegistry(each for each in cart.EVENTS if each is not ItemAdded)}
RELEASES[2].register(LineAdded, formerly=["ItemAdded"])
RELEASES[2].register(QuantityRaised)
RELEASES[2].register(QuantityLowered)


def written(event: object, release: int) -> object:
    """What the program of ``release`` writes when this happens to a cart."""
    if release == 2 and isinstance(event, ItemAdded):
        return LineAdded(event.product, event.quantity, event.price)
    if release == 2 and isinstance(event, QuantityChanged):
        by = event.after - event.before
        return QuantityRaised(event.product, by) if by > 0 else QuantityLowered(event.product, -by)
    return event


def _evolve(state: Cart, event: object) -> Cart:
    match event:
        case LineAdded(product, quantity, price):
            event = ItemAdded(product, quantity, price)
        case QuantityRaised(product, by):
            event = QuantityChanged(product, state.quantity(product), state.quantity(product) + by)
        case QuantityLowered(product, by):
            event = QuantityChanged(product, state.quantity(product), state.quantity(product) - by)
        case PaymentRefused() | PaymentConfirmed() | ReceiptSent():
            return state
    return cart.decider.evolve(state, event)  # type: ignore[arg-type]


# The cart of either release. The team deploys it with its events: nobody else has it.
decider: Decider[Cart, cart.Command, object] = Decider(cart.decider.initial, cart.decider.decide, _evolve)  # type: ignore[arg-type]
