"""Readers of both topics: one that is there when things happen, and one that comes later."""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from eventlab.cluster import Kafka, LabError
from eventlab.pitfalls.consumers.two_topics.bank import BETWEEN_EVENTS, Event, Topic
from eventlab.pitfalls.topics import Writer

_PATIENCE_SECONDS = 20.0
_CONSUMER = {
    "enable.auto.commit": False,  # partitions are assigned by hand: no group, nothing to commit
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 10,  # at the end of a topic, the broker waits no longer for news
    "auto.offset.reset": "error",
}
# The clock of the payments' service is slow. What the records say of the time differs from what happened.
_SLOW = {"accounts": timedelta(0), "payments": timedelta(seconds=1)}

_TOPICS = 2

Topics = Mapping[Topic, str]
"""The real name of each."""


def live(kafka: Kafka, topics: Topics, day: Sequence[Event]) -> Iterator[Message]:
    """Have both services write what happens, and read each event before the next one happens."""
    opening = datetime.now(UTC)
    with Writer(kafka) as services, closing(_consumer(kafka)) as reader:
        reader.assign([TopicPartition(topic, 0, 0) for topic in topics.values()])
        for number, event in enumerate(day):
            at = opening + number * BETWEEN_EVENTS - _SLOW[event.topic]
            services.send(topics[event.topic], event, event.account, at)
            services.flush()
            yield _next(reader)


def replay(kafka: Kafka, topics: Topics, late: Topic) -> Iterator[Message]:
    """Read both topics from the beginning; ``late`` is the one that comes when the other was read to its end.

    A reader that catches up gets each topic in large pieces. Which of them comes first, and how far, is chance: it
    depends on which leader is slow and how much it sends at once. Pausing a partition fixes that for a run.
    """
    partitions: dict[Topic, TopicPartition] = {topic: TopicPartition(name, 0, 0) for topic, name in topics.items()}
    with closing(_consumer(kafka)) as reader:
        reader.assign(list(partitions.values()))
        reader.pause([partitions[late]])
        yield from _until_end(reader, next(name for topic, name in topics.items() if topic != late))
        reader.resume([partitions[late]])
        yield from _until_end(reader, topics[late])


def by_time(messages: Iterable[Message]) -> Iterator[Message]:
    """Two topics as one, in the order of the records' timestamps: the same for everybody.

    It hands over the older of two records, so it needs the next one of either topic, and waits until it is there.
    """
    queues: dict[str | None, deque[Message]] = {}
    for message in messages:
        queues.setdefault(message.topic(), deque()).append(message)
        while len(queues) == _TOPICS and all(queues.values()):
            yield min(queues.values(), key=lambda queue: _age(queue[0])).popleft()
    yield from sorted((message for queue in queues.values() for message in queue), key=_age)


def _age(message: Message) -> tuple[int, str]:
    return message.timestamp()[1], str(message.topic())


def _consumer(kafka: Kafka) -> Consumer:
    return Consumer(kafka.config(**{**_CONSUMER, "group.id": kafka.name("view")}))


def _next(reader: Consumer) -> Message:
    return next(message for message in _polled(reader) if message.error() is None)


def _until_end(reader: Consumer, topic: str) -> Iterator[Message]:
    for message in _polled(reader):
        if message.error() is None:
            yield message
        elif message.topic() == topic:
            return


def _polled(reader: Consumer) -> Iterator[Message]:
    """What comes, and the marks of the end."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        message = reader.poll(deadline - time.monotonic())
        if message is None:
            break
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            raise LabError(f"{message.topic()} could not be read: {error.str()}.")
        yield message
        deadline = time.monotonic() + _PATIENCE_SECONDS
    raise LabError(f"Nothing more came from the two topics within {_PATIENCE_SECONDS:g} s.")
