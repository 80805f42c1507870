"""The shop's end of its topics: how they are made, a producer, and a reader that no service knows of."""

import time
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from eventlab import settings
from eventlab.cluster import Kafka, LabError
from eventlab.services.team import Event

_PATIENCE_SECONDS = 20
_COPIES = 3  # one broker can be away and the others still hold two
_BATCH = 500
_BATCH_SECONDS = 0.05


def create(kafka: Kafka, what: str, partitions: int) -> str:
    """A topic that holds events, with three copies where there are three brokers. Raises LabError."""
    try:
        brokers = kafka.admin.list_topics(timeout=_PATIENCE_SECONDS).brokers
    except KafkaException as error:
        raise LabError(f"The cluster did not say how many brokers it has: {error.args[0].str()}") from error
    copies = min(_COPIES, len(brokers))
    return kafka.topic(what, partitions, copies, **settings.topic(copies))


class Writer:
    """Writes events to ``topic``, keyed by what they are about, the name of the type in a header."""

    def __init__(self, kafka: Kafka, topic: str) -> None:
        self._producer, self._topic = Producer(kafka.config(**settings.producer())), topic
        self._failed: list[KafkaError] = []

    def send(self, event: Event) -> None:
        """Send one; :meth:`flush` waits for it."""
        headers = {"type": event.type}
        self._producer.produce(self._topic, event.data, event.key, headers=headers, on_delivery=self._heard)

    def _heard(self, error: KafkaError | None, _: object) -> None:
        if error is not None:
            self._failed.append(error)

    def flush(self) -> None:
        """Wait until all is acknowledged. Raises LabError when it is not."""
        silent = self._producer.flush(_PATIENCE_SECONDS)
        if self._failed or silent:
            why = self._failed[0].str() if self._failed else f"no answer within {_PATIENCE_SECONDS} s"
            raise LabError(f"The cluster did not take the shop's events: {why}. `eventlab status` says how it is.")

    def close(self) -> None:
        """Give up the connection."""
        self._producer.close()


def read(kafka: Kafka, topic: str) -> Iterator[Event]:
    """All that is in ``topic``, by a fresh consumer; each partition in its order. Raises LabError."""
    consumer = Consumer(kafka.config(**settings.consumer(kafka.name("reader"), **{"fetch.wait.max.ms": 10})))
    try:
        partitions = consumer.list_topics(topic, _PATIENCE_SECONDS).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        unread, deadline = set(partitions), time.monotonic() + _PATIENCE_SECONDS
        while unread:
            if time.monotonic() > deadline:
                raise LabError(f"{topic} was not read to its end within {_PATIENCE_SECONDS} s.")
            for message in consumer.consume(_BATCH, _BATCH_SECONDS):
                error = message.error()
                if error is None:
                    yield Event(message.key().decode(), dict(message.headers())["type"].decode(), message.value())
                elif error.code() == KafkaError._PARTITION_EOF:
                    unread.discard(message.partition())
                else:
                    raise LabError(f"{topic} could not be read: {error.str()}.")
    finally:
        consumer.close()
