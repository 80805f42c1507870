"""Writing facts to a topic and reading all of it: the two clients that the experiments share."""

import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, Producer, TopicPartition

from eventlab.cluster import Kafka, LabError
from eventlab.cluster.ends import ends
from eventlab.pitfalls.record import Record

_PATIENCE_SECONDS = 20.0  # a broker that is alive answers within milliseconds
_PRODUCER = {
    "enable.idempotence": True,  # off by default in librdkafka: a retry could reorder, which is another pitfall
    "acks": "all",
    # Five requests in flight, the default, can lose the first records of a new topic although all are acknowledged:
    # KAFKA-15591, which Kafka 4.5 mends (https://github.com/apache/kafka/pull/23234).
    "max.in.flight": 1,
    "partitioner": "murmur2_random",  # the Java client's; librdkafka's own would put the same key elsewhere
    "linger.ms": 0,
    "log_level": 3,  # errors: a broker that has just started makes an idempotent producer wait, which is no news
}
_CONSUMER = {
    "enable.auto.commit": False,  # partitions are assigned by hand: no group, nothing to commit
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 10,  # how long the broker waits for news at the end of a partition: the end shows sooner
    "auto.offset.reset": "error",
}
_BATCH = 500  # records per call; the fastest size, and no longer a wait than the next line says
_BATCH_SECONDS = 0.05
_POLL_SECONDS = 0.01

T = TypeVar("T")


class Encoded(Protocol):
    """What can be the value of a record."""

    def encode(self) -> bytes:
        """Its bytes."""
        ...


class Writer:
    """A producer for the facts of an experiment. What is not acknowledged raises LabError, at the end at the latest.

    ``settings`` are librdkafka's, over those that every experiment shares.
    """

    def __init__(self, kafka: Kafka, **settings: Any) -> None:
        self._producer = Producer(kafka.config(**{**_PRODUCER, **settings}))
        # Connected before the first record: else librdkafka lets half a second pass until it asks for a producer id.
        self._producer.list_topics(timeout=_PATIENCE_SECONDS)
        self._failed: list[KafkaError] = []

    def send(self, topic: str, fact: Encoded, key: str | None, at: datetime | None = None) -> None:
        """Send ``fact`` in a record with ``key``; ``at`` is what the producer's clock says, by default the time."""
        stamp = {} if at is None else {"timestamp": round(at.timestamp() * 1000)}
        self._producer.produce(topic, fact.encode(), key, on_delivery=self._heard, **stamp)

    def forward(self, message: Message, topic: str) -> None:
        """Send what ``message`` holds to another topic: the same key, and the same value, readable or not."""
        self._producer.produce(topic, message.value(), message.key(), on_delivery=self._heard)

    def _heard(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._failed.append(error)

    def flush(self) -> None:
        """Wait until the broker has acknowledged all that was sent."""
        silent = self._producer.flush(_PATIENCE_SECONDS)
        if self._failed:
            raise LabError(f"The cluster refused a record of this experiment: {self._failed[0].str()}.")
        if silent:
            raise LabError(
                f"The cluster did not acknowledge {silent} records of this experiment within {_PATIENCE_SECONDS:g} s. "
                "`eventlab status` says whether its brokers run."
            )

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        try:
            if failed is None:
                self.flush()
        finally:
            self.close()

    def close(self) -> None:
        """Leave; what was not flushed may be lost."""
        self._producer.close()


def read(
    kafka: Kafka, topic: str, last: Collection[int] = (), since: datetime | None = None, **settings: Any
) -> tuple[Record, ...]:
    """All of ``topic`` as :func:`messages` gives it, and what it says."""
    found = messages(kafka, topic, last, since, **settings)
    return tuple(record(message, order) for order, message in enumerate(found))


def messages(
    kafka: Kafka, topic: str, last: Collection[int] = (), since: datetime | None = None, **settings: Any
) -> list[Message]:
    """All of ``topic`` as a fresh consumer gets it: partition 0 to its end, then 1, …; ``last`` after the others.

    ``since``: not from the beginning of each partition, but from where the broker says that this time is: at the first
    record whose own time is not before it. ``settings`` are librdkafka's, over those that every experiment shares. Its
    ``isolation.level`` is, unless told otherwise, ``read_committed``: the end is where the first transaction begins
    that is still open.

    A consumer that catches up does get one partition after the other; which one comes first is chance, and depends on
    which leader is slow or moving, and on which consumer lags. Here it is fixed, so that a run can be repeated.
    Raises LabError when the end is not reached in time.
    """
    consumer = Consumer(kafka.config(**{**_CONSUMER, "group.id": kafka.name("reader"), **settings}))
    found: list[Message] = []
    try:
        every = _ask(topic, lambda: consumer.list_topics(topic, _PATIENCE_SECONDS)).topics[topic].partitions
        for partition in sorted(every, key=lambda partition: (partition in last, partition)):
            found += _until_end(consumer, TopicPartition(topic, partition), since)
    finally:
        consumer.close()
    return found


def record(message: Message, order: int, reader: str = "") -> Record:
    """What ``message`` holds, as the ``order``-th that ``reader`` got or applied."""
    _, milliseconds = message.timestamp()
    return Record.decode(
        message.value(),
        order=order,
        partition=message.partition(),
        offset=message.offset(),
        timestamp=datetime.fromtimestamp(milliseconds / 1000, UTC),
        reader=reader,
    )


def await_stable(kafka: Kafka, topic: str, seconds: float = _PATIENCE_SECONDS) -> bool:
    """Wait until no transaction is open in ``topic``: until, in each partition, the last stable offset is the end.

    A commit is acknowledged a moment before its markers are written, and until then a reader does not get its records.
    False: after ``seconds`` one was still open.
    """
    deadline = time.monotonic() + seconds
    while ends(kafka, topic, IsolationLevel.READ_COMMITTED) != ends(kafka, topic, IsolationLevel.READ_UNCOMMITTED):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _until_end(consumer: Consumer, where: TopicPartition, since: datetime | None) -> list[Message]:
    name = f"{where.topic} [{where.partition}]"
    first, end = _ask(name, lambda: consumer.get_watermark_offsets(where, _PATIENCE_SECONDS))
    if since is not None:
        asked = TopicPartition(where.topic, where.partition, round(since.timestamp() * 1000))
        [found_at] = _ask(name, lambda: consumer.offsets_for_times([asked], _PATIENCE_SECONDS))
        first = found_at.offset if found_at.offset >= 0 else end  # without an offset: no record is that young
    where.offset = first
    consumer.assign([where])
    deadline = time.monotonic() + _PATIENCE_SECONDS
    found: list[Message] = []
    while time.monotonic() < deadline:
        # All that is left and the mark of the end: asking for no more than comes, a call does not wait in vain.
        left = end - (found[-1].offset() + 1 if found else first) + 1
        for message in consumer.consume(min(left, _BATCH), _BATCH_SECONDS):
            error = message.error()
            if error is None:
                found.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                return found
            else:
                raise LabError(f"{name} could not be read: {error.str()}.")
    raise LabError(f"{name} was not read to its end within {_PATIENCE_SECONDS:g} s.")


def _ask(name: str, question: Callable[[], T]) -> T:
    """What the cluster answers; asked again for a while, since a broker may have died and another take the lead."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return question()
        except KafkaException as error:
            if time.monotonic() > deadline:
                raise LabError(f"{name} could not be read: {error.args[0].str()}.") from error
            time.sleep(_POLL_SECONDS)
