"""Those who read: a process that keeps a view of all bookings in an SQLite file, and is killed again and again."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message
from confluent_kafka import murmur2 as partition_of
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table

from eventlab.cluster import Kafka, LabError
from eventlab.events.envelope import Recorded
from eventlab.events.registry import TypeRegistry
from eventlab.pitfalls.actors import Tell
from eventlab.pitfalls.chaos.careless import CONSUMER
from eventlab.pitfalls.chaos.writers import PARTITIONS
from eventlab.pitfalls.record import Fact, Record
from eventlab.topics import Database, TopicProjector, log_events, wait_until
from eventlab.views import View, row_per_event

READER = "view"

_BATCH = 500
_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.1
_MEMBER = "bookkeeper"  # the same after a restart: it has its partitions back at once
# A row per booking that is applied, also if it was applied before: its number is not the booking's.
_APPLIED = Table(
    "applied",
    MetaData(),
    Column("number", Integer, primary_key=True),
    Column("partition", Integer),
    Column("offset", Integer),
    Column("milliseconds", Integer),
    Column("booking", LargeBinary),
)
_CARELESS_TABLES = """
CREATE TABLE IF NOT EXISTS applied (
    number INTEGER PRIMARY KEY, partition INTEGER, offset INTEGER, milliseconds INTEGER, booking BLOB
);
CREATE TABLE IF NOT EXISTS ended (partition INTEGER PRIMARY KEY, offset INTEGER NOT NULL);
"""
_APPLY = "INSERT INTO applied (partition, offset, milliseconds, booking) VALUES (?, ?, ?, ?)"


@dataclass(frozen=True)
class Reader:
    """``work`` is what its process does, with ``config``, ``topic``, ``group`` and the ``path`` of its file.

    ``await_end`` waits, in another process, until the view has got to these offsets, by partition.
    """

    work: Callable[..., None]
    await_end: Callable[[Kafka, str, Path, Mapping[int, int]], None]


def work_carefully(tell: Tell, *, config: Mapping[str, Any], topic: str, group: str, path: str) -> None:
    """As the library does it."""
    with closing(Database(f"sqlite:///{path}")) as home:
        _projector(Kafka(dict(config), None), topic, home, group=group, member=_MEMBER).run()


def _projector(kafka: Kafka, topic: str, home: Database, **member: Any) -> TopicProjector:
    view = View("bookings", (_APPLIED,), row_per_event(_APPLIED, {Fact: _row_of}))
    return TopicProjector(kafka, topic, home, view, read=log_events(TypeRegistry([Fact])), **member)


def _row_of(recorded: Recorded) -> Mapping[str, Any]:
    assert isinstance(recorded.event, Fact)
    return {
        "partition": partition_of(str(recorded.stream).encode(), PARTITIONS),
        "offset": recorded.position - 1,
        "milliseconds": round(1000 * recorded.recorded_time.timestamp()),
        "booking": recorded.event.encode(),
    }


def _await_checkpoints(kafka: Kafka, topic: str, path: Path, ends: Mapping[int, int]) -> None:
    with closing(Database(f"sqlite:///{path}")) as home:
        wait_until(_projector(kafka, topic, home), ends, _PATIENCE_SECONDS)


def work_carelessly(tell: Tell, *, config: Mapping[str, Any], topic: str, group: str, path: str) -> None:
    """In a group that commits by itself, by the clock, whatever has been handled by then."""
    view = _open(path)
    consumer = Consumer({**config, **CONSUMER, "enable.partition.eof": True, "group.id": group})
    consumer.subscribe([topic])
    while True:
        for message in _records(view, consumer.consume(_BATCH, _POLL_SECONDS)):
            row = message.partition(), message.offset(), message.timestamp()[1], message.value()
            view.execute(_APPLY, row)


def _open(path: str | Path) -> sqlite3.Connection:
    """Its file, made by whoever comes first."""
    view = sqlite3.connect(path, isolation_level=None)
    view.execute("PRAGMA journal_mode = WAL")  # whoever looks at it does not wait
    view.execute("PRAGMA synchronous = NORMAL")
    view.executescript(_CARELESS_TABLES)
    return view


def _records(view: sqlite3.Connection, batch: Iterable[Message]) -> Iterable[Message]:
    """Those of a batch that are records; notes where a partition ended."""
    for message in batch:
        error = message.error()
        if error is None:
            yield message
        elif error.code() == KafkaError._PARTITION_EOF:
            view.execute("INSERT OR REPLACE INTO ended VALUES (?, ?)", (message.partition(), message.offset()))


def _await_ends(kafka: Kafka, topic: str, path: Path, ends: Mapping[int, int]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with closing(_open(path)) as view:
        while True:
            there = dict(view.execute("SELECT partition, offset FROM ended"))
            if all(there.get(partition, 0) >= end for partition, end in ends.items()):
                return
            if time.monotonic() > deadline:
                raise LabError(f"The view did not get to {ends} within {_PATIENCE_SECONDS:g} s, but to {there}.")
            time.sleep(_LOOK_SECONDS)


CAREFUL = Reader(work_carefully, _await_checkpoints)
CARELESS = Reader(work_carelessly, _await_ends)


def count(path: Path) -> int:
    """How many rows the view has got so far."""
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as view:
        return int(view.execute("SELECT coalesce(max(number), 0) FROM applied").fetchone()[0])
    return 0  # nobody has made it yet


def applied(path: Path) -> tuple[Record, ...]:
    """All that the view applied, in its order."""
    with closing(sqlite3.connect(path)) as view:
        rows = view.execute("SELECT partition, offset, milliseconds, booking FROM applied ORDER BY number").fetchall()
    return tuple(
        Record.decode(
            booking,
            order=order,
            partition=partition,
            offset=offset,
            timestamp=datetime.fromtimestamp(milliseconds / 1000, UTC),
            reader=READER,
        )
        for order, (partition, offset, milliseconds, booking) in enumerate(rows)
    )
