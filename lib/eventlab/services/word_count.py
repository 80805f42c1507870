"""A service that counts the words of a topic, and five ways to keep what it has done: lesson 12 kills it.

It has a database of its own, and a group in Kafka: either can hold the counts, and how far it is.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

BATCH = 100  # records
_PATIENCE_SECONDS = 20.0
_LOOK_SECONDS = 0.1
_TABLES = """
CREATE TABLE IF NOT EXISTS counts (word TEXT PRIMARY KEY, times INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS offsets (partition INTEGER PRIMARY KEY, next INTEGER NOT NULL);
"""
ADD = "INSERT INTO counts VALUES (?, ?) ON CONFLICT (word) DO UPDATE SET times = times + excluded.times"
MOVE = "INSERT INTO offsets VALUES (?, ?) ON CONFLICT (partition) DO UPDATE SET next = excluded.next"

Words = Mapping[str, int]  # how often each was found in a batch
Offsets = Mapping[int, int]  # the next record of each partition


@dataclass(frozen=True, slots=True)
class Desk:
    """What a way of keeping works with: a dict, a database, Kafka's offsets, and the point where it may be killed.

    What is written to ``database`` in a ``with`` block is written as a whole, or not at all.
    """

    database: sqlite3.Connection
    commit: Callable[[Offsets], None]
    between: Callable[[], None]
    memory: Counter[str] = field(default_factory=Counter)


def in_memory(desk: Desk, words: Words, offsets: Offsets) -> None:
    """Counts in a dict, then offsets in Kafka."""
    desk.memory.update(words)
    desk.between()
    desk.commit(offsets)


def auto_commit(desk: Desk, words: Words, offsets: Offsets) -> None:
    """Counts in a table; the client commits offsets to Kafka by itself, every so often."""
    with desk.database:
        desk.database.executemany(ADD, words.items())
    desk.between()


def offsets_first(desk: Desk, words: Words, offsets: Offsets) -> None:
    """Offsets in Kafka, then counts in a table."""
    desk.commit(offsets)
    desk.between()
    with desk.database:
        desk.database.executemany(ADD, words.items())


def counts_first(desk: Desk, words: Words, offsets: Offsets) -> None:
    """Counts in a table, then offsets in Kafka."""
    with desk.database:
        desk.database.executemany(ADD, words.items())
    desk.between()
    desk.commit(offsets)


def together(desk: Desk, words: Words, offsets: Offsets) -> None:
    """Counts and offsets in one database, in one transaction."""
    with desk.database:
        desk.database.executemany(ADD, words.items())
        desk.between()
        desk.database.executemany(MOVE, offsets.items())


Keep = Callable[[Desk, Words, Offsets], None]
WAYS: dict[str, Keep] = {
    way.__name__.replace("_", " "): way for way in (in_memory, auto_commit, offsets_first, counts_first, together)
}


def words(texts: Iterable[str]) -> Counter[str]:
    """How often each word is in these texts."""
    return Counter(word for text in texts for word in text.split())


def open_database(path: str) -> sqlite3.Connection:
    """The database with its two tables, made if they are not there."""
    database = sqlite3.connect(path)
    database.executescript(_TABLES)
    return database


def work(tell: Callable[..., None], config: dict[str, Any], topic: str, group: str, path: str, way: str) -> None:
    """The program: read a batch, count its words, keep the result the chosen ``way``, until nothing is left to read.

    It can be killed at the step ``between``, with which batch of this run it is in, and at ``done``, with its counts.
    """
    keep = WAYS[way]
    consumer = Consumer(
        {
            **config,
            "group.id": group,
            # A member with a name of its own takes its partitions back at once. Without, they would stay with the
            # killed one until the group has missed its heartbeat for 45 s.
            "group.instance.id": "counter",
            "enable.auto.commit": keep is auto_commit,
            # 5 s by default; so long that the timer does not strike by chance while somebody looks.
            "auto.commit.interval.ms": 600_000,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 10,  # a few hundred records, not a stream: nothing is gained by waiting for more
        }
    )
    next_: dict[int, int] = {}
    end: dict[int, int] = {}

    def go_on(_: Consumer, partitions: list[TopicPartition]) -> None:
        """Where the last one stopped: from the table for the way that has it there, otherwise from Kafka."""
        if keep is together:
            kept = dict(database.execute("SELECT partition, next FROM offsets"))
        else:
            committed = consumer.committed(partitions, _PATIENCE_SECONDS)
            kept = {place.partition: place.offset for place in committed if place.offset >= 0}
        for place in partitions:
            next_[place.partition] = place.offset = kept.get(place.partition, 0)
            end[place.partition] = consumer.get_watermark_offsets(place, _PATIENCE_SECONDS)[1]
        consumer.assign(partitions)

    def commit(offsets: Offsets) -> None:
        consumer.commit(offsets=[TopicPartition(topic, *place) for place in offsets.items()], asynchronous=False)

    with closing(open_database(path)) as database:
        desk = Desk(database, commit, lambda: tell("between"))
        consumer.subscribe([topic], on_assign=go_on)
        batch: list[Message] = []
        while not end or sum(next_.values()) < sum(end.values()):
            batch += _records(consumer.consume(BATCH - len(batch), _LOOK_SECONDS))
            if batch and len(batch) >= min(BATCH, sum(end.values()) - sum(next_.values())):
                next_.update((message.partition(), message.offset() + 1) for message in batch)
                keep(desk, words(message.value().decode() for message in batch), next_)
                batch.clear()
        counts = desk.memory if keep is in_memory else dict(database.execute("SELECT word, times FROM counts"))
        tell("done", counts=counts)
    consumer.close()


def _records(messages: Iterable[Message]) -> list[Message]:
    found = list(messages)
    for message in found:
        if message.error():
            raise KafkaException(message.error())
    return found
