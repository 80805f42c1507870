"""How events get into a topic: one by one, or by a writer with a name, each append in a transaction."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any, Protocol

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from eventlab import settings
from eventlab.settings.quiet import abandon
from eventlab.store.contract import Unavailable
from eventlab.store.kafka_records import headers, key_of
from eventlab.store.rules import StoredEvent

PATIENCE_SECONDS = 10  # a broker that is alive answers far sooner

_POLL_SECONDS = 0.05  # how often a wait for the broker looks at the clock
_FULL_QUEUE_SECONDS = 0.01  # how long to let the producer's queue drain before trying again


class Cluster(Protocol):
    """What a log needs of a cluster: settings for confluent-kafka's clients."""

    def config(self, **overrides: Any) -> dict[str, Any]:
        """The settings, with ``overrides``."""
        ...


class OneByOne:
    """Puts events into a topic, and repeats itself without doubling any, for as long as it waits for an answer.

    What it was not told of in time may be stored in part, and may still come to be stored.
    """

    marks = 0  # how many records that nobody reads stand behind the events of each append

    def __init__(self, kafka: Cluster, topic: str) -> None:
        self._topic = topic
        self.producer = Producer(kafka.config(**settings.producer(**{"message.timeout.ms": PATIENCE_SECONDS * 1000})))

    def send(self, events: Sequence[StoredEvent]) -> list[int]:
        """The offsets of the events, in order, once all in-sync replicas have them. Raises Unavailable otherwise."""
        offsets, error = _sent(self.producer, self._topic, events)
        if error is not None:
            raise Unavailable(
                f"{events[0].stream}: {len(offsets)} of {len(events)} events were acknowledged in {self._topic}, the "
                f"others may or may not be stored ({error.str()}); read the stream before you append them again"
            ) from KafkaException(error)
        return offsets

    def end(self, partition: int) -> int:
        """The offset up to which one has to read, to know for certain what has become of its events; 0 for nowhere."""
        return 0

    def close(self) -> None:
        """Write no more."""
        self.producer.close()


class InTransactions:
    """As :class:`OneByOne`, each time all or nothing, and one at a time: the last to take ``name`` ends the one before.

    What that one had under way is then stored or never will be, and what is stored stands before the end that the log
    has now. Whoever got no answer is over, for it cannot tell a timeout of its own from a successor (P9, P32).
    Raises Unavailable when it cannot have the name.
    """

    marks = 1  # of the commit

    def __init__(self, kafka: Cluster, topic: str, name: str) -> None:
        self._topic, self._name, self._over = topic, name, False
        self._kafka = kafka
        patience = {"message.timeout.ms": PATIENCE_SECONDS * 1000}
        self.producer = Producer(kafka.config(**settings.transactions(f"{topic}-{name}", **patience)))
        try:
            # Connected first: else librdkafka lets half a second pass until it asks for a producer id.
            self.producer.list_topics(topic, settings.ANSWER_SECONDS)
            self.producer.init_transactions(settings.ANSWER_SECONDS)
        except KafkaException as error:
            self.close()
            raise Unavailable(
                f"{topic}: nobody can write as {name!r} now ({error.args[0].str()}); open the log again"
            ) from error

    @cached_property
    def _admin(self) -> AdminClient:
        return AdminClient(self._kafka.config(log_level=0))

    def send(self, events: Sequence[StoredEvent]) -> list[int]:
        """The offsets of the events, in order, once they are committed. Raises Unavailable otherwise."""
        if self._over:
            raise Unavailable(
                f"{self._topic}: this log writes no more as {self._name!r}: it got no answer, was closed, or another "
                "has the name now; open it again"
            )
        fate = f"none of {len(events)} events is stored in {self._topic}, or will be"
        try:
            self.producer.begin_transaction()
            offsets, error = _sent(self.producer, self._topic, events)
            if error is not None:
                raise KafkaException(error)
            fate = f"{len(events)} events are stored in {self._topic}, or none: read the stream before you append again"
            self.producer.commit_transaction(settings.ANSWER_SECONDS)
        except BaseException as failed:
            self.close()
            if not isinstance(failed, KafkaException):
                raise
            raise Unavailable(
                f"{events[0].stream}: {fate} ({failed.args[0].str()}); open the log again as {self._name!r}"
            ) from failed
        return offsets

    def end(self, partition: int) -> int:
        """The high watermark, beyond what others' transactions under way hide. Raises Unavailable without an answer."""
        where = TopicPartition(self._topic, partition)
        asked = self._admin.list_offsets(
            {where: OffsetSpec.latest()},
            isolation_level=IsolationLevel.READ_UNCOMMITTED,
            request_timeout=PATIENCE_SECONDS,
        )
        try:
            return int(asked[where].result(PATIENCE_SECONDS).offset)
        except (KafkaException, TimeoutError) as error:
            raise Unavailable(f"{self._topic}: no broker tells where partition {partition} ends ({error})") from error

    def close(self) -> None:
        """Write no more. What is open is aborted, if need be by whoever has the name next, or by its timeout."""
        if not self._over:
            self._over = True
            self.producer.purge()
            abandon(self.producer)


def _sent(producer: Producer, topic: str, events: Sequence[StoredEvent]) -> tuple[list[int], KafkaError | None]:
    """The offsets of the events that were acknowledged, in order, and why another was not."""
    answers: dict[int, tuple[KafkaError | None, int]] = {}

    def answered(number: int, error: KafkaError | None, message: Message) -> None:
        answers[number] = (error, message.offset())

    sent = 0
    refused: KafkaError | None = None
    try:
        for number, event in enumerate(events):
            _produce(producer, topic, event, partial(answered, number))
            sent += 1
    except KafkaException as error:
        refused = error.args[0]
    while len(answers) < sent:
        producer.poll(_POLL_SECONDS)
    errors = [error for error, _ in answers.values() if error is not None]
    offsets = [offset for _, (error, offset) in sorted(answers.items()) if error is None]
    return offsets, refused or next(iter(errors), None)


def _produce(producer: Producer, topic: str, event: StoredEvent, answered: Callable[..., None]) -> None:
    while True:
        try:
            producer.produce(
                topic,
                key=key_of(event.stream),
                value=event.data,
                headers=headers(event),
                timestamp=round(event.recorded_time.timestamp() * 1000),
                on_delivery=answered,
            )
        except BufferError:
            producer.poll(_FULL_QUEUE_SECONDS)
        else:
            return
