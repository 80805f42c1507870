"""Writing facts in transactions with librdkafka's producer or Kafka's own, and what the writer knows afterwards."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal, Protocol

import jpype
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from eventlab.cluster import LabError, jvm
from eventlab.pitfalls.history import Sent, Status
from eventlab.pitfalls.record import Fact
from eventlab.settings.quiet import QUIET, abandon

Client = Literal["librdkafka", "java"]

_PATIENCE_SECONDS = 20  # a broker that is alive answers within milliseconds


class Teller:
    """A transactional producer that notes the fate of what it sends (:attr:`sent`). For a ``with`` block.

    ``config`` is a client's, with ``transactional.id``. ``seconds``: how long :meth:`end` waits for an answer, with
    librdkafka; Java takes that from its configuration (``max.block.ms``). LabError: the cluster refused something.
    """

    def __init__(
        self, config: Mapping[str, Any], client: Client = "librdkafka", seconds: float = _PATIENCE_SECONDS
    ) -> None:
        self._config, self._kind, self._seconds = config, client, seconds
        self._client = self._connected()
        self._over: list[Sent] = []
        self._open: list[Sent] = []

    def _connected(self) -> "_Transactional":
        return _Java(self._config) if self._kind == "java" else _Librdkafka(self._config, self._seconds)

    @property
    def sent(self) -> tuple[Sent, ...]:
        """All that was sent, in this order; the fate of what stands in an open transaction is unknown."""
        return (*self._over, *self._open)

    def begin(self) -> None:
        """Open a transaction."""
        self._client.begin()

    def send(self, topic: str, fact: Fact, partition: int, transaction: str) -> None:
        """Send ``fact`` in the open transaction, called ``transaction`` in the history; wait for the answer."""
        offset = self._client.send(topic, fact, partition)
        self._open.append(Sent(fact, "unknown", partition, offset, transaction))

    def end(self, how: Literal["commit", "abort"]) -> None:
        """Have the transaction's records seen by all, or by nobody.

        Raises TimeoutError when the client got no answer. Then nobody knows whether it was done; both clients' manuals
        say that the call may be repeated.
        """
        self._client.commit() if how == "commit" else self._client.abort()
        self._settle("ok" if how == "commit" else "fail")

    def replace(self) -> None:
        """Throw the producer away and take a new one with the same ``transactional.id``, which fences the old one."""
        old, self._client = self._client, self._connected()
        old.close()
        self._settle("unknown")

    def _settle(self, status: Status) -> None:
        self._over += [replace(attempt, status=status) for attempt in self._open]
        self._open = []

    def __enter__(self) -> "Teller":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()


class _Transactional(Protocol):
    """What the two clients have in common."""

    def begin(self) -> None: ...
    def send(self, topic: str, fact: Fact, partition: int) -> int: ...
    def commit(self) -> None: ...
    def abort(self) -> None: ...
    def close(self) -> None: ...


class _Librdkafka:
    def __init__(self, config: Mapping[str, Any], seconds: float) -> None:
        self._seconds = seconds
        self._producer = Producer({**config, "logger": QUIET})
        self._call(self._producer.init_transactions, _PATIENCE_SECONDS)

    def begin(self) -> None:
        self._call(self._producer.begin_transaction)

    def send(self, topic: str, fact: Fact, partition: int) -> int:
        answers: list[tuple[KafkaError | None, Message]] = []
        value, key = fact.encode(), fact.key
        self._producer.produce(topic, value, key, partition, on_delivery=lambda *answer: answers.append(answer))
        self._producer.flush(_PATIENCE_SECONDS)
        if not answers:
            raise LabError(f"The cluster did not acknowledge a record of {topic} within {_PATIENCE_SECONDS:g} s.")
        [(error, message)] = answers
        if error:
            raise LabError(f"The cluster refused a record of {topic}: {error.str()}.")
        return int(message.offset())

    def commit(self) -> None:
        self._call(self._producer.commit_transaction, self._seconds)

    def abort(self) -> None:
        self._call(self._producer.abort_transaction, self._seconds)

    def close(self) -> None:
        abandon(self._producer)

    @staticmethod
    def _call(method: Any, *arguments: Any) -> None:
        try:
            method(*arguments)
        except KafkaException as error:
            reason: KafkaError = error.args[0]
            if reason.code() == KafkaError._TIMED_OUT and reason.retriable():
                raise TimeoutError(reason.str()) from error
            raise LabError(f"The cluster refused a transaction: {reason.str()}.") from error


class _Java:
    def __init__(self, config: Mapping[str, Any]) -> None:
        self._producer = jvm.producer({"max.block.ms": 1000 * _PATIENCE_SECONDS, **config})
        self._call(self._producer.initTransactions)

    def begin(self) -> None:
        self._call(self._producer.beginTransaction)

    def send(self, topic: str, fact: Fact, partition: int) -> int:
        record = jvm.record(topic, fact.encode(), fact.key.encode(), partition)
        answer = self._producer.send(record)
        unit = jpype.java.util.concurrent.TimeUnit.SECONDS
        return int(self._call(lambda: answer.get(_PATIENCE_SECONDS, unit)).offset())

    def commit(self) -> None:
        self._call(self._producer.commitTransaction)

    def abort(self) -> None:
        self._call(self._producer.abortTransaction)

    def close(self) -> None:
        with suppress(jpype.JException):
            self._producer.close(jvm.duration(0))

    @staticmethod
    def _call(method: Any) -> Any:
        try:
            return method()
        except jpype.JException as error:
            if isinstance(error, jpype.JClass("org.apache.kafka.common.errors.TimeoutException")):
                raise TimeoutError(str(error)) from error
            raise LabError(f"The cluster refused a transaction: {error}.") from error
