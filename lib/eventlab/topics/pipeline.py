"""From topic to topic, exactly once: what is read, what is written and how far it is are one transaction of Kafka's."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from threading import Event, Thread
from types import MappingProxyType
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from eventlab import settings
from eventlab.settings.quiet import abandon
from eventlab.store import Unavailable
from eventlab.store.kafka_records import Record
from eventlab.store.kafka_writer import Cluster
from eventlab.topics.batches import BATCH, by_partition, fatal, gone
from eventlab.topics.errors import RecordFailed, RecordsLost

_POLL_SECONDS = 0.1  # how often it looks up while nothing comes
_PAUSE_SECONDS = 0.5  # before it begins again
_GRACE_SECONDS = 1.0  # how much longer than it was told librdkafka may take


class Output(NamedTuple):
    """A record to write."""

    topic: str
    key: str | bytes | None
    value: bytes | None
    headers: Mapping[str, str | bytes] = MappingProxyType({})


class Pipeline:
    """Consumes a topic, and produces what ``process`` makes of each record: once, for those who read committed.

    ``name`` is the group's, and with the partition the transactional id: whoever gets a partition fences the producer
    that its predecessor had for it, and reads on where the last transaction that was committed ends. ``member`` is a
    name in the group, the same after a restart. ``process`` changes nothing else: what it does to a database, or asks
    of a service, is outside of the transaction.

    Whatever goes wrong with a transaction, a timeout above all, all producers are thrown away and the group is joined
    again; one whose name another member has taken stops. ``patience``: for how many seconds that may go on without a
    transaction that is committed.
    """

    def __init__(
        self,
        kafka: Cluster,
        topic: str,
        name: str,
        process: Callable[[Record], Iterable[Output]],
        *,
        member: str | None = None,
        patience: float = 60.0,
    ) -> None:
        self._kafka, self._topic, self._name, self._process, self._patience = kafka, topic, name, process, patience
        self._instance = {} if member is None else {"group.instance.id": member}
        self._producers: dict[int, Producer] = {}
        self._well = 0.0

    def run(self, stop: Event | None = None) -> None:
        """Follow the topic until ``stop`` is set, or for ever.

        Raises RecordFailed when ``process`` raises, with nothing of that batch written; RecordsLost; Unavailable.
        """
        stop, self._well = stop or Event(), time.monotonic()
        while not stop.is_set():
            try:
                self._work(stop)
            except KafkaException as error:
                if time.monotonic() - self._well > self._patience:
                    raise Unavailable(
                        f"{self._name}: no transaction could be committed for {self._patience:g} s "
                        f"({error.args[0].str()}); check that the cluster runs (eventlab status)"
                    ) from error
                stop.wait(_PAUSE_SECONDS)

    def _work(self, stop: Event) -> None:
        consumer = Consumer(self._kafka.config(**settings.member(self._name, **self._instance)))
        try:
            consumer.subscribe([self._topic], on_assign=self._got, on_revoke=self._gave, on_lost=self._gave)
            while not stop.is_set():
                first = consumer.poll(_POLL_SECONDS)
                if first is None:
                    continue
                batches, complaint = by_partition([first, *consumer.consume(BATCH - 1, 0)])
                for partition, batch in batches.items():
                    # Without a producer it went to another member while the batch was on its way.
                    if batch.records and partition in self._producers:
                        self._transact(consumer, partition, batch.records, batch.end)
                if complaint is not None:
                    if gone(complaint):
                        raise RecordsLost(
                            f"{self._name} is to go on in {self._topic}, partition {complaint.partition()}, where "
                            f"there is nothing any more ({complaint.error().str()}): it was deleted unread"
                        )
                    if fatal(complaint):
                        raise Unavailable(f"{self._name} cannot read on: {complaint.error().str()}")
                    raise KafkaException(complaint.error())
        finally:
            self._throw_away(list(self._producers))
            consumer.close()

    def _got(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        try:
            for each in partitions:
                mine = settings.transactions(f"{self._name}-{each.partition}")
                producer = self._producers[each.partition] = Producer(self._kafka.config(**mine))
                producer.init_transactions(settings.ANSWER_SECONDS)
            # After that, for then the predecessor's last transaction has ended one way or the other.
            places = consumer.committed(partitions, settings.ANSWER_SECONDS)
        except KafkaException as error:
            # What the client raises in a callback comes out of poll() as its reason, a KafkaError, which no `except`
            # catches (confluent-kafka 2.16 on Python 3.11). One that is raised here comes out as it is.
            raise KafkaException(*error.args) from error
        for each in places:
            each.offset = max(each.offset, 0)  # a negative one says that there is none yet
        consumer.incremental_assign(places)

    def _gave(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """No transaction is open: it begins and ends between two polls."""
        self._throw_away(each.partition for each in partitions)
        consumer.incremental_unassign(partitions)

    def _transact(self, consumer: Consumer, partition: int, records: list[Record], end: int) -> None:
        producer = self._producers[partition]
        outputs = [output for record in records for output in self._processed(record)]
        producer.begin_transaction()
        for output in outputs:
            self._produce(producer, output)
        self._add_place(consumer, TopicPartition(self._topic, partition, end))
        producer.commit_transaction(settings.ANSWER_SECONDS)  # which waits for all records, and fails when one fails
        self._well = time.monotonic()

    def _add_place(self, consumer: Consumer, place: TopicPartition) -> None:
        """Make how far it is part of the transaction.

        When the group's coordinator is gone, librdkafka 2.16 may wait for ever, whatever time it is given
        (https://github.com/confluentinc/librdkafka/issues/5456 and 5511). Then its producer is left to it: it cannot be
        closed while it is at work, and is fenced by the next.
        """
        answer: Future[None] = Future()
        arguments = [place], consumer.consumer_group_metadata(), settings.ANSWER_SECONDS

        def ask(producer: Producer = self._producers[place.partition]) -> None:
            try:
                answer.set_result(producer.send_offsets_to_transaction(*arguments))
            except BaseException as error:  # whatever it is, it is raised below
                answer.set_exception(error)

        Thread(target=ask, daemon=True).start()
        try:
            answer.result(settings.ANSWER_SECONDS + _GRACE_SECONDS)
        except TimeoutError:
            del self._producers[place.partition]
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the group's coordinator does not answer")) from None

    def _processed(self, record: Record) -> Iterable[Output]:
        try:
            return list(self._process(record))
        except Exception as error:
            raise RecordFailed(self._name, record, error) from error

    @staticmethod
    def _produce(producer: Producer, output: Output) -> None:
        headers: dict[str, Any] = dict(output.headers)
        while True:
            try:
                return producer.produce(output.topic, output.value, output.key, headers=headers)  # type: ignore[no-any-return]
            except BufferError:
                producer.poll(_POLL_SECONDS)

    def _throw_away(self, partitions: Iterable[int]) -> None:
        """What stays open is ended by whoever has the transactional id next, or by its timeout."""
        for partition in partitions:
            if (producer := self._producers.pop(partition, None)) is not None:
                producer.purge()
                abandon(producer)
