"""Carts rewritten in two ways, and a copy that dies: apart from the tests, so that a process of its own starts soon."""

import os
import signal

from msgspec import Struct

from eventlab.domain import cart
from eventlab.domain.cart import ItemAdded, ItemRemoved
from eventlab.events.registry import TypeRegistry
from eventlab.store import SqlEventStore
from eventlab.store.transform import Each, Rewritten, copy


class ItemTakenOut(Struct, frozen=True):
    """ItemRemoved, under another name."""

    product: str
    quantity: int


NEW = TypeRegistry([*cart.EVENTS, ItemTakenOut])


def change(event):
    """A rename, a split, and one that is left out."""
    match event:
        case ItemRemoved(product, quantity):
            return [ItemTakenOut(product, quantity)]
        case ItemAdded(product, quantity, price) if quantity > 1:
            return [ItemAdded(product, 1, price), ItemAdded(product, quantity - 1, price)]
        case cart.CartAbandoned():
            return []
    return [event]


def merged(history):
    """Two additions of the same product at the same price, one after the other, become one."""
    waiting = None
    for recorded in history:
        event = recorded.event
        if (
            isinstance(event, ItemAdded)
            and waiting
            and (event.product, event.price) == (waiting.product, waiting.price)
        ):
            waiting, source = ItemAdded(event.product, waiting.quantity + event.quantity, event.price), recorded
        else:
            if waiting:
                yield Rewritten(waiting, source)
            waiting, source = (event, recorded) if isinstance(event, ItemAdded) else (None, recorded)
            if waiting is None:
                yield Rewritten(event, recorded)
    if waiting:
        yield Rewritten(waiting, source)


WAYS = {"each": Each(change), "merged": merged}


def beside(url):
    """Where the copy of the store at ``url`` goes: another file, or another schema of the same database."""
    return (url.replace(".db", "-new.db"), None) if url.startswith("sqlite") else (url, "new")


def copy_until_killed(url, way, appends):
    """Copy the store, and die in the transaction that comes after so many appends: written, not committed."""
    left = appends

    def die(_connection, _events):
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    def target(clock):
        where, schema = beside(url)
        return SqlEventStore(where, NEW, clock, schema, inline=[die])

    copy(SqlEventStore(url), target, WAYS[way])
