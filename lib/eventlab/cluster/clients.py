"""Small help with confluent-kafka's clients that everything else here uses."""

import contextlib
import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

# A local broker answers in milliseconds; the client's defaults back off to ten seconds while a broker starts.
_IMPATIENT = {"reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 200}
_ADMIN_SECONDS = 30
_LEADER_SECONDS = 0.02


def admin(config: Mapping[str, Any]) -> Any:
    """An AdminClient that keeps its complaints about brokers which are still starting to itself."""
    from confluent_kafka.admin import AdminClient

    return AdminClient({**_IMPATIENT, "log_level": 0, **config})


def create_topic(admin: Any, wanted: Any, seconds: float) -> None:
    """Create the topic ``wanted``. Raises KafkaException when refused, TimeoutError after ``seconds``.

    A client forgets a broker that the cluster has taken for dead, with what it had asked it; whoever asks again may
    hear that the topic is there.
    """
    from confluent_kafka import KafkaError, KafkaException

    deadline = time.monotonic() + seconds
    forgotten = False
    while True:
        try:
            return await_futures(admin.create_topics([wanted], operation_timeout=seconds))
        except KafkaException as error:
            code = error.args[0].code()
            if forgotten and code == KafkaError.TOPIC_ALREADY_EXISTS:
                return None
            if code != KafkaError._DESTROY_BROKER or time.monotonic() > deadline:
                raise
            forgotten = True


def await_leaders(admin: Any, topic: str, partitions: int, seconds: float) -> None:
    """Wait until each partition of a new topic is led: a busy broker knows a topic a moment before it leads it.

    What else goes wrong is left to whoever uses the topic; so is a leader that does not come within ``seconds``.
    """
    from confluent_kafka import KafkaError, KafkaException, TopicPartition
    from confluent_kafka.admin import OffsetSpec

    coming = {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError._NOENT,
    }
    ends = {TopicPartition(topic, partition): OffsetSpec.latest() for partition in range(partitions)}
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            return await_futures(admin.list_offsets(ends), deadline - time.monotonic())
        except KafkaException as error:
            if (code := error.args[0].code()) not in coming:
                return None
            if code == KafkaError._NOENT:
                # The client remembers for minutes that there was no leader, and asks nobody, unless it is made to.
                with contextlib.suppress(KafkaException):
                    admin.list_topics(topic, timeout=seconds)
            time.sleep(_LEADER_SECONDS)
        except TimeoutError:
            return None


def await_futures(futures: Mapping[Any, "Future[Any]"], seconds: float = _ADMIN_SECONDS) -> None:
    """Wait until all admin operations are done; raises the first KafkaException, or TimeoutError."""
    end = time.monotonic() + seconds
    for future in futures.values():
        future.result(max(0, end - time.monotonic()))
