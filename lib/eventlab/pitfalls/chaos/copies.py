"""Those who pass on: a process that copies every booking into another topic, and is killed again and again."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer, Producer

from eventlab import topics
from eventlab.cluster import Kafka, LabError
from eventlab.cluster.scan import Scan
from eventlab.pitfalls.actors import Tell
from eventlab.pitfalls.chaos.careless import CONSUMER
from eventlab.pitfalls.record import Fact, Record

_BATCH = 500
_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.1
_MEMBER = "copyist"  # the same after a restart: it has its partitions back at once

Copyist = Callable[..., None]
"""What its process does: ``(tell, config, source, target, group)``."""


def copy_carefully(tell: Tell, *, config: Mapping[str, Any], source: str, target: str, group: str) -> None:
    """As the library does it."""

    def copied(record: topics.Record) -> Iterable[topics.Output]:
        return [topics.Output(target, record.key, record.value)]

    topics.Pipeline(Kafka(dict(config), None), source, group, copied, member=_MEMBER).run()


def copy_carelessly(tell: Tell, *, config: Mapping[str, Any], source: str, target: str, group: str) -> None:
    """In a group that commits by itself, by the clock, whatever became of the copies by then."""
    consumer = Consumer({**config, **CONSUMER, "group.id": group})
    producer = Producer({**config, "acks": "1", "log_level": 0})
    consumer.subscribe([source])
    while True:
        for message in consumer.consume(_BATCH, _POLL_SECONDS):
            if message.error() is None:
                _produce(producer, target, message.value(), message.key())
        producer.poll(0)


def _produce(producer: Producer, target: str, value: bytes, key: bytes) -> None:
    while True:
        try:
            return producer.produce(target, value, key)  # type: ignore[no-any-return]
        except BufferError:
            producer.poll(_POLL_SECONDS)


def await_copied(kafka: Kafka, target: str, records: Iterable[Record]) -> None:
    """Wait until ``target`` has the last of ``records`` of each partition of the source: all before it were read then.

    Raises LabError when it does not get there.
    """
    last = {record.fact for record in {record.partition: record for record in records}.values()}
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while missing := last - {Fact.of(message.value()) for batch in Scan(kafka, target) for message in batch}:
        if time.monotonic() > deadline:
            raise LabError(
                f"After {_PATIENCE_SECONDS:g} s these were not copied: {', '.join(each.id for each in missing)}."
            )
        time.sleep(_LOOK_SECONDS)
