"""What has happened to a cart, one class per fact. Each says itself in words: ``str(ItemRemoved("trousers", 2))``."""

from msgspec import Struct

from eventlab.domain.money import Money


class CartCreated(Struct, frozen=True, gc=False):
    """A customer began a cart; all its prices are in ``currency``."""

    customer: str
    currency: str

    def __str__(self) -> str:
        return f"{self.customer} began a cart in {self.currency}"


class ItemAdded(Struct, frozen=True, gc=False):
    """``quantity`` pieces came in. ``price`` is for one piece, and from now on for every piece of this product."""

    product: str
    quantity: int
    price: Money

    def __str__(self) -> str:
        return f"added {self.quantity} {self.product} at {self.price}"


class ItemRemoved(Struct, frozen=True, gc=False):
    """``quantity`` pieces were taken out."""

    product: str
    quantity: int

    def __str__(self) -> str:
        return f"removed {self.quantity} {self.product}"


class QuantityChanged(Struct, frozen=True, gc=False):
    """The customer typed another quantity, ``after``, over ``before``."""

    product: str
    before: int
    after: int

    def __str__(self) -> str:
        return f"changed {self.product} from {self.before} to {self.after}"


class CheckedOut(Struct, frozen=True, gc=False):
    """The customer bought what was in the cart, for ``total``."""

    total: Money

    def __str__(self) -> str:
        return f"checked out for {self.total}"


class CartAbandoned(Struct, frozen=True, gc=False):
    """The cart was given up."""

    reason: str

    def __str__(self) -> str:
        return f"abandoned: {self.reason}"


Event = CartCreated | ItemAdded | ItemRemoved | QuantityChanged | CheckedOut | CartAbandoned
EVENTS = (CartCreated, ItemAdded, ItemRemoved, QuantityChanged, CheckedOut, CartAbandoned)
