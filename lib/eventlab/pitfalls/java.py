"""What :mod:`eventlab.pitfalls.topics` does with librdkafka, done by Kafka's own Java producer and consumer."""

import time
from datetime import UTC, datetime
from typing import Any

import jpype

from eventlab.cluster import Kafka, LabError, jvm
from eventlab.pitfalls.record import Fact, Record

_PATIENCE_SECONDS = 20.0  # a broker that is alive answers within milliseconds
_POLL_SECONDS = 0.05
# As the other writer has it: more than one can lose the first records of a new topic (KAFKA-15591).
_PRODUCER = {"max.in.flight.requests.per.connection": 1}


class JavaWriter:
    """A Java producer for the facts of an experiment. What is not acknowledged raises LabError, at the end.

    ``settings`` are Java's; most of those that are not set are Java's defaults.
    """

    def __init__(self, kafka: Kafka, **settings: Any) -> None:
        self._producer = jvm.producer(kafka.config(**{**_PRODUCER, **settings}))
        self._on_their_way: list[Any] = []

    def send(self, topic: str, fact: Fact, key: str) -> None:
        """Send ``fact`` in a record with ``key``."""
        self._on_their_way.append(self._producer.send(jvm.record(topic, fact.encode(), key.encode())))

    def flush(self) -> None:
        """Wait until the broker has acknowledged all that was sent."""
        sent, self._on_their_way = self._on_their_way, []
        milliseconds = jpype.java.util.concurrent.TimeUnit.MILLISECONDS
        end = time.monotonic() + _PATIENCE_SECONDS
        try:
            for future in sent:
                future.get(max(0, round(1000 * (end - time.monotonic()))), milliseconds)
        except jpype.JException as error:
            raise LabError(f"The cluster refused a record of this experiment: {error.message() or error}.") from error

    def __enter__(self) -> "JavaWriter":
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        try:
            if failed is None:
                self.flush()
        finally:
            self._producer.close(jvm.duration(0))


def read_java(kafka: Kafka, topic: str, **settings: Any) -> tuple[Record, ...]:
    """All of ``topic`` as a fresh Java consumer with these ``settings`` gets it, one partition after the other.

    Raises LabError when the end is not reached in time.
    """
    consumer = jvm.consumer(kafka.config(**{"enable.auto.commit": False, **settings}))
    try:
        every = sorted(int(each.partition()) for each in consumer.partitionsFor(topic))
        found = [record for number in every for record in _until_end(consumer, jvm.partition(topic, number))]
    finally:
        consumer.close()
    return tuple(_record(order, record) for order, record in enumerate(found))


def _until_end(consumer: Any, where: Any) -> list[Any]:
    consumer.assign([where])
    consumer.seekToBeginning([where])
    end = consumer.endOffsets([where])[where]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    found: list[Any] = []
    while consumer.position(where) < end:
        if time.monotonic() > deadline:
            raise LabError(f"{where} was not read to its end within {_PATIENCE_SECONDS:g} s.")
        found += consumer.poll(jvm.duration(_POLL_SECONDS))
    return found


def _record(order: int, record: Any) -> Record:
    return Record.decode(
        bytes(record.value()),
        order=order,
        partition=int(record.partition()),
        offset=int(record.offset()),
        timestamp=datetime.fromtimestamp(record.timestamp() / 1000, UTC),
    )
