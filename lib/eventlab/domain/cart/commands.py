"""What a customer may ask of a cart."""

from dataclasses import dataclass

from eventlab.domain.money import Money


@dataclass(frozen=True, slots=True)
class CreateCart:
    """Begin a cart."""

    customer: str
    currency: str


@dataclass(frozen=True, slots=True)
class AddItem:
    """Put ``quantity`` pieces in, at ``price`` each. Another price than before reprices the pieces already there."""

    product: str
    quantity: int
    price: Money


@dataclass(frozen=True, slots=True)
class RemoveItem:
    """Take ``quantity`` pieces out."""

    product: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ChangeQuantity:
    """Make it ``quantity`` pieces of a product that is there; 0 takes it out."""

    product: str
    quantity: int


@dataclass(frozen=True, slots=True)
class CheckOut:
    """Buy what is in the cart."""


@dataclass(frozen=True, slots=True)
class Abandon:
    """Give the cart up."""

    reason: str


Command = CreateCart | AddItem | RemoveItem | ChangeQuantity | CheckOut | Abandon
