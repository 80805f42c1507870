"""The shop of lesson 08: a view of its carts with a bug, the mended one, and two ways to bring that in."""

import time
import uuid
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from threading import Event, Thread
from typing import Any

import altair
import pandas as pd
from sqlalchemy import Column, Integer, MetaData, Table, Text, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import DropSchema

from eventlab import cluster, show, views
from eventlab.course.reading import Reading, reading
from eventlab.domain import cart
from eventlab.domain.cart import CartAbandoned, CartCreated, CheckedOut, ItemAdded, ItemRemoved, QuantityChanged
from eventlab.events.envelope import NewEvent, Recorded, StreamId
from eventlab.inputs.generate import demo_carts
from eventlab.show.charts import HEIGHT, WIDTH, Figure
from eventlab.store import SqlEventStore
from eventlab.views import Projector, View, row_per_stream

_LONGEST_PREFIX = 40  # PostgreSQL cuts names at 63 bytes
_BETWEEN_CUSTOMERS_SECONDS = 0.02

Row = Mapping[str, Any]
Step = Callable[[Row, Any], Row]


def _carts(schema: str | None = None) -> Table:
    """What the warehouse reads: a row per cart."""
    return Table(
        "cart_pieces",
        MetaData(schema=schema),
        Column("cart", Text, primary_key=True),
        Column("status", Text, nullable=False),
        Column("pieces", Integer, nullable=False),
    )


def _plus(row: Row, pieces: int) -> Row:
    return {**row, "pieces": row["pieces"] + pieces}


def added_up(row: Row, event: QuantityChanged) -> Row:
    """A customer typed another quantity: the bug."""
    return _plus(row, event.after)


def changed(row: Row, event: QuantityChanged) -> Row:
    """A customer typed another quantity: mended."""
    return _plus(row, event.after - event.before)


def view(on_change: Step, version: int) -> View:
    """The view ``cart_pieces``, with this step for QuantityChanged."""
    table = _carts()
    steps: dict[type, Callable[[Any, Any], Row]] = {
        CartCreated: lambda _, event: {"status": "open", "pieces": 0},
        ItemAdded: lambda row, event: _plus(row, event.quantity),
        ItemRemoved: lambda row, event: _plus(row, -event.quantity),
        QuantityChanged: on_change,
        CheckedOut: lambda row, event: {**row, "status": "checked out"},
        CartAbandoned: lambda row, event: {**row, "status": "abandoned"},
    }
    of_records = {cls: _of_record(step) for cls, step in steps.items()}
    return View("cart_pieces", (table,), row_per_stream(table, of_records), version=version)


def _of_record(step: Step) -> Callable[[Any, Recorded], Row]:
    return lambda row, recorded: step(row, recorded.event)


BUGGY = view(added_up, version=1)
MENDED = view(changed, version=2)
PATCHED = view(changed, version=1)  # the new code on the old tables


