"""The order team: whom to send how many pieces, for how much. It stops at what it does not know."""

import sqlite3
from collections.abc import Callable

import msgspec

from eventlab.services.team import Event, Fields, Handler, Team


def _began(db: sqlite3.Connection, event: Event) -> None:
    customer = msgspec.json.decode(event.data)["customer"]
    db.execute("INSERT INTO orders (cart, customer, pieces) VALUES (?, ?, 0)", (event.key, customer))


def _pieces(pieces: Callable[[Fields], int]) -> Handler:
    def handle(db: sqlite3.Connection, event: Event) -> None:
        more = pieces(msgspec.json.decode(event.data))
        db.execute("UPDATE orders SET pieces = pieces + ? WHERE cart = ?", (more, event.key))

    return handle


def _bought(db: sqlite3.Connection, event: Event) -> None:
    total = msgspec.json.decode(event.data)["total"]
    db.execute("UPDATE orders SET cents = ? WHERE cart = ?", (total["minor"], event.key))


def _dropped(db: sqlite3.Connection, event: Event) -> None:
    db.execute("DELETE FROM orders WHERE cart = ?", [event.key])


def _placed(db: sqlite3.Connection, event: Event) -> None:
    """An order as it is published: whole, so that the same one again changes nothing."""
    order = msgspec.json.decode(event.data)
    pieces = sum(line["pieces"] for line in order["lines"])
    db.execute(
        "INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?)", (event.key, order["customer"], pieces, order["total"])
    )


_INTERNAL = {
    "CartCreated": _began,
    "ItemAdded": _pieces(lambda fields: fields["quantity"]),
    "ItemRemoved": _pieces(lambda fields: -fields["quantity"]),
    "QuantityChanged": _pieces(lambda fields: fields["after"] - fields["before"]),
    "CheckedOut": _bought,
    "CartAbandoned": _dropped,
}
TEAM = Team(
    tables="""
        CREATE TABLE IF NOT EXISTS orders (
            cart TEXT PRIMARY KEY, customer TEXT NOT NULL, pieces INTEGER NOT NULL, cents INTEGER
        )
    """,
    editions={
        "internal 1": _INTERNAL,
        "internal 2": {
            **_INTERNAL,
            "LineAdded": _pieces(lambda fields: fields["quantity"]),
            "QuantityRaised": _pieces(lambda fields: fields["by"]),
            "QuantityLowered": _pieces(lambda fields: -fields["by"]),
        },
        "published": {"OrderPlaced": _placed},
    },
    answer='SELECT cart AS "order", customer, pieces, cents FROM orders WHERE cents IS NOT NULL ORDER BY rowid',
    values=3,
    unknown="stop",
)
