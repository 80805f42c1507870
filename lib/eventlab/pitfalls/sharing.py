"""Members of a share group (KIP-932): librdkafka's, and Java's, which can also keep what it has for longer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from confluent_kafka import AcknowledgeType, KafkaException, Message, ShareConsumer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

from eventlab.cluster import Kafka, LabError, jvm

_PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.1
_ERRORS = 3  # the level of its log: librdkafka warns of every share consumer that it is a preview
_EXPLICIT = {"share.acknowledgement.mode": "explicit"}

FROM_THE_BEGINNING = {"share.auto.offset.reset": "earliest"}
"""A share group begins at the end of a topic, unless the brokers (not its members) are told otherwise."""


@contextmanager
def told(kafka: Kafka, group: str, settings: Mapping[str, object]) -> Iterator[None]:
    """For the block, the brokers have these settings of ``group``. Raises LabError when they do not take them."""
    _configure(kafka, group, settings, AlterConfigOpType.SET)
    try:
        yield
    finally:
        _configure(kafka, group, settings, AlterConfigOpType.DELETE)


def _configure(kafka: Kafka, group: str, settings: Mapping[str, object], how: AlterConfigOpType) -> None:
    entries = [ConfigEntry(name, str(value), incremental_operation=how) for name, value in settings.items()]
    resource = ConfigResource(ConfigResource.Type.GROUP, group, incremental_configs=entries)
    try:
        kafka.admin.incremental_alter_configs([resource])[resource].result(_PATIENCE_SECONDS)
    except KafkaException as error:
        raise LabError(
            f"The cluster does not take {' and '.join(settings)} for a group: {error.args[0].str()}. The brokers of "
            "`eventlab up` do."
        ) from error


class ShareMember:
    """A ``ShareConsumer`` of librdkafka in ``group``, which takes up to ``at_once`` records and accepts them singly."""

    def __init__(self, kafka: Kafka, topic: str, group: str, at_once: int) -> None:
        settings = {**_EXPLICIT, "max.poll.records": at_once, "log_level": _ERRORS}
        self._consumer = ShareConsumer(kafka.config(**{"group.id": group, **settings}))
        self._consumer.subscribe([topic])

    def poll(self) -> Sequence[Message]:
        """What the broker hands over now; all that came before has to be done, or be given back."""
        return good(self._consumer.poll(_POLL_SECONDS))

    def delivery(self, message: Message) -> int:
        """How often it has been handed over by now."""
        return int(message.delivery_count())

    def done(self, message: Message) -> None:
        """Accept it: it will not come again. The broker hears of it with the next poll, or at the end."""
        self._consumer.acknowledge(message, AcknowledgeType.ACCEPT)

    def again(self, message: Message) -> None:
        """Give it back, so that somebody gets it again."""
        self._consumer.acknowledge(message, AcknowledgeType.RELEASE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()  # sends the last acknowledgements


def good(found: Iterable[Message]) -> list[Message]:
    """All of them. Raises LabError for the first that is an error."""
    messages = list(found)
    for message in messages:
        if error := message.error():
            raise LabError(f"The group could not read its topic: {error.str()}.")
    return messages


@dataclass(frozen=True)
class Taken:
    """A record of Java's, with as much of confluent-kafka's ``Message`` as a book wants to know."""

    java: Any

    def value(self) -> bytes:
        """What it holds."""
        return bytes(self.java.value())

    def partition(self) -> int:
        """Where it lies."""
        return int(self.java.partition())

    def offset(self) -> int:
        """Where it lies in its partition."""
        return int(self.java.offset())

    def timestamp(self) -> tuple[int, int]:
        """Its type, and milliseconds."""
        return int(self.java.timestampType().id), int(self.java.timestamp())


class JavaShareMember:
    """A ``KafkaShareConsumer`` in ``group``, which takes up to ``at_once`` records; Kafka 4.2 and later.

    Renewing is KIP-1222, which librdkafka 2.16 does not have:
    https://cwiki.apache.org/confluence/display/KAFKA/KIP-1222:+Acquisition+lock+timeout+renewal+in+share+consumer+explicit+mode
    """

    def __init__(self, kafka: Kafka, topic: str, group: str, at_once: int) -> None:
        self._consumer = jvm.share_consumer(
            kafka.config(**{"group.id": group, **_EXPLICIT, "max.poll.records": at_once})
        )
        self._consumer.subscribe([topic])
        self._types = jvm.acknowledgements()

    def poll(self) -> Sequence[Taken]:
        """What the broker hands over now; all that came before has to be done."""
        return [Taken(each) for each in self._consumer.poll(jvm.duration(_POLL_SECONDS))]

    def renew(self, held: Iterable[Taken]) -> None:
        """Have the locks of all that it holds begin anew. Raises LabError when the broker has taken them back."""
        if refused := self._acknowledge(held, self._types.RENEW):
            raise LabError(f"The locks were over when they were to be renewed: {refused}")
        self._consumer.poll(jvm.duration(0))  # gives what was renewed once more, as it wants to be asked

    def done(self, held: Iterable[Taken]) -> str:
        """Accept them, and give what the broker says against that: nothing, or why not."""
        return self._acknowledge(held, self._types.ACCEPT)

    def _acknowledge(self, held: Iterable[Taken], how: Any) -> str:
        for each in held:
            self._consumer.acknowledge(each.java, how)
        answers = self._consumer.commitSync(jvm.duration(_PATIENCE_SECONDS)).values()
        return "; ".join(str(answer.get().getMessage()) for answer in answers if answer.isPresent())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close(jvm.duration(_PATIENCE_SECONDS))
