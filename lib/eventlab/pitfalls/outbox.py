"""An outbox, and the process that sends what it holds to Kafka: to be run by an actor, who may be killed in it."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from eventlab.pitfalls.actors import Tell
from eventlab.pitfalls.record import Fact

_PATIENCE_SECONDS = 20.0
_BATCH = 25  # events that the relay sends between two looks at the outbox


def make(outbox: Path) -> None:
    """Make one in an SQLite file: events in the order of their transactions, and a mark up to which they were sent."""
    with closing(sqlite3.connect(outbox)) as database, database:
        database.execute("CREATE TABLE event (position INTEGER PRIMARY KEY, key TEXT, fact BLOB)")
        database.execute("CREATE TABLE sent AS SELECT 0 AS up_to")


def add(database: sqlite3.Connection, fact: Fact) -> None:
    """Put an event into it, in the transaction that ``database`` is in."""
    database.execute("INSERT INTO event (key, fact) VALUES (?, ?)", (fact.key, fact.encode()))


def fill(outbox: Path, facts: Iterable[Fact]) -> None:
    """Make one that holds ``facts`` already."""
    make(outbox)
    with closing(sqlite3.connect(outbox)) as database, database:
        for fact in facts:
            add(database, fact)


def relay(tell: Tell, *, outbox: str, topic: str, config: Mapping[str, Any]) -> None:
    """Send what lies beyond the mark, batch by batch; when a batch is acknowledged, move the mark behind it.

    It stands still at ``acknowledged`` (of these ``positions``, at these ``offsets``), and at ``noted``.
    """
    producer = Producer(dict(config))
    producer.list_topics(topic, timeout=_PATIENCE_SECONDS)  # else librdkafka waits half a second for its producer id
    with closing(sqlite3.connect(outbox)) as database:
        while batch := database.execute(_NEXT, (_BATCH,)).fetchall():
            offsets: list[int] = []
            for _, key, fact in batch:
                producer.produce(topic, fact, key, on_delivery=_noting(offsets))
            producer.flush(_PATIENCE_SECONDS)
            if len(offsets) < len(batch):
                raise RuntimeError(f"{len(batch) - len(offsets)} events of the outbox were not acknowledged")
            positions = [position for position, _, _ in batch]
            tell("acknowledged", positions=positions, offsets=offsets)
            with database:
                database.execute("UPDATE sent SET up_to = ?", (positions[-1],))
            tell("noted", up_to=positions[-1])


_NEXT = "SELECT position, key, fact FROM event WHERE position > (SELECT up_to FROM sent) ORDER BY position LIMIT ?"


def _noting(offsets: list[int]) -> Any:
    def heard(error: KafkaError | None, message: Message) -> None:
        if error is None:
            offsets.append(message.offset())

    return heard
