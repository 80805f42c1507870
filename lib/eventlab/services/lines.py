"""The lines of carts and orders, as two teams keep them; how a cart works they have from the cart team's wiki."""

import sqlite3
from collections.abc import Callable

import msgspec

from eventlab.services.team import Event, Fields, Handler

TABLE = """
CREATE TABLE IF NOT EXISTS lines (
    cart TEXT NOT NULL, product TEXT NOT NULL, pieces INTEGER NOT NULL, PRIMARY KEY (cart, product)
)
"""
_ADD = """
INSERT INTO lines VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET pieces = pieces + excluded.pieces
"""
_SET = "INSERT OR REPLACE INTO lines VALUES (?, ?, ?)"


def _adding(pieces: Callable[[Fields], int]) -> Handler:
    def handle(db: sqlite3.Connection, event: Event) -> None:
        fields = msgspec.json.decode(event.data)
        db.execute(_ADD, (event.key, fields["product"], pieces(fields)))

    return handle


def changed(db: sqlite3.Connection, event: Event) -> None:
    """The customer typed another quantity."""
    fields = msgspec.json.decode(event.data)
    db.execute(_SET, (event.key, fields["product"], fields["after"]))


def dropped(db: sqlite3.Connection, event: Event) -> None:
    """The cart was given up."""
    db.execute("DELETE FROM lines WHERE cart = ?", [event.key])


def ordered(db: sqlite3.Connection, event: Event) -> None:
    """An order as it is published: whole, so that the same one again changes nothing."""
    for line in msgspec.json.decode(event.data)["lines"]:
        db.execute(_SET, (event.key, line["product"], line["pieces"]))


added = _adding(lambda fields: fields["quantity"])
removed = _adding(lambda fields: -fields["quantity"])
raised = _adding(lambda fields: fields["by"])
lowered = _adding(lambda fields: -fields["by"])
