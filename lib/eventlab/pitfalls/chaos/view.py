"""Those who read: a process that keeps a view of all bookings in an SQLite file, and is killed again and again."""

import sqlite3
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from eventlab.cluster import LabError
from eventlab.pitfalls.actors import Tell
from eventlab.pitfalls.record import Record

READER = "view"

_BATCH = 500
_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 90.0
_LOOK_SECONDS = 0.1
_TABLES = """
CREATE TABLE IF NOT EXISTS applied (
    number INTEGER PRIMARY KEY, partition INTEGER, offset INTEGER, milliseconds INTEGER, booking BLOB
);
CREATE TABLE IF NOT EXISTS checkpoint (partition INTEGER PRIMARY KEY, offset INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS ended (partition INTEGER PRIMARY KEY, offset INTEGER NOT NULL);
"""
_APPLY = "INSERT INTO applied (partition, offset, milliseconds, booking) VALUES (?, ?, ?, ?)"
_CONSUMER = {
    "enable.partition.eof": True,
    "isolation.level": "read_committed",
    "fetch.wait.max.ms": 100,
    "log_level": 0,
}
_SESSION_MS = 3000  # how long the group waits for a member that was killed; 45 s by default


def careful(tell: Tell, *, config: Mapping[str, Any], topic: str, group: str, path: str) -> None:
    """Rows and checkpoint stand or fall together; a partition is read on from the view's own checkpoint."""
    view = _open(path)
    settings = {"enable.auto.commit": False, "auto.offset.reset": "error", "group.id": group}
    consumer = Consumer({**config, **_CONSUMER, **settings})
    partitions = consumer.list_topics(topic, _PATIENCE_SECONDS).topics[topic].partitions
    stands = dict(view.execute("SELECT partition, offset FROM checkpoint"))
    consumer.assign([TopicPartition(topic, number, stands.get(number, 0)) for number in partitions])
    while True:
        batch = consumer.consume(_BATCH, _POLL_SECONDS)
        view.execute("BEGIN IMMEDIATE")
        for message in _records(view, batch):
            view.execute(_APPLY, _row(message))
            view.execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?)", (message.partition(), message.offset() + 1))
        view.execute("COMMIT")


def careless(tell: Tell, *, config: Mapping[str, Any], topic: str, group: str, path: str) -> None:
    """In a group that commits by itself, by the clock, whatever has been handled by then."""
    view = _open(path)
    settings = {"auto.offset.reset": "earliest", "group.id": group, "session.timeout.ms": _SESSION_MS}
    consumer = Consumer({**config, **_CONSUMER, **settings})
    consumer.subscribe([topic])
    while True:
        for message in _records(view, consumer.consume(_BATCH, _POLL_SECONDS)):
            view.execute(_APPLY, _row(message))


def _records(view: sqlite3.Connection, batch: Iterable[Message]) -> Iterable[Message]:
    """Those of a batch that are records; notes where a partition ended. Raises LabError for what cannot be read on."""
    for message in batch:
        error = message.error()
        if error is None:
            yield message
        elif error.code() == KafkaError._PARTITION_EOF:
            view.execute("INSERT OR REPLACE INTO ended VALUES (?, ?)", (message.partition(), message.offset()))
        elif error.fatal() or error.code() == KafkaError._AUTO_OFFSET_RESET:
            raise LabError(f"The view cannot read on: {error.str()}.")


def _row(message: Message) -> tuple[int, int, int, bytes]:
    return message.partition(), message.offset(), message.timestamp()[1], message.value()


def _open(path: str) -> sqlite3.Connection:
    view = sqlite3.connect(path, isolation_level=None)
    view.execute("PRAGMA journal_mode = WAL")  # whoever looks at it does not wait
    view.execute("PRAGMA synchronous = NORMAL")
    view.executescript(_TABLES)
    return view


def await_end(path: Path, ends: Mapping[int, int]) -> None:
    """Wait until the view has got to ``ends``. Raises LabError when it takes too long."""
    view = _open(str(path))
    deadline = time.monotonic() + _PATIENCE_SECONDS
    try:
        while True:
            there = dict(view.execute("SELECT partition, offset FROM ended"))
            if all(there.get(partition, 0) >= end for partition, end in ends.items()):
                return
            if time.monotonic() > deadline:
                raise LabError(f"The view did not get to {ends} within {_PATIENCE_SECONDS:g} s, but to {there}.")
            time.sleep(_LOOK_SECONDS)
    finally:
        view.close()


def applied(path: Path) -> tuple[Record, ...]:
    """All that the view applied, in its order."""
    view = _open(str(path))
    try:
        rows = view.execute("SELECT partition, offset, milliseconds, booking FROM applied ORDER BY number").fetchall()
    finally:
        view.close()
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
