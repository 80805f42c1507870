"""The recommendation team: which two products are bought together, and how often. It skips what it does not know."""

import sqlite3

from eventlab.services import lines
from eventlab.services.team import Event, Team


def _bought(db: sqlite3.Connection, event: Event) -> None:
    db.execute("INSERT OR IGNORE INTO bought VALUES (?)", [event.key])


def _ordered(db: sqlite3.Connection, event: Event) -> None:
    lines.ordered(db, event)
    _bought(db, event)


_INTERNAL = {
    "ItemAdded": lines.added,
    "ItemRemoved": lines.removed,
    "QuantityChanged": lines.changed,
    "CartAbandoned": lines.dropped,
    "CheckedOut": _bought,
}
TEAM = Team(
    tables=f"{lines.TABLE}; CREATE TABLE IF NOT EXISTS bought (cart TEXT PRIMARY KEY)",
    editions={
        "internal 1": _INTERNAL,
        "internal 2": {
            **_INTERNAL,
            "LineAdded": lines.added,
            "QuantityRaised": lines.raised,
            "QuantityLowered": lines.lowered,
        },
        "published": {"OrderPlaced": _ordered},
    },
    answer="""
        SELECT one.product AS product, other.product AS "with", count(*) AS orders
        FROM bought JOIN lines AS one USING (cart) JOIN lines AS other USING (cart)
        WHERE one.product < other.product AND one.pieces > 0 AND other.pieces > 0
        GROUP BY 1, 2 ORDER BY 1, 2
    """,
    values=1,
    unknown="skip",
)
