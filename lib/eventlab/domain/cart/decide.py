"""The rules of the cart: which events a command leads to, or why it is refused."""

from eventlab.domain.cart.commands import (
    Abandon,
    AddItem,
    ChangeQuantity,
    CheckOut,
    Command,
    CreateCart,
    RemoveItem,
)
from eventlab.domain.cart.events import (
    CartAbandoned,
    CartCreated,
    CheckedOut,
    Event,
    ItemAdded,
    ItemRemoved,
    QuantityChanged,
)
from eventlab.domain.cart.state import Cart
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money


def _create(command: CreateCart, cart: Cart) -> list[Event]:
    if cart.status != "none":
        raise Refused(f"cannot create the cart: it exists already, for {cart.customer}")
    if not command.customer.strip():
        raise Refused("cannot create the cart: a cart needs a customer")
    try:
        Money(0, command.currency)
    except ValueError as error:
        raise Refused(f"cannot create the cart: {error}") from error
    return [CartCreated(command.customer, command.currency)]


def _add(command: AddItem, cart: Cart) -> list[Event]:
    wish = f"cannot add {command.quantity} {command.product}"
    if not command.product.strip():
        raise Refused("cannot add an item: the product has no name")
    if command.quantity < 1:
        raise Refused(f"{wish}: the quantity must be at least 1")
    if command.price.currency != cart.currency:
        raise Refused(f"{wish} at {command.price}: the cart is in {cart.currency}")
    if command.price.minor < 0:
        raise Refused(f"{wish} at {command.price}: a price is never below zero")
    return [ItemAdded(command.product, command.quantity, command.price)]


def _remove(command: RemoveItem, cart: Cart) -> list[Event]:
    held = cart.quantity(command.product)
    if command.quantity < 1:
        raise Refused(f"cannot remove {command.quantity} {command.product}: the quantity must be at least 1")
    if command.quantity > held:
        raise Refused(f"cannot remove {command.quantity} {command.product}: the cart holds {held or 'none'}")
    return [ItemRemoved(command.product, command.quantity)]


def _change_quantity(command: ChangeQuantity, cart: Cart) -> list[Event]:
    held = cart.quantity(command.product)
    wish = f"cannot change {command.product} to {command.quantity}"
    if held == 0:
        raise Refused(f"{wish}: the cart holds none")
    if command.quantity < 0:
        raise Refused(f"{wish}: the quantity must be 0 or more")
    if command.quantity == 0:
        return [ItemRemoved(command.product, held)]
    return [] if command.quantity == held else [QuantityChanged(command.product, held, command.quantity)]


def _check_out(cart: Cart) -> list[Event]:
    if not cart.lines:
        raise Refused("cannot check out: the cart is empty")
    return [CheckedOut(cart.total)]


def decide(command: Command, cart: Cart) -> list[Event]:
    """The events that ``command`` leads to, none if it changes nothing. Raises Refused, with the reason."""
    if isinstance(command, CreateCart):
        return _create(command, cart)
    if cart.status == "none":
        raise Refused("there is no cart yet: create it first")
    if cart.status != "open":
        raise Refused(f"the cart is {cart.status}: nothing about it can change any more")
    match command:
        case AddItem():
            return _add(command, cart)
        case RemoveItem():
            return _remove(command, cart)
        case ChangeQuantity():
            return _change_quantity(command, cart)
        case CheckOut():
            return _check_out(cart)
        case Abandon(reason):
            return [CartAbandoned(reason)]
