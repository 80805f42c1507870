"""Faults as they strike: each ends, however the block ends, and is over only when the cluster is whole again."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from confluent_kafka import ElectionType, IsolationLevel, KafkaException, TopicPartition

from eventlab.cluster import Broker, Kafka, LabError
from eventlab.cluster.ends import ends
from eventlab.cluster.health import heal
from eventlab.cluster.proxy import FaultProxy, Frames
from eventlab.pitfalls.chaos.plan import Fault

_PATIENCE_SECONDS = 60.0
_ANSWER_SECONDS = 5.0
_LOOK_SECONDS = 0.1


class Reader(Protocol):
    """A process that reads, as far as faults go."""

    def restart(self) -> None:
        """Kill it and start it again."""
        ...


@contextmanager
def struck(kafka: Kafka, proxy: FaultProxy, readers: Iterable[Reader], fault: Fault) -> Iterator[None]:
    """``fault`` is in force in the block."""
    brokers = kafka.brokers
    broker = next((each for each in brokers if each.id == fault.broker), None)
    match fault.kind, broker:
        case "kill", Broker():
            broker.kill()
            try:
                yield
            finally:
                broker.restart()
        case "kill alone", Broker():
            others = [each for each in brokers if each.id != fault.broker]
            try:
                for other in others:
                    other.pause()
                yield
                broker.kill()
            finally:
                for other in others:
                    other.resume()
            broker.restart()
        case "pause", Broker():
            broker.pause()
            try:
                yield
            finally:
                broker.resume()
        case "restart", Broker():
            yield
            broker.restart()
        case (("cut requests" | "cut answers"), None):
            rule = proxy.cut(Frames("Produce", "request" if fault.kind == "cut requests" else "response"))
            proxy.disconnect()
            try:
                yield
            finally:
                rule.release()
        case "kill readers", None:
            yield
            for reader in readers:
                reader.restart()
        case _:
            raise ValueError(f"there is no such fault, or no such broker: {fault}")


def make_whole(kafka: Kafka, topic: str) -> None:
    """Heal the cluster, and have each partition of ``topic`` led by the broker that is to lead it.

    Then no partition loses its quorum when the next broker is struck, and each broker leads something.
    Raises LabError when it takes too long.
    """
    heal(kafka)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while trouble := _trouble(kafka, topic):
        if time.monotonic() > deadline:
            raise LabError(f"The brokers did not take the lead again within {_PATIENCE_SECONDS:g} s: {trouble}.")
        time.sleep(_LOOK_SECONDS)


def _trouble(kafka: Kafka, topic: str) -> str:
    """What is not as it should be; asks the brokers for the leaders that it should have."""
    try:
        partitions = kafka.admin.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic].partitions
        astray = [
            TopicPartition(topic, number) for number, each in partitions.items() if each.leader != each.replicas[0]
        ]
        if astray:
            # Without a deadline of its own: confluent-kafka 2.16 raises SystemError when it is given one.
            kafka.admin.elect_leaders(ElectionType.PREFERRED, astray).result(_ANSWER_SECONDS)
            return f"another broker leads {', '.join(map(str, astray))}"
        ends(kafka, topic, IsolationLevel.READ_COMMITTED)  # a new leader may not know yet how far all have got
    except KafkaException as error:
        return str(error.args[0].str())
    except TimeoutError:
        return "no answer"
    return ""
