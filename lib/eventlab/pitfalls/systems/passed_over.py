"""P36: a handler fails, the failure goes to a log file, and the checkpoint goes on: the event is never applied."""

import logging
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import UTC
from functools import wraps
from typing import Literal

from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, select

from eventlab.cluster import Kafka
from eventlab.domain.cart import EVENTS, ItemAdded, ItemRemoved, QuantityChanged
from eventlab.events.envelope import NewEvent, Recorded, StreamId
from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.record import Record
from eventlab.pitfalls.shoppers import events, fact, interleaved
from eventlab.store import SqlEventStore
from eventlab.views import Handler, HandlerFailed, Projector, Rows, View, lag, retry_parked

SHOPPERS = 20
# Grams of a piece. When the view was written, the shop had no socks.
_OLD: Mapping[str, int] = {"trousers": 500}
_MENDED: Mapping[str, int] = {**_OLD, "socks": 80}

OnFailure = Literal["log", "park", "stop"]

_LOG = logging.getLogger(__name__)
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False  # as in real life, nobody looks

LINES = Table(
    "parcel_lines",
    MetaData(),
    Column("position", Integer, primary_key=True),
    Column("cart", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("grams", Integer, nullable=False),
    Column("recorded", DateTime(timezone=True), nullable=False),
)


def run(kafka: Kafka, *, on_failure: OnFailure = "log", seed: int = 7) -> Result:
    """A shop keeps a view of what its parcels weigh, from the carts in its event store. Its handler knows no socks.

    So it fails at some events. A week later it is mended, started again, and gets to the end. ``on_failure``: what was
    done about a failure before: a line in the log file, and on to the next event; or the cart is set aside (parked),
    and tried again when the handler is mended; or the view stands still. The checkpoint moves in the transaction of
    the view's rows in each case. The store is SQLite's: no broker takes part, and ``kafka`` is left alone.
    """
    with tempfile.TemporaryDirectory() as directory, closing(SqlEventStore(f"sqlite:///{directory}/shop.db")) as store:
        sent = _shop(store, seed)
        mode: Literal["stop", "park"] = "park" if on_failure == "park" else "stop"
        with suppress(HandlerFailed):
            Projector(store, _view(_OLD, logs=on_failure == "log"), on_failure=mode).catch_up()
        mended = _view(_MENDED, logs=on_failure == "log")
        retry_parked(store, mended)
        Projector(store, mended, on_failure=mode).catch_up()
        behind = lag(store, mended)
        return PITFALL.result(_applied(store), sent, to_end=behind.events == behind.parked == 0)


def _shop(store: SqlEventStore, seed: int) -> list[Sent]:
    """Carts in the store, at the same time, and what their shop knows of them."""
    sent = []
    carts = [[(StreamId("cart", str(number)), event) for event in events(number)] for number in range(1, SHOPPERS + 1)]
    for stream, event in interleaved(carts, seed):
        appended = store.append(stream, [NewEvent(event)])
        sent.append(Sent(fact(str(stream), appended.versions[-1], event), "ok", 0, appended.positions[-1]))
    return sent


def _view(grams: Mapping[str, int], logs: bool) -> View:
    def weigh(rows: Rows, recorded: Recorded) -> None:
        event = recorded.event
        rows.add(
            LINES,
            {
                "position": recorded.position,
                "cart": str(recorded.stream),
                "version": recorded.version,
                "type": recorded.type,
                "what": str(event),
                "grams": _grams(event, grams),
                "recorded": recorded.recorded_time,
            },
        )

    return View("parcels", (LINES,), dict.fromkeys(EVENTS, log_and_go_on(weigh) if logs else weigh))


def _grams(event: object, grams: Mapping[str, int]) -> int:
    """How much heavier an event makes the parcel. Raises KeyError for a product whose weight is not known."""
    match event:
        case ItemAdded(product, quantity):
            return quantity * grams[product]
        case ItemRemoved(product, quantity):
            return -quantity * grams[product]
        case QuantityChanged(product, before, after):
            return (after - before) * grams[product]
    return 0


def log_and_go_on(handler: Handler) -> Handler:
    """What is meant to keep a view alive: a failure is noted, and forgotten."""

    @wraps(handler)
    def handle(rows: Rows, recorded: Recorded) -> None:
        try:
            handler(rows, recorded)
        except Exception:
            _LOG.exception("could not handle %s version %s", recorded.stream, recorded.version)

    return handle


def _applied(store: SqlEventStore) -> list[Record]:
    """The rows of the view, as anybody reads them who can read its table."""
    with store.engine.connect() as connection:
        rows = connection.execute(select(LINES).order_by(LINES.c.position)).all()
    return [
        Record(
            key=row.cart,
            version=row.version,
            type=row.type,
            label=row.what,
            producer="shop",
            order=order,
            partition=0,
            offset=row.position,
            timestamp=row.recorded.replace(tzinfo=UTC),  # SQLite keeps no time zones
        )
        for order, row in enumerate(rows)
    ]


PITFALL = Pitfall(
    id="P36",
    hypothesis="An event whose handler failed, and was logged, is never applied, not even when the handler is mended.",
    workload=f"{SHOPPERS} carts in an event store, and a view whose handler fails at one product until it is mended",
    metric=lost_writes,
    unit="carts have an event that the view never applied",
    run=run,
    broken={"on_failure": "log"},
    cured={"on_failure": "park"},
    seed=7,
    budget=5,
    brokers=1,
    sources=(
        "https://github.com/Eventuous/eventuous/issues/25",
        "https://github.com/factcast/factcast/issues/4127",
        "https://github.com/kurrent-io/KurrentDB/pull/1203",
    ),
)
