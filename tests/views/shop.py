"""Views of a shop in the three shapes there are, what they have to show, and histories to try them on."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, Integer, MetaData, Table, Text, select

from eventlab.domain.cart import CartAbandoned, CheckedOut, ItemAdded, ItemRemoved
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, Recorded, StreamId
from eventlab.store import SqlEventStore
from eventlab.views import Rows, View, row_per_event, row_per_stream

_tables = MetaData()
ADDITIONS = Table(
    "additions",
    _tables,
    Column("position", Integer, primary_key=True),
    Column("cart", Text, nullable=False, index=True),
    Column("product", Text, nullable=False),
)
CARTS = Table(
    "carts", _tables, Column("cart", Text, primary_key=True), Column("pieces", Integer), Column("trail", Text)
)
PIECES = Table("pieces", _tables, Column("product", Text, primary_key=True), Column("added", Integer))

POISON = "poison"


def _cart(row: dict[str, Any] | None, recorded: Recorded) -> dict[str, Any] | None:
    """Pieces and a trail of positions: the trail shows what was applied, in which order, and how often."""
    event = recorded.event
    row = row or {"pieces": 0, "trail": ""}
    if isinstance(event, CheckedOut):
        return None
    pieces = event.quantity if isinstance(event, ItemAdded) else -event.quantity
    return {"pieces": row["pieces"] + pieces, "trail": f"{row['trail']} {recorded.version}"}


def _count(rows: Rows, recorded: Recorded) -> None:
    product = recorded.event.product
    row = rows.get(PIECES, product) or {"product": product, "added": 0}
    rows.put(PIECES, {**row, "added": row["added"] + recorded.event.quantity})


additions = View(
    "additions",
    (ADDITIONS,),
    row_per_event(
        ADDITIONS,
        {ItemAdded: lambda r: {"position": r.position, "cart": str(r.stream), "product": r.event.product}},
    ),
)
carts = View("carts", (CARTS,), row_per_stream(CARTS, {ItemAdded: _cart, ItemRemoved: _cart, CheckedOut: _cart}))
pieces = View("pieces", (PIECES,), {ItemAdded: _count})
ALL = (additions, carts, pieces)


def fails_on_poison(view: View) -> View:
    """The view whose handler for added items cannot take the product ``poison``."""
    handler = view.handlers[ItemAdded]

    def picky(rows: Rows, recorded: Recorded) -> None:
        if recorded.event.product == POISON:
            raise KeyError(recorded.event.product)
        handler(rows, recorded)

    return replace(view, handlers={**view.handlers, ItemAdded: picky})


def cart(number: int) -> StreamId:
    return StreamId("cart", str(number))


def added(product: str = "socks", quantity: int = 1) -> NewEvent:
    return NewEvent(ItemAdded(product, quantity, Money(100, "EUR")))


def removed(product: str = "socks", quantity: int = 1) -> NewEvent:
    return NewEvent(ItemRemoved(product, quantity))


def bought() -> NewEvent:
    return NewEvent(CheckedOut(Money(100, "EUR")))


def gone() -> NewEvent:
    return NewEvent(CartAbandoned("late"))


def expected(view: View, log: Iterable[Recorded]) -> list[tuple[Any, ...]]:
    """What the view's table has to hold, worked out from the events without any of the code under test."""
    if view.name == "additions":
        return [(r.position, str(r.stream), r.event.product) for r in log if isinstance(r.event, ItemAdded)]
    if view.name == "pieces":
        count: Counter[str] = Counter()
        for r in log:
            if isinstance(r.event, ItemAdded):
                count[r.event.product] += r.event.quantity
        return sorted(count.items())
    table: dict[str, tuple[int, str]] = {}
    for r in log:
        cart = str(r.stream)
        if isinstance(r.event, CheckedOut):
            table.pop(cart, None)
        elif isinstance(r.event, ItemAdded | ItemRemoved):
            pieces, trail = table.get(cart, (0, ""))
            sign = 1 if isinstance(r.event, ItemAdded) else -1
            table[cart] = pieces + sign * r.event.quantity, f"{trail} {r.version}"
    return sorted((cart, *row) for cart, row in table.items())


def shown(store: SqlEventStore, view: View) -> list[tuple[Any, ...]]:
    """What readers see."""
    (table,) = view.tables
    with store.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(table).order_by(table.c[0]))]


def holds(store: SqlEventStore, views: Sequence[View]) -> None:
    """Every view shows what the events say."""
    log = list(store.read_all())
    for view in views:
        assert shown(store, view) == expected(view, log), view
