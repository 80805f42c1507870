"""The Kafka log as an event store, as far as a log can be one; ``KafkaEventLog.CANNOT`` says where it ends."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice
from threading import Lock
from typing import ClassVar, NoReturn

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka import murmur2 as partition_of

from eventlab import settings
from eventlab.events.catalogue import registry as catalogue
from eventlab.events.codec import JsonCodec
from eventlab.events.envelope import NewEvent, Position, Recorded, StreamId, Version
from eventlab.events.registry import TypeRegistry
from eventlab.store.cannot import CANNOT
from eventlab.store.contract import BEGINNING, START, Any, Append, Appended, Expected, NotSupported, Unavailable
from eventlab.store.kafka_records import Record, key_of, stored_event
from eventlab.store.kafka_writer import PATIENCE_SECONDS, Cluster, InTransactions, OneByOne
from eventlab.store.rules import (
    StoredEvent,
    check_appends,
    check_empty,
    gapless,
    narrows,
    recorded,
    stored,
    utc_now,
)
from eventlab.store.sealing import Sealing

_POLL_SECONDS = 0.05  # how often a wait for the broker looks at the clock
_RESTORED_TOGETHER = 10_000  # records under way at once, far fewer than the producer's queue holds


class KafkaEventLog:
    """The events of all streams in one topic: the key is the stream id, the value the JSON, the headers the envelope.

    The version of an event is its place among the records with its key, as every reader of the partition counts it.
    Its position is its offset plus one, an order of all events only when the topic has one partition. To read one
    stream is to read its whole partition; to subscribe is to read from the beginning, because versions are counted.
    The topic must exist, and must keep what it holds (no compaction, no retention), or versions change.

    With ``writer``, a name, each append is a transaction: all or nothing, in a few milliseconds more, and with a mark
    behind it that takes an offset, too (P11). One log at a time has the name. Whoever opens another one with it, after
    a crash or because an append got no answer, ends what the first has under way, and finds in :meth:`read` whether it
    is stored, for it cannot come later (P7, P32).
    Raises Unavailable when the topic or the cluster cannot be reached.
    """

    CANNOT: ClassVar[Mapping[str, str]] = CANNOT

    def __init__(
        self,
        kafka: Cluster,
        topic: str,
        registry: TypeRegistry = catalogue,
        clock: Callable[[], datetime] = utc_now,
        sealing: Sealing | None = None,
        writer: str | None = None,
    ) -> None:
        self._kafka, self._topic, self._clock = kafka, topic, clock
        self._codec = JsonCodec(registry)
        self._sealing = sealing
        self._writer = OneByOne(kafka, topic) if writer is None else InTransactions(kafka, topic, writer)
        self._partitions = self._count_partitions()
        self._appending = Lock()
        # What this writer has seen of each partition, to tell the versions of what it appends.
        self._seen = [0] * self._partitions
        self._own_marks = [0] * self._partitions  # of its own transactions, somewhere behind that
        self._versions: Counter[bytes] = Counter()
        self._others: Consumer | None = None  # reads what others wrote; kept, since a new one needs many milliseconds

    def append(self, stream: StreamId, events: Sequence[NewEvent], expected: Expected = Any) -> Appended:
        """Send ``events`` and wait until all in-sync replicas have them; of several threads, one after the other.

        Their versions are counted. What another writer put between is read, once; the first append to a partition
        that holds something reads all of it.
        Raises NotSupported for any ``expected`` but Any. Raises Unavailable when not all are acknowledged: some may be
        stored, and appending them again may store them twice, for a log neither knows ids nor takes all or nothing.
        With a ``writer`` all or none of them are stored; what it raises says whether the log has to be opened again.
        """
        if expected is not Any:
            raise NotSupported(
                f"{stream}: a Kafka log has no expected version (KAFKA-2260): it appends whatever comes; decide in an "
                "event store, or let one writer own the stream"
            )
        check_appends([Append(stream, events)])
        sealed = events if self._sealing is None else self._sealing.seal(Append(stream, events)).events
        encoded = [self._codec.encode(new.event) for new in sealed]
        now = self._clock()
        with self._appending:
            offsets = self._writer.send(
                [stored(stream, START, BEGINNING, *each, now) for each in zip(events, encoded, strict=True)]
            )
            versions = self._versions_at(key_of(stream), offsets)
        return Appended(versions, tuple(Position(offset + 1) for offset in offsets))

    def append_all(self, appends: Sequence[Append]) -> list[Appended]:
        """Raises NotSupported for more than one stream: a log takes no two records as one."""
        if len(appends) > 1:
            raise NotSupported("a Kafka log appends record by record: over several streams it is not all or nothing")
        check_appends(appends)
        return [self.append(each.stream, each.events, each.expected) for each in appends]

    def read(
        self,
        stream: StreamId,
        after: Version = START,
        until: Version | None = None,
        *,
        backwards: bool = False,
        types: Collection[type] = (),
        since: datetime | None = None,
        before: datetime | None = None,
    ) -> Iterator[Recorded]:
        """The events of ``stream``, found by reading its whole partition: the cost grows with everybody's events.

        Raises NotSupported for ``backwards``.
        """
        _forwards(backwards)
        wanted = narrows(types, since, before, self._codec.registry)
        key = key_of(stream)
        messages = self._scan(self.partition(stream))

        def events() -> Iterator[Recorded]:
            version = START
            for message in messages:
                if message.key() == key:
                    version = Version(version + 1)
                    if until is not None and version > until:
                        return
                    if version > after and wanted(event := stored_event(Record.of(message), version)):
                        yield recorded(event, self._codec, self._sealing)

        return events()

    def read_all(
        self,
        after: Position = BEGINNING,
        until: Position | None = None,
        *,
        backwards: bool = False,
        types: Collection[type] = (),
        since: datetime | None = None,
        before: datetime | None = None,
    ) -> Iterator[Recorded]:
        """All events in the order of the log.

        Raises NotSupported when the topic has more than one partition, and for ``backwards``.
        """
        _forwards(backwards)
        self._one_partition()
        wanted = narrows(types, since, before, self._codec.registry)
        messages = self._scan(0, until=until)
        return (recorded(event, self._codec, self._sealing) for event in self._count(messages, after) if wanted(event))

    def read_stored(self, after: Position = BEGINNING, until: Position | None = None) -> Iterator[StoredEvent]:
        """As :meth:`read_all`, each event as it is stored: what copies of the log must not change.

        Raises NotSupported when the topic has more than one partition.
        """
        self._one_partition()
        return self._count(self._scan(0, until=until), after)

    def restore(self, events: Iterable[StoredEvent]) -> int:
        """Put back what :meth:`read_stored` gave; how many events. Raises StoreError unless the topic is empty.

        A log counts its records: StoreError for events with gaps between their positions, too. It takes no two records
        as one: after an error, Unavailable too, some of the events may be there. Begin again with a new topic.
        """
        check_empty(self.head())
        rest, restored = gapless(events), 0
        with self._appending:
            while some := list(islice(rest, _RESTORED_TOGETHER)):
                self._writer.send(some)
                restored += len(some)
        return restored

    def load(self, stream: StreamId, after: Version = START) -> tuple[list[object], Version]:
        """See :meth:`read`: the whole partition is read here too."""
        found = list(self.read(stream, after))
        return [each.event for each in found], found[-1].version if found else after

    def follow(self, after: Position = BEGINNING, idle: float | None = None) -> Iterator[Sequence[Recorded]]:
        """Each event is a batch of its own. Raises NotSupported when the topic has more than one partition."""
        return ([each] for each in self.subscribe(after, idle))

    def subscribe(self, after: Position = BEGINNING, idle: float | None = None) -> Iterator[Recorded]:
        """See :meth:`EventStore.subscribe <eventlab.store.contract.EventStore.subscribe>`.

        Raises NotSupported when the topic has more than one partition.
        """
        self._one_partition()
        return (recorded(event, self._codec, self._sealing) for event in self._count(self._follow(idle), after))

    def head(self) -> Position:
        """The log's end; control records of transactions count. NotSupported with more than one partition."""
        self._one_partition()
        consumer, end = self._open(0)
        consumer.close()
        return Position(end)

    def partition(self, stream: StreamId) -> int:
        """Where ``stream`` is: in one partition, for as long as their number stays."""
        return self._partition(key_of(stream))

    def _partition(self, key: bytes) -> int:
        return int(partition_of(key, self._partitions))

    def close(self) -> None:
        """End appending; reading still works."""
        self._writer.close()
        if self._others is not None:
            self._others.close()
            self._others = None

    def _versions_at(self, key: bytes, offsets: Sequence[int]) -> tuple[Version, ...]:
        """The versions of the events with ``key`` that were stored at ``offsets``, in this order.

        Where an offset follows on what this log has seen, or on one mark of its own, nobody else wrote, and there is
        nothing to read.
        """
        partition, versions = self._partition(key), []
        for offset in offsets:
            if offset < self._seen[partition]:
                self._unavailable("it was made anew, or lost records that it had acknowledged; open the log again")
            if offset > self._seen[partition] + self._own_marks[partition]:
                self._see(partition, offset)
            self._versions[key] += 1
            self._seen[partition], self._own_marks[partition] = offset + 1, 0
            versions.append(Version(self._versions[key]))
        self._own_marks[partition] = self._writer.marks
        return tuple(versions)

    def _see(self, partition: int, until: int) -> None:
        """Count what is new in ``partition`` before the offset ``until``, at which there is an event."""
        if self._others is None:
            self._others = self._consumer()
        consumer = self._others
        try:
            where = TopicPartition(self._topic, partition, self._seen[partition] or self._marks(consumer, partition)[0])
            consumer.incremental_assign([where])
            for message in self._before(until, consumer):
                self._versions[message.key()] += 1
                self._seen[partition] = message.offset() + 1
            consumer.incremental_unassign([where])
        except BaseException:
            self._others = None
            consumer.close()
            raise

    def _count(self, messages: Iterator[Message], after: Position) -> Iterator[StoredEvent]:
        versions: Counter[bytes] = Counter()
        for message in messages:
            versions[message.key()] += 1
            if message.offset() >= after:
                yield stored_event(Record.of(message), Version(versions[message.key()]))

    def _scan(self, partition: int, until: int | None = None) -> Iterator[Message]:
        """The records of ``partition`` from its beginning to the end that it has now, or to the offset ``until``."""
        consumer, end = self._open(partition)
        end = end if until is None else min(end, until)

        def messages() -> Iterator[Message]:
            with closing(consumer):
                if end > 0:
                    yield from self._before(end, consumer)

        return messages()

    def _follow(self, idle: float | None) -> Iterator[Message]:
        """The records of the only partition from its beginning, then live until nothing came for ``idle`` seconds."""
        consumer, _ = self._open(0)
        heard = time.monotonic()
        with closing(consumer):
            for message in self._poll(consumer):
                if message is not None and message.error() is None:
                    yield message
                    heard = time.monotonic()
                elif idle is not None and time.monotonic() - heard >= idle:
                    return

    def _before(self, end: int, consumer: Consumer) -> Iterator[Message]:
        """The records before the offset ``end``; waits for those that a transaction under way still hides."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        for message in self._poll(consumer):
            if message is not None and message.offset() >= end:
                return
            if message is not None and message.error() is None:
                yield message
                if message.offset() == end - 1:
                    return
                deadline = time.monotonic() + PATIENCE_SECONDS
            elif time.monotonic() > deadline:
                self._unavailable("what is stored there is hidden by a transaction that was left open")

    def _poll(self, consumer: Consumer) -> Iterator[Message | None]:
        """What the consumer reads; the end of the partition is an error with its offset, and then there may be None."""
        caught_up = False
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            message = consumer.poll(_POLL_SECONDS)
            if message is None and not caught_up:
                if time.monotonic() > deadline:
                    self._unavailable("no broker answers")
            elif message is None or message.error() is None:
                yield message
                deadline = time.monotonic() + PATIENCE_SECONDS
            elif message.error().code() == KafkaError._PARTITION_EOF:
                caught_up = True
                yield message
            else:
                self._unavailable(message.error().str())

    def _open(self, partition: int) -> tuple[Consumer, int]:
        """A consumer that reads ``partition`` from the first record left, and where the log ends."""
        consumer = self._consumer()
        try:
            first, end = self._marks(consumer, partition)
            end = max(end, self._writer.end(partition))
        except Unavailable:
            consumer.close()
            raise
        consumer.assign([TopicPartition(self._topic, partition, first)])
        return consumer, end

    def _consumer(self) -> Consumer:
        return Consumer(self._kafka.config(**settings.consumer(self._topic)))

    def _marks(self, consumer: Consumer, partition: int) -> tuple[int, int]:
        """The first offset that is left of ``partition``, and the end of what is committed."""
        try:
            marks: tuple[int, int] = consumer.get_watermark_offsets(
                TopicPartition(self._topic, partition), timeout=PATIENCE_SECONDS
            )
        except KafkaException as error:
            self._unavailable(error.args[0].str())
        return marks

    def _count_partitions(self) -> int:
        try:
            metadata = self._writer.producer.list_topics(self._topic, timeout=PATIENCE_SECONDS).topics[self._topic]
        except KafkaException as error:
            self._unavailable(error.args[0].str())
        if metadata.error is not None:
            self._unavailable(f"{metadata.error.str()} (make one with kafka.topic)")
        return len(metadata.partitions)

    def _one_partition(self) -> None:
        if self._partitions > 1:
            raise NotSupported(
                f"{self._topic} has {self._partitions} partitions, and a log has no order across them: "
                "use a topic with one partition, or read stream by stream"
            )

    def _unavailable(self, why: str) -> NoReturn:
        raise Unavailable(
            f"the Kafka topic {self._topic} cannot be used: {why}; check that the lab runs (eventlab status)"
        )


def _forwards(backwards: bool) -> None:
    if backwards:
        raise NotSupported("a consumer reads a log forwards only; read it all and turn it around")