class Shop:
    """A store full of carts, and the view with the bug up to date. Its schema goes when the program ends."""

    def __init__(self, url: str, carts: int = 1_000, seed: int = 8) -> None:
        schema = None
        if make_url(url).get_backend_name() == "postgresql":
            schema = f"{(cluster.schema() or 'eventlab')[:_LONGEST_PREFIX]}-rebuild-{uuid.uuid4().hex[:8]}"
        self.store = SqlEventStore(url, schema=schema)
        self._table = _carts(schema)
        self._numbers = count(carts + 1)
        self.close = weakref.finalize(self, _remove, self.store)
        for stream, events in demo_carts(seed, carts).items():
            self.store.append(stream, events)
        Projector(self.store, BUGGY).catch_up()

    def wrong(self) -> pd.DataFrame:
        """The carts for which the view does not say what their events say."""
        stories = self._stories()
        with self.store.engine.connect() as connection:
            rows = connection.execute(select(self._table.c.cart, self._table.c.pieces)).all()
        shown = pd.DataFrame(rows, columns=["cart", "the view says"])
        shown["the events say"] = [_pieces(cart.decider.fold(stories[name])) for name in shown["cart"]]
        return shown[shown["the view says"] != shown["the events say"]].reset_index(drop=True)

    @contextmanager
    def open(self) -> Iterator[Reading]:
        """Customers come, and the warehouse looks at the view, for as long as the block lasts.

        The warehouse looks at the number of carts, and into one of those in which the view with the bug is wrong.
        """
        one, right = self._one()
        stop = Event()
        customers = Thread(target=self._serve, args=[stop], daemon=True)
        with reading(self.store.engine, self._table, "pieces", one, right) as seen:
            customers.start()
            try:
                yield seen
            finally:
                stop.set()
                customers.join()

    def _one(self) -> tuple[str, int]:
        for name, story in self._stories().items():
            if any(isinstance(event, QuantityChanged) and event.before for event in story):
                return name, _pieces(cart.decider.fold(story))
        raise ValueError("no customer of this shop changed a quantity: give it more carts")

    def _stories(self) -> dict[str, list[Any]]:
        stories: dict[str, list[Any]] = defaultdict(list)
        for recorded in self.store.read_all():
            stories[str(recorded.stream)].append(recorded.event)
        return stories

    def _serve(self, stop: Event) -> None:
        while not stop.wait(_BETWEEN_CUSTOMERS_SECONDS):
            self.store.append(StreamId("cart", str(next(self._numbers))), [NewEvent(CartCreated("Ana", "EUR"))])


def _pieces(state: cart.Cart) -> int:
    return sum(line.quantity for line in state.lines.values())


def _remove(store: SqlEventStore) -> None:
    # The lab may stop together with the program; then there is nothing to remove.
    with suppress(SQLAlchemyError), store.engine.begin() as connection:
        if store.schema:
            connection.execute(DropSchema(store.schema, cascade=True, if_exists=True))
    store.close()


def in_place(store: SqlEventStore, mended: View) -> None:
    """Rewind and replay in the tables that readers look at: no rows, checkpoint 0, and all events once more."""
    prefix = f'"{store.schema}".' if store.schema else ""
    mine = {"view": mended.name, "version": mended.version}
    with store.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        for table in mended.tables:
            connection.execute(text(f"DELETE FROM {prefix}{table.name}_v{mended.version}"))  # noqa: S608 (own names)
        rewind = f"UPDATE {prefix}view_checkpoints SET position = 0 WHERE view = :view AND version = :version"  # noqa: S608
        connection.execute(text(rewind), mine)
    Projector(store, mended).catch_up()


@dataclass(frozen=True)
class Timing:
    """How long a build took: ``points`` are events done and seconds, from the first batch on."""

    points: tuple[tuple[int, float], ...]

    @property
    def rate(self) -> float:
        """Events per second, over all."""
        events, seconds = self.points[-1]
        return events / seconds

    def seconds(self, events: int) -> float:
        """How long so many events would take at this rate."""
        return events / self.rate

    def table(self) -> pd.DataFrame:
        """A row per batch."""
        return pd.DataFrame(self.points, columns=["events", "seconds"]).round(3)

    def chart(self) -> Figure:
        """Time against the number of events."""
        frame = self.table()
        chart = altair.Chart(frame, width=WIDTH, height=HEIGHT).mark_line(point=True)
        events, seconds = self.points[-1]
        alt = f"A line from 0 to {events:,} events and {seconds:.2f} seconds: {self.rate:,.0f} events per second."
        return show.figure(chart.encode(x="events:Q", y="seconds:Q"), alt, frame)


def timed(store: SqlEventStore, mended: View) -> Timing:
    """Build the next version of ``mended`` beside all others, with a clock in hand, and throw it away again."""
    trial = view(changed, mended.version + 1)
    points: list[tuple[int, float]] = []
    began = time.monotonic()
    Projector(store, trial).catch_up(lambda done, _: points.append((done, time.monotonic() - began)))
    views.drop(store, trial)
    return Timing(tuple(points))
