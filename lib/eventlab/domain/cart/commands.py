"""What a customer may ask of a cart."""

from msgspec import Struct

from eventlab.domain.money import Money


class CreateCart(Struct, frozen=True, gc=False):
    """Begin a cart."""

    customer: str
    currency: str


class AddItem(Struct, frozen=True, gc=False):
    """Put ``quantity`` pieces in, at ``price`` each. Another price than before reprices the pieces already there."""

    product: str
    quantity: int
    price: Money


class RemoveItem(Struct, frozen=True, gc=False):
    """Take ``quantity`` pieces out."""

    product: str
    quantity: int


class ChangeQuantity(Struct, frozen=True, gc=False):
    """Make it ``quantity`` pieces of a product that is there; 0 takes it out."""

    product: str
    quantity: int


class CheckOut(Struct, frozen=True, gc=False):
    """Buy what is in the cart."""


class Abandon(Struct, frozen=True, gc=False):
    """Give the cart up."""

    reason: str


Command = CreateCart | AddItem | RemoveItem | ChangeQuantity | CheckOut | Abandon
