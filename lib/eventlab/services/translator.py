"""The cart team's translator: reads the cart's own events and publishes what the contract promises.

It is the cart team's, deployed with the cart: whoever changes an internal event changes this too.
"""

import sqlite3
from collections.abc import Iterable, Mapping

from eventlab.domain.cart import Cart, CheckedOut
from eventlab.events.codec import JsonCodec
from eventlab.services import cart_team, contract
from eventlab.services.contract import OrderLine, OrderPlaced
from eventlab.services.team import Event, Handler, Team

PUBLISHES = OrderPlaced.__name__


def placed(order: str, cart: Cart) -> OrderPlaced:
    """A cart that was bought, as everybody else may know it."""
    lines = [OrderLine(product, line.quantity, line.price.minor) for product, line in cart.lines.items()]
    return OrderPlaced(order, cart.customer, cart.currency, lines, cart.total.minor)


def translate(order: str, story: Iterable[object]) -> OrderPlaced | None:
    """What a cart's events mean for others: an order when the last of them is the purchase, else nothing."""
    events = list(story)
    if not events or not isinstance(events[-1], CheckedOut):
        return None
    return placed(order, cart_team.decider.fold(events))


def _edition(release: int) -> Mapping[str, Handler]:
    """Keeps the events of each cart until it is bought or given up."""
    codec = JsonCodec(cart_team.RELEASES[release])

    def keep(db: sqlite3.Connection, event: Event) -> bytes | None:
        db.execute("INSERT INTO stories (cart, type, data) VALUES (?, ?, ?)", event)
        order = None
        if event.type in _LAST:
            rows = db.execute("SELECT type, data FROM stories WHERE cart = ? ORDER BY number", [event.key])
            order = translate(event.key, [codec.decode(type_, 1, data) for type_, data in rows])
            db.execute("DELETE FROM stories WHERE cart = ?", [event.key])
        return None if order is None else contract.encode(order)

    return {name: keep for entry in cart_team.RELEASES[release] for name in entry.names}


_LAST = {"CheckedOut", "CartAbandoned"}
TEAM = Team(
    tables="""
        CREATE TABLE IF NOT EXISTS stories (
            number INTEGER PRIMARY KEY, cart TEXT NOT NULL, type TEXT NOT NULL, data BLOB NOT NULL
        );
        CREATE INDEX IF NOT EXISTS stories_by_cart ON stories (cart)
    """,
    editions={"internal 1": _edition(1), "internal 2": _edition(2)},
    answer="SELECT cart, count(*) AS events FROM stories GROUP BY cart",
    values=1,
    unknown="stop",
)
