"""The shopping cart as a decider."""

from eventlab.domain.cart.commands import Abandon, AddItem, ChangeQuantity, CheckOut, Command, CreateCart, RemoveItem
from eventlab.domain.cart.decide import decide
from eventlab.domain.cart.events import (
    EVENTS,
    CartAbandoned,
    CartCreated,
    CheckedOut,
    Event,
    ItemAdded,
    ItemRemoved,
    QuantityChanged,
)
from eventlab.domain.cart.state import Cart, Line, Status, evolve
from eventlab.domain.decider import Decider

__all__ = [
    "EVENTS",
    "Abandon",
    "AddItem",
    "Cart",
    "CartAbandoned",
    "CartCreated",
    "ChangeQuantity",
    "CheckOut",
    "CheckedOut",
    "Command",
    "CreateCart",
    "Event",
    "ItemAdded",
    "ItemRemoved",
    "Line",
    "QuantityChanged",
    "RemoveItem",
    "Status",
    "decide",
    "decider",
    "evolve",
]

decider: Decider[Cart, Command, Event] = Decider(Cart(), decide, evolve)
