"""The topic's side: a consumer, alone or as a member of a group, that keeps a view up to date."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event
from typing import Any, Literal, NoReturn

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from eventlab import settings
from eventlab.store import Unavailable
from eventlab.store.kafka_records import Record
from eventlab.store.kafka_writer import Cluster
from eventlab.topics.batches import BATCH, Batch, by_partition, fatal, gone
from eventlab.topics.errors import Fenced, RecordsLost
from eventlab.topics.reading import Read, log_events
from eventlab.topics.sink import Behind, Share, Sink
from eventlab.views import View, ViewError
from eventlab.views.bookkeeping import Home
from eventlab.views.projector import RETRY_SECONDS, Progress

_POLL_SECONDS = 0.1  # how often it looks up while nothing comes
_ASK_SECONDS = 10.0  # for one question to the cluster


class TopicProjector:
    """Keeps one version of a view up to date with a topic; makes it first if it is not there.

    The view's database holds the offset of each partition, and it moves in the transaction that writes the rows: the
    view has exactly the events up to there, whatever crashes. Reading goes on from it, whatever a group remembers.
    Whoever gets a partition takes it over in the database; what the one before was about to write fails then (Fenced).
    An event that was sent twice, with the same id, is applied once.

    With a ``group`` the partitions are shared with its other members, in any processes; ``member`` is a name that is
    the same after a restart, with which it has its partitions back at once. ``protocol``: of the group. Without, this
    one takes all partitions.

    As with the lanes of a :class:`~eventlab.views.View`, a row has to belong to one stream, or be changed by a single
    statement: partitions are applied independently. ``read`` tells the form of the records.

    ``on_failure`` says what a record does that cannot be read or handled, or does not follow from those before it:
    ``stop`` raises RecordFailed before it; ``park`` sets aside all records with its key (see :func:`parked`) and goes
    on with the others; a record without a key cannot be parked. ``patience``: how many seconds the database, or the
    topic, may be away before Unavailable is raised.
    """

    def __init__(
        self,
        kafka: Cluster,
        topic: str,
        home: Home,
        view: View,
        *,
        group: str | None = None,
        member: str | None = None,
        protocol: Literal["classic", "consumer"] = "classic",
        read: Read | None = None,
        on_failure: Literal["stop", "park"] = "stop",
        patience: float = 60.0,
    ) -> None:
        if on_failure not in ("stop", "park"):
            raise ValueError(f"on_failure is 'stop' or 'park', not {on_failure!r}")
        if member is not None and (group is None or protocol == "consumer"):
            raise ValueError(
                f"the member {member} needs a classic group: in one of the new protocol (KIP-848) a killed member "
                "keeps its name until the broker has missed it for 45 s, and its successor is refused until then"
            )
        self._kafka, self.topic, self._group, self._patience = kafka, topic, group, patience
        self._named = member is not None
        self._settings = _settings(topic, group, member, protocol)
        with self._consumer() as consumer:
            partitions = self._await_topic(consumer)
        self.sink = Sink(home, view, topic, partitions, read or log_events(), on_failure == "park")
        self.sink.make()
        self._shares: dict[int, Share] = {}

    @property
    def partitions(self) -> list[int]:
        """The partitions that it has taken, while it runs."""
        return sorted(self._shares)

    def catch_up(self, progress: Progress | None = None) -> int:
        """Apply all that is committed now, in all partitions, and return how many records that was.

        It takes the partitions over from whoever has them; members of a group take them back.
        ``progress`` is called with the records done and the records there are (by offset, so some may not be seen).
        """
        done = 0

        def applied(records: int) -> None:
            nonlocal done
            done += records
            if progress is not None:
                progress(sum(each.position for each in self._shares.values()) - first, total)

        with self._consumer() as consumer:
            self._take_all(consumer)
            ends = {partition: self._marks(consumer, partition)[1] for partition in self._shares}
            first = sum(each.position for each in self._shares.values())
            total = sum(ends.values()) - first
            applied(0)
            self._follow(consumer, lambda: self._reached(ends), applied, self._patience)
        return done

    def run(self, stop: Event | None = None) -> None:
        """Catch up, then follow live until ``stop`` is set (noticed within a tenth of a second), or for ever.

        A member of a group that was fenced (it slept, and the group went on without it) joins it again. One with a
        name stops instead, since its successor has that name: Fenced, or Unavailable when the group says so first.
        Raises RecordFailed, RecordsLost, Unavailable; Fenced without a group.
        """
        stop = stop or Event()
        while not stop.is_set():
            with self._consumer() as consumer, suppress(Behind):
                try:
                    self._join(consumer)
                    self._follow(consumer, stop.is_set)
                except Fenced:
                    if self._group is None or self._named:
                        raise
            self._shares.clear()

    def between(self, starts: Mapping[int, int], ends: Mapping[int, int]) -> Iterator[tuple[int, list[Record]]]:
        """The records of each partition from one offset to another, in batches; for a transaction of the caller's."""
        left = {partition: end for partition, end in ends.items() if end > starts[partition]}
        with self._consumer() as consumer:
            consumer.assign([TopicPartition(self.topic, partition, starts[partition]) for partition in left])
            heard = time.monotonic()
            while left:
                batches, complaint = by_partition(consumer.consume(BATCH, _POLL_SECONDS))
                if complaint is not None:
                    self._heard(consumer, complaint)
                for partition, batch in batches.items():
                    heard = time.monotonic()
                    if partition in left:
                        yield partition, [record for record in batch.records if record.offset < left[partition]]
                        if batch.end >= left[partition]:
                            del left[partition]
                if time.monotonic() - heard > self._patience:
                    self._silent(self._patience)

    # -- partitions ---------------------------------------------------------------------------------------------

    @contextmanager
    def _consumer(self) -> Iterator[Consumer]:
        consumer = Consumer(self._kafka.config(**self._settings))
        try:
            yield consumer
        finally:
            consumer.close()

    def _join(self, consumer: Consumer) -> None:
        if self._group is None:
            self._take_all(consumer)
        else:
            consumer.subscribe([self.topic], on_assign=self._got, on_revoke=self._gave, on_lost=self._gave)

    def _take_all(self, consumer: Consumer) -> None:
        if (there := self._await_topic(consumer)) != self.sink.view.lanes:
            raise ViewError(f"{self.topic} has {there} partitions now, and {self.sink.view} was made with fewer")
        consumer.assign(self._take(range(there)))

    def _got(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Partitions come, in addition to those that it has."""
        consumer.incremental_assign(self._take(each.partition for each in partitions))

    def _take(self, partitions: Iterable[int]) -> list[TopicPartition]:
        wanted = list(partitions)
        taken: list[Share] = self._stubbornly(lambda: self.sink.take(wanted))
        self._shares.update((share.partition, share) for share in taken)
        return [TopicPartition(self.topic, share.partition, share.position) for share in taken]

    def _gave(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Partitions go. Nothing of them is under way: a batch is applied as a whole between two polls."""
        for each in partitions:
            self._shares.pop(each.partition, None)
        consumer.incremental_unassign(partitions)

    # -- records ------------------------------------------------------------------------------------------------

    def _follow(
        self,
        consumer: Consumer,
        done: Callable[[], bool],
        applied: Callable[[int], None] = lambda _: None,
        patience: float | None = None,
    ) -> None:
        """Apply what comes until it is ``done``. Raises Unavailable when nothing came for ``patience`` seconds."""
        heard = time.monotonic()
        while not done():
            first = consumer.poll(_POLL_SECONDS)
            if first is not None:
                applied(self._serve(consumer, [first, *consumer.consume(BATCH - 1, 0)]))
                heard = time.monotonic()
            elif patience is not None and time.monotonic() - heard > patience:
                self._silent(patience)

    def _serve(self, consumer: Consumer, messages: Iterable[Message]) -> int:
        """Apply a batch, partition by partition; how many records that was."""
        batches, complaint = by_partition(messages)
        done = sum(self._apply(partition, batch) for partition, batch in batches.items())
        if self._group is not None and done:
            self._tell(consumer)
        if complaint is not None:
            self._heard(consumer, complaint)
        return done

    def _apply(self, partition: int, batch: Batch) -> int:
        share = self._shares.get(partition)
        if share is None or batch.end <= share.position:
            return 0  # it went to another member while the batch was on its way
        records = [record for record in batch.records if record.offset >= share.position]
        self._stubbornly(lambda: self.sink.apply(share, records, batch.end))
        return len(records)

    def _tell(self, consumer: Consumer) -> None:
        """Tell the group where the view stands, for those who watch the lag. Nobody begins from there."""
        offsets = [TopicPartition(self.topic, each.partition, each.position) for each in self._shares.values()]
        with suppress(KafkaException):
            consumer.commit(offsets=offsets, asynchronous=True)

    def _reached(self, ends: Mapping[int, int]) -> bool:
        return all(self._shares[partition].position >= end for partition, end in ends.items())

    # -- trouble ------------------------------------------------------------------------------------------------

    def _stubbornly(self, action: Callable[[], Any]) -> Any:
        """Do what a database does in one transaction; again, with growing pauses, while it is away."""
        deadline, pause = time.monotonic() + self._patience, RETRY_SECONDS[0]
        while True:
            try:
                return action()
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, RETRY_SECONDS[1])

    def _heard(self, consumer: Consumer, complaint: Message) -> None:
        """What the client says instead of a record: most of it passes, since it tries again by itself."""
        error = complaint.error()
        if gone(complaint):
            self._lost(consumer, complaint.partition(), error)
        if fatal(complaint):
            raise Unavailable(f"{self.topic} cannot be read on: {error.str()}")
        self._await_topic(consumer)

    def _lost(self, consumer: Consumer, partition: int, error: KafkaError) -> NoReturn:
        position = self._shares[partition].position if partition in self._shares else None
        first, end = self._marks(consumer, partition)
        raise RecordsLost(
            f"the view {self.sink.view} is to go on at offset {position} of {self.topic}, partition {partition}, which "
            f"has offsets {first} to {end - 1} now ({error.str()}). What is missing was deleted (retention, or by "
            "hand), or the topic was made anew: restore it from an archive, or build the view from what has all events"
        )

    def _marks(self, consumer: Consumer, partition: int) -> tuple[int, int]:
        """The first offset, and the end of what is committed."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                marks: tuple[int, int] = consumer.get_watermark_offsets(
                    TopicPartition(self.topic, partition), timeout=_ASK_SECONDS
                )
            except KafkaException as error:
                if time.monotonic() > deadline:
                    self._unavailable(error.args[0])
                time.sleep(_POLL_SECONDS)
            else:
                return marks

    def _await_topic(self, consumer: Consumer) -> int:
        """Wait until the cluster tells of the topic; how many partitions it has."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                found = consumer.list_topics(self.topic, timeout=_ASK_SECONDS).topics[self.topic]
            except KafkaException as raised:
                error = raised.args[0]
            else:
                if found.error is None:
                    return len(found.partitions)
                error = found.error
            if time.monotonic() > deadline:
                self._unavailable(error)
            time.sleep(_POLL_SECONDS)

    def _silent(self, seconds: float) -> NoReturn:
        raise Unavailable(f"{self.topic}: the cluster sent nothing for {seconds:g} s; check it with: eventlab status")

    def _unavailable(self, error: KafkaError) -> NoReturn:
        raise Unavailable(
            f"the topic {self.topic} cannot be read: {error.str()}; check that the cluster runs (eventlab status)"
        ) from KafkaException(error)


def _settings(topic: str, group: str | None, member: str | None, protocol: str) -> dict[str, Any]:
    name = {} if member is None else {"group.instance.id": member}
    if group is None:
        return settings.consumer(topic)
    if protocol == "consumer":  # KIP-848: the broker knows who gets what, and when a member is dead
        return settings.consumer(group, **{"group.protocol": "consumer"}, **name)
    return settings.member(group, **name)
