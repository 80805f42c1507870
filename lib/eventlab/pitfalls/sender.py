"""A producer that keeps account of its facts: which were acknowledged, which failed, of which nothing is known."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from eventlab.cluster.errors import LabError
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.record import Fact

_PATIENCE_SECONDS = 20.0
_PRODUCER = {
    "acks": "all",
    "log_level": 0,  # librdkafka would tell of every fault that an experiment makes
}


class Sender:
    """Sends to one topic, for the length of a ``with`` block. What fails is no error here: :attr:`sent` says so.

    ``config`` is a client's; most of what it does not set are librdkafka's defaults.
    """

    def __init__(self, topic: str, config: Mapping[str, Any]) -> None:
        self._topic, self._sent = topic, list[Sent]()
        self._producer = Producer({**_PRODUCER, **config})
        # Connected before the first record: else librdkafka lets half a second pass until it asks for a producer id.
        self._producer.list_topics(topic, timeout=_PATIENCE_SECONDS)

    @property
    def sent(self) -> tuple[Sent, ...]:
        """Every attempt, in the order of sending, with what is known of its fate."""
        return tuple(self._sent)

    def send(self, facts: Iterable[Fact], encode: Callable[[Fact], bytes] = Fact.encode) -> None:
        """Send each of ``facts`` in a record with its entity as key, and what ``encode`` makes of it as value."""
        for fact in facts:
            heard = partial(self._heard, len(self._sent))
            self._sent.append(Sent(fact, "unknown"))
            self._producer.produce(self._topic, encode(fact), fact.key, on_delivery=heard)

    def _heard(self, place: int, error: KafkaError | None, message: Message) -> None:
        if error is None:
            partition, offset = message.partition(), message.offset()
            self._sent[place] = replace(self._sent[place], status="ok", partition=partition, offset=offset)

    def settle(self, seconds: float) -> int:
        """Wait for reports, ``seconds`` at most; gives on how many facts there is none yet."""
        return int(self._producer.flush(seconds))

    def flush(self, seconds: float = _PATIENCE_SECONDS) -> None:
        """Wait until there is a report on each fact. Raises LabError if one is late."""
        if silent := self.settle(seconds):
            raise LabError(f"{silent} records of this experiment had no report within {seconds:g} s.")

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, *_: object) -> None:
        self._producer.purge()
        self._producer.close()
