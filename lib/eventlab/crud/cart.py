"""The cart as two tables: what is in it now. How it came to be so is not kept."""

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, Session, attribute_keyed_dict, mapped_column, object_session, relationship

from eventlab.crud.base import Audited, Base
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money


class CartLine(Audited, Base):
    """One product in one cart; the price is for one piece, in minor units of the cart's currency."""

    __tablename__ = "cart_lines"
    cart_id: Mapped[str] = mapped_column(ForeignKey("carts.id"), primary_key=True)
    product: Mapped[str] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    price_minor: Mapped[int] = mapped_column(BigInteger)


class Cart(Audited, Base):
    """One cart; ``status`` is open, checked out or abandoned. The rules are those of the decider in ``domain.cart``."""

    __tablename__ = "carts"
    id: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str]
    currency: Mapped[str]
    status: Mapped[str]
    lines: Mapped[dict[str, CartLine]] = relationship(
        collection_class=attribute_keyed_dict("product"),
        cascade="all, delete-orphan",
        lazy="immediate",
        order_by=CartLine.product,
    )

    @classmethod
    def create(cls, session: Session, key: str, customer: str, currency: str) -> "Cart":
        """A new row. Raises Refused when there is one with this key, or the customer or the currency is none."""
        if session.get(cls, key) is not None:
            raise Refused(f"cannot create the cart: {key} exists already")
        if not customer.strip():
            raise Refused("cannot create the cart: a cart needs a customer")
        try:
            Money(0, currency)
        except ValueError as error:
            raise Refused(f"cannot create the cart: {error}") from error
        cart = cls(id=key, customer=customer, currency=currency, status="open")
        session.add(cart)
        return cart

    @property
    def total(self) -> Money:
        """What all lines cost together."""
        return Money(sum(line.price_minor * line.quantity for line in self.lines.values()), self.currency)

    def add(self, product: str, quantity: int, price: Money) -> None:
        """Put ``quantity`` pieces in; another price than before reprices those already there. Raises Refused."""
        self._must_be_open()
        if not product.strip():
            raise Refused("cannot add an item: the product has no name")
        if quantity < 1:
            raise Refused(f"cannot add {quantity} {product}: the quantity must be at least 1")
        if price.currency != self.currency:
            raise Refused(f"cannot add {quantity} {product} at {price}: the cart is in {self.currency}")
        if price.minor < 0:
            raise Refused(f"cannot add {quantity} {product} at {price}: a price is never below zero")
        if product in self.lines:
            self.lines[product].quantity += quantity
            self.lines[product].price_minor = price.minor
        else:
            self.lines[product] = CartLine(product=product, quantity=quantity, price_minor=price.minor)

    def remove(self, product: str, quantity: int) -> None:
        """Take ``quantity`` pieces out. Raises Refused."""
        self._must_be_open()
        held = self.lines[product].quantity if product in self.lines else 0
        if quantity < 1:
            raise Refused(f"cannot remove {quantity} {product}: the quantity must be at least 1")
        if quantity > held:
            raise Refused(f"cannot remove {quantity} {product}: the cart holds {held or 'none'}")
        self._set(product, held - quantity)

    def change_quantity(self, product: str, quantity: int) -> None:
        """Make it ``quantity`` pieces of a product that is there; 0 takes it out. Raises Refused."""
        self._must_be_open()
        if product not in self.lines:
            raise Refused(f"cannot change {product} to {quantity}: the cart holds none")
        if quantity < 0:
            raise Refused(f"cannot change {product} to {quantity}: the quantity must be 0 or more")
        self._set(product, quantity)

    def check_out(self) -> None:
        """Buy what is in the cart. Raises Refused."""
        self._must_be_open()
        if not self.lines:
            raise Refused("cannot check out: the cart is empty")
        self.status = "checked out"

    def abandon(self) -> None:
        """Give the cart up; there is no column for the reason. Raises Refused."""
        self._must_be_open()
        self.status = "abandoned"

    def _must_be_open(self) -> None:
        if self.status != "open":
            raise Refused(f"the cart is {self.status}: nothing about it can change any more")

    def _set(self, product: str, quantity: int) -> None:
        if quantity:
            self.lines[product].quantity = quantity
            return
        del self.lines[product]
        # Delete now: if the product comes back before the commit, the ORM would make one UPDATE of both, and that
        # UPDATE does not know the old values for the audit.
        if session := object_session(self):
            session.flush()
