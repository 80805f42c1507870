"""A shop that tells two systems of each order, its database and Kafka: to be run by actors, who may be killed in it.

Each ``way`` is a function of its own here, and comes to the steps that :data:`STEPS` names, in this order.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from eventlab.pitfalls import outbox
from eventlab.pitfalls.actors import Tell
from eventlab.pitfalls.record import Fact

Publish = Callable[[Fact], None]

STEPS: Mapping[str, Sequence[str]] = {
    "commit, then publish": ("begun", "inserted", "committed", "handed over", "acknowledged"),
    "publish, then commit": ("begun", "inserted", "handed over", "acknowledged", "committed"),
    "outbox": ("begun", "inserted", "added", "committed"),
    "listen to yourself": ("begun", "handed over", "acknowledged"),
}
LISTENING = ("received", "inserted", "committed")
_PATIENCE_SECONDS = 20.0
_PRODUCER = {
    "enable.idempotence": True,
    "max.in.flight": 1,
    "log_level": 0,
    # Longer than anybody stands still here: what was handed over has not left before `flush`, which does not wait.
    "linger.ms": 60_000,
}
_CONSUMER = {"enable.auto.commit": False, "auto.offset.reset": "error", "log_level": 0}


def make(database: Path) -> None:
    """The shop's database, in an SQLite file: its orders, its outbox, and how far it has listened to itself."""
    outbox.make(database)
    with closing(sqlite3.connect(database)) as made, made:
        made.execute("CREATE TABLE orders (id TEXT PRIMARY KEY, fact BLOB)")
        made.execute("CREATE TABLE heard AS SELECT 0 AS up_to")


def stored(database: Path) -> list[str]:
    """The orders that are in it."""
    with closing(sqlite3.connect(database)) as opened:
        return [id_ for (id_,) in opened.execute("SELECT id FROM orders ORDER BY id")]


def shop(tell: Tell, *, way: str, orders: Sequence[str], database: str, topic: str, config: Mapping[str, Any]) -> None:
    """Take ``orders``, facts as JSON, one after the other."""
    producer = Producer({**config, **_PRODUCER})
    producer.list_topics(topic, timeout=_PATIENCE_SECONDS)  # else librdkafka waits half a second for its producer id
    publish = partial(_publish, tell, producer, topic)
    with closing(sqlite3.connect(database, isolation_level=None)) as opened:
        for order in orders:
            _WAYS[way](tell, Fact(**msgspec.json.decode(order)), opened, publish)


def _commit_then_publish(tell: Tell, order: Fact, database: sqlite3.Connection, publish: Publish) -> None:
    _begin(tell, database)
    _insert(tell, database, order)
    _commit(tell, database)
    publish(order)


def _publish_then_commit(tell: Tell, order: Fact, database: sqlite3.Connection, publish: Publish) -> None:
    _begin(tell, database)
    _insert(tell, database, order)
    publish(order)
    _commit(tell, database)


def _to_the_outbox(tell: Tell, order: Fact, database: sqlite3.Connection, _: Publish) -> None:
    _begin(tell, database)
    _insert(tell, database, order)
    outbox.add(database, order)
    tell("added")
    _commit(tell, database)


def _publish_alone(tell: Tell, order: Fact, _: sqlite3.Connection, publish: Publish) -> None:
    tell("begun")
    publish(order)


_WAYS = {
    "commit, then publish": _commit_then_publish,
    "publish, then commit": _publish_then_commit,
    "outbox": _to_the_outbox,
    "listen to yourself": _publish_alone,
}


def listen(tell: Tell, *, database: str, topic: str, config: Mapping[str, Any]) -> None:
    """Write what the topic holds up to its present end into the database, from where it got: place and order together.

    It stands still at each of :data:`LISTENING`.
    """
    consumer = Consumer({**config, **_CONSUMER, "group.id": topic})
    with closing(sqlite3.connect(database, isolation_level=None)) as opened:
        (begin,) = opened.execute("SELECT up_to FROM heard").fetchone()
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), _PATIENCE_SECONDS)
        consumer.assign([TopicPartition(topic, 0, begin)])
        for offset in range(begin, end):
            message = consumer.poll(_PATIENCE_SECONDS)
            if message is None or message.error():
                raise KafkaException(message and message.error())
            tell("received", offset=offset)
            opened.execute("BEGIN IMMEDIATE")
            opened.execute("UPDATE heard SET up_to = ?", (message.offset() + 1,))
            _insert(tell, opened, Fact(**msgspec.json.decode(message.value())))
            _commit(tell, opened)
    consumer.close()


def _begin(tell: Tell, database: sqlite3.Connection) -> None:
    database.execute("BEGIN IMMEDIATE")
    tell("begun")


def _insert(tell: Tell, database: sqlite3.Connection, order: Fact) -> None:
    database.execute("INSERT INTO orders (id, fact) VALUES (?, ?)", (order.key, order.encode()))
    tell("inserted")


def _commit(tell: Tell, database: sqlite3.Connection) -> None:
    database.execute("COMMIT")
    tell("committed")


def _publish(tell: Tell, producer: Producer, topic: str, order: Fact) -> None:
    producer.produce(topic, order.encode(), order.key)
    tell("handed over")
    if producer.flush(_PATIENCE_SECONDS):
        raise RuntimeError(f"{order.key} was not acknowledged")
    tell("acknowledged")
