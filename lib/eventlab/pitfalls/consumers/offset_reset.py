"""P19: where a group begins that has no place of its own, or whose place the topic has no more."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from eventlab.cluster import Kafka, LabError
from eventlab.cluster.clients import await_futures
from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.record import Fact, Record
from eventlab.pitfalls.shoppers import interleaved, stories
from eventlab.pitfalls.topics import Writer, record

SHOPPERS = 20
Reset = Literal["latest", "earliest", "error"]

_PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.05
_MEMBER = {
    "enable.auto.commit": False,  # the experiment says when: another pitfall is about that
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 10,  # the end of the partition shows sooner
    "log_level": 0,  # what goes wrong is raised
}


def run(kafka: Kafka, *, reset: Literal["latest", "earliest"] = "latest", seed: int = 7) -> Result:
    """Shoppers fill and buy their carts. Half way a new service starts to read them, as a group of its own.

    ``reset``: the service's ``auto.offset.reset``. It is what librdkafka and Java take unless told otherwise, or the
    beginning of the topic.
    """
    topic = kafka.topic("carts")
    events = interleaved(stories(SHOPPERS), seed)
    half = len(events) // 2
    _write(kafka, topic, events[:half])
    with _member(kafka, topic, kafka.group("service"), reset) as service:
        found = _until_end(service, topic)
        _write(kafka, topic, events[half:])
        found += _until_end(service, topic)
    return PITFALL.result(_records(found), [Sent(fact, "ok") for fact in events])


def returned(kafka: Kafka, *, reset: Reset = "latest", seed: int = 7) -> Result:
    """The service has read a third of the events and noted how far it got; then it is away, and the topic forgets.

    When it comes back, its place in the topic is gone: a quarter of all events are deleted that it had not read, and
    some that it had not read either are still there. ``reset``: as for :func:`run`; with ``error`` it raises LabError.
    """
    topic, group = kafka.topic("carts"), kafka.group("service")
    events = interleaved(stories(SHOPPERS), seed)
    third, forgotten = len(events) // 3, len(events) // 3 + len(events) // 4
    _write(kafka, topic, events[:third])
    with _member(kafka, topic, group, "earliest") as service:
        found = _until_end(service, topic)
        service.commit(asynchronous=False)
    _write(kafka, topic, events[third : 2 * third])
    deleted = kafka.admin.delete_records([TopicPartition(topic, 0, forgotten)], request_timeout=_PATIENCE_SECONDS)
    await_futures(deleted)
    with _member(kafka, topic, group, reset) as service:
        found += _until_end(service, topic)
        _write(kafka, topic, events[2 * third :])
        found += _until_end(service, topic)
    return PITFALL.result(_records(found), [Sent(fact, "ok") for fact in events])


def _write(kafka: Kafka, topic: str, events: list[Fact]) -> None:
    with Writer(kafka) as shop:
        for fact in events:
            shop.send(topic, fact, fact.key)


@contextmanager
def _member(kafka: Kafka, topic: str, group: str, reset: Reset) -> Iterator[Consumer]:
    """The only member of ``group``, subscribed to ``topic``."""
    consumer = Consumer(kafka.config(**_MEMBER, **{"group.id": group, "auto.offset.reset": reset}))
    try:
        consumer.subscribe([topic])
        yield consumer
    finally:
        consumer.close()


def _until_end(service: Consumer, topic: str) -> list[Message]:
    """What the service reads until it is at the end that the topic has now. Raises LabError when it stops before."""
    _, end = service.get_watermark_offsets(TopicPartition(topic, 0), _PATIENCE_SECONDS)
    found: list[Message] = []
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        message = service.poll(_POLL_SECONDS)
        if message is None:
            continue
        error = message.error()
        if error is None:
            found.append(message)
        elif error.code() != KafkaError._PARTITION_EOF:
            raise LabError(f"The service stopped: {error.str()}")
        elif message.offset() >= end:  # an earlier end may have been told, too
            return found
    raise LabError(f"The service was not at the end of its partition within {_PATIENCE_SECONDS:g} s.")


def _records(found: Iterable[Message]) -> list[Record]:
    return [record(message, order) for order, message in enumerate(found)]


PITFALL = Pitfall(
    id="P19",
    hypothesis="A new group begins behind what is there already, and nobody tells it that there was something.",
    workload=f"{SHOPPERS} shoppers at the same time, and a service that starts to read when half is written",
    metric=lost_writes,
    unit="carts have events that the service never got",
    run=run,
    broken={"reset": "latest"},
    cured={"reset": "earliest"},
    seed=7,
    budget=10,
    brokers=1,
    sources=(
        "https://github.com/apache/pinot/pull/19359",
        "https://github.com/eclipse-hono/hono/issues/2903",
        "https://github.com/skroutz/rafka/issues/52",
        "https://github.com/apache/kafka/pull/22784",
    ),
)
