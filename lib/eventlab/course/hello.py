"""The first record of the first lesson: sent, acknowledged, read back."""

import time
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from eventlab.show import markup

_PATIENCE_SECONDS = 15.0  # far longer than a healthy broker needs, also one at the other end of a network


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the broker keeps it. Topic, partition and offset are its address."""

    topic: str
    partition: int
    offset: int
    time: datetime
    text: str

    def _repr_html_(self) -> str:
        return markup.sheet([field.name for field in fields(self)], [astuple(self)])


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A record that went to the broker and back, and how long that took, connecting included."""

    record: Record
    milliseconds: int


def round_trip(kafka: Any, topic: str, text: str) -> RoundTrip:
    """Send ``text`` to ``topic``, wait until the broker has acknowledged it, and read it back by its address.

    Raises TimeoutError when the broker does not answer, KafkaException when it refuses the record.
    """
    began = time.perf_counter()
    where = _send(kafka, topic, text)
    record = read(kafka, topic, where.offset(), where.partition())
    return RoundTrip(record, round((time.perf_counter() - began) * 1000))


def _send(kafka: Any, topic: str, text: str) -> Any:
    reports: list[tuple[Any, Any]] = []
    producer = Producer(kafka.config())
    producer.produce(topic, value=text.encode(), on_delivery=lambda error, message: reports.append((error, message)))
    producer.flush(_PATIENCE_SECONDS)
    if not reports:
        raise TimeoutError(f"no acknowledgement from {kafka.bootstrap} within {_PATIENCE_SECONDS:g} s")
    error, message = reports[0]
    if error is not None:
        raise KafkaException(error)
    return message


def read(kafka: Any, topic: str, offset: int, partition: int = 0) -> Record:
    """The record at an offset. Raises TimeoutError when there is none, or the broker does not answer."""
    consumer = Consumer(kafka.config(**{"group.id": kafka.name("hello"), "enable.auto.commit": False}))
    try:
        consumer.assign([TopicPartition(topic, partition, offset)])
        message: Any = consumer.poll(_PATIENCE_SECONDS)
    finally:
        consumer.close()
    if message is None:
        raise TimeoutError(f"no record at offset {offset} of {topic} within {_PATIENCE_SECONDS:g} s")
    if message.error() is not None:
        raise KafkaException(message.error())
    _, milliseconds = message.timestamp()
    when = datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    return Record(topic, message.partition(), message.offset(), when, message.value().decode())
