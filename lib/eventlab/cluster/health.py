"""Brokers that all run and copies that are all there: what an experiment that kills or pauses brokers leaves behind."""

import contextlib
import time
from collections.abc import Iterator

from eventlab.cluster.errors import LabError
from eventlab.cluster.kafka import Kafka

_PATIENCE_SECONDS = 90.0  # three brokers start in 6 s; a busy machine takes its time
_ANSWER_SECONDS = 1.0
_POLL_SECONDS = 0.05


@contextlib.contextmanager
def healthy(kafka: Kafka) -> Iterator[None]:
    """For a ``with`` block that harms brokers: before it, and after it however it ends, the cluster is healed."""
    heal(kafka)
    try:
        yield
    finally:
        heal(kafka)


def heal(kafka: Kafka, seconds: float = _PATIENCE_SECONDS) -> None:
    """Have every broker of the lab run and every copy of every partition in sync, whatever was done to them.

    Raises NeedsEmbeddedLab on a cluster that the lab did not start, LabError when it takes longer than ``seconds``.
    """
    for broker in kafka.brokers:
        if broker.state == "paused":
            broker.resume()
    for broker in kafka.brokers:
        if broker.state == "dead":
            broker.restart()
    deadline = time.monotonic() + seconds
    while behind := _behind(kafka):
        if time.monotonic() > deadline:
            raise LabError(f"After {seconds:g} s not all copies are in sync again: {', '.join(behind)}.")
        time.sleep(_POLL_SECONDS)


def _behind(kafka: Kafka) -> list[str]:
    """The partitions without a leader or without some of their copies."""
    from confluent_kafka import KafkaException

    try:
        metadata = kafka.admin.list_topics(timeout=_ANSWER_SECONDS)
    except KafkaException:
        return ["no broker answers"]
    missing = {broker.id for broker in kafka.brokers} - metadata.brokers.keys()
    return [f"broker {node}" for node in sorted(missing)] + [
        f"{topic.topic} [{partition.id}]"
        for topic in metadata.topics.values()
        for partition in topic.partitions.values()
        if partition.leader == -1 or set(partition.isrs) != set(partition.replicas)
    ]
