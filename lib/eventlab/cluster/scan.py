"""A topic from one end to the other at full speed, for those who analyse it: no group, nothing committed."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Protocol, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from eventlab import settings
from eventlab.cluster.errors import LabError

T = TypeVar("T")

BATCH = 500  # records per call: the fastest, since ``consume`` waits until it has as many as it was asked for
_BATCH_SECONDS = 0.1
_PATIENCE_SECONDS = 20.0  # a cluster that is alive answers far sooner
_CONSUMER = settings.consumer(
    "eventlab-scan",  # the client wants a name; partitions are assigned by hand, so no group comes to be
    **{
        "queued.max.messages.kbytes": 32 * 1024,  # what is fetched ahead, however long the topic
        # When that is full, librdkafka would look again after a second: longer than it takes us to empty it.
        "fetch.queue.backoff.ms": 5,
    },
)


class Cluster(Protocol):
    """What a scan needs of a cluster: settings for confluent-kafka's clients."""

    def config(self, **overrides: Any) -> dict[str, Any]:
        """The settings, with ``overrides``."""
        ...


class Scan:
    """The records of ``topic``, in batches: each partition in its order, all partitions at the same time.

    From the beginning, or from the first record that is not older than ``since`` (with a zone), up to the end that each
    partition has now. Of transactions only what was committed. To be gone through once. Memory does not grow with the
    topic. ``expected``: how many offsets there are to go through (transactions and compaction leave some without a
    record), ``done``: how many of them are behind. Raises LabError when the topic cannot be read.
    """

    def __init__(self, kafka: Cluster, topic: str, since: datetime | None = None) -> None:
        self._topic = topic
        self._consumer = Consumer(kafka.config(**_CONSUMER))
        try:
            marks = {number: self._watermarks(number) for number in self._partitions()}
            self._begin = {number: low for number, (low, _) in marks.items()} | self._since(since, marks)
        except BaseException:
            self._consumer.close()
            raise
        self._end = {number: high for number, (_, high) in marks.items()}
        self.partitions = len(marks)
        self.expected = sum(self._end.values()) - sum(self._begin.values())
        self.done = 0

    def _partitions(self) -> list[int]:
        found = self._ask(lambda: self._consumer.list_topics(self._topic, _PATIENCE_SECONDS)).topics[self._topic]
        if found.error is not None:
            raise LabError(f"The cluster has no topic {self._topic} that you may read ({found.error.str()}).")
        return sorted(found.partitions)

    def _watermarks(self, number: int) -> tuple[int, int]:
        where = TopicPartition(self._topic, number)
        low, high = self._ask(lambda: self._consumer.get_watermark_offsets(where, _PATIENCE_SECONDS))
        return low, high

    def _since(self, since: datetime | None, marks: dict[int, tuple[int, int]]) -> dict[int, int]:
        if since is None:
            return {}
        wanted = [TopicPartition(self._topic, number, round(since.timestamp() * 1000)) for number in marks]
        found = self._ask(lambda: self._consumer.offsets_for_times(wanted, _PATIENCE_SECONDS))
        # Without an offset: no record is that young.
        return {each.partition: each.offset if each.offset >= 0 else marks[each.partition][1] for each in found}

    def _ask(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except KafkaException as error:
            raise LabError(f"{self._topic} cannot be read: {error.args[0].str()}.") from error

    def __iter__(self) -> Iterator[list[Message]]:
        behind = {number for number in self._begin if self._begin[number] < self._end[number]}
        self._consumer.assign([TopicPartition(self._topic, number, self._begin[number]) for number in behind])
        deadline = time.monotonic() + _PATIENCE_SECONDS
        try:
            while behind:
                left = self.expected - self.done + len(behind)  # with the marks of their ends
                batch = self._consumer.consume(min(left, BATCH), _BATCH_SECONDS)
                if batch:
                    deadline = time.monotonic() + _PATIENCE_SECONDS
                elif time.monotonic() > deadline:
                    raise LabError(f"{self._topic}: the cluster sent nothing for {_PATIENCE_SECONDS:g} s.")
                ended = self._ended(batch) if any(map(Message.error, batch)) else set()
                if finished := self._advance(behind) | ended:
                    batch = [each for each in batch if each.error() is None and self._before_end(each)]
                    self._consumer.incremental_unassign([TopicPartition(self._topic, number) for number in finished])
                    behind -= finished
                yield batch
            self.done = self.expected
        finally:
            self._consumer.close()

    def _advance(self, behind: set[int]) -> set[int]:
        """Count what is done, and find the partitions whose end is reached."""
        at = self._consumer.position([TopicPartition(self._topic, number) for number in behind])
        reached = {each.partition: max(each.offset, self._begin[each.partition]) for each in at}
        left = sum(self._end[number] - offset for number, offset in reached.items() if offset < self._end[number])
        self.done = self.expected - left
        return {number for number, offset in reached.items() if offset >= self._end[number]}

    def _ended(self, batch: list[Message]) -> set[int]:
        """The partitions that say that they have no more. Raises what else they say."""
        found = set()
        for each in batch:
            if (error := each.error()) is None:
                continue
            if error.code() != KafkaError._PARTITION_EOF:
                raise LabError(f"{self._topic} [{each.partition()}] cannot be read on: {error.str()}.")
            found.add(each.partition())
        return found

    def _before_end(self, message: Message) -> bool:
        return bool(message.offset() < self._end[message.partition()])
