"""What lesson 20 measures of a group: for how long nobody reads the partitions of a member that has gone."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, Literal

from confluent_kafka import Consumer

from eventlab.cluster import Kafka, LabError
from eventlab.pitfalls.actors import Actor, Tell

_PARTITIONS = 6
_PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.02
_HEARTBEAT_MS = 100  # how soon a member hears that the partitions are dealt out anew; 3 s by default


def takeover(kafka: Kafka, *, goes: Literal["closes", "killed"], session_ms: int = 3000) -> float:
    """Two consumers of a group share six partitions, and one of them goes. Seconds until the other has all six.

    ``goes``: it closes its consumer, or its process is killed. ``session_ms``: ``session.timeout.ms``, after which the
    brokers take a silent member for dead; by default that is 45 s.
    """
    topic = kafka.topic("orders", partitions=_PARTITIONS)
    member = {"group.id": kafka.group("desk"), "session.timeout.ms": session_ms, "heartbeat.interval.ms": _HEARTBEAT_MS}
    config = kafka.config(**member, log_level=0)
    with closing(Consumer(config)) as stays, Actor(share, config=config, topic=topic) as leaves:
        stays.subscribe([topic])
        with ThreadPoolExecutor(1) as other:
            shares = other.submit(leaves.until, "shares")
            while not shares.done():
                stays.poll(_POLL_SECONDS)
            shares.result()
        went = time.monotonic()
        leaves.kill() if goes == "killed" else leaves.finish()
        while len(stays.assignment()) < _PARTITIONS:
            stays.poll(_POLL_SECONDS)
            if time.monotonic() > went + _PATIENCE_SECONDS:
                raise LabError(f"The partitions were not dealt out anew within {_PATIENCE_SECONDS:g} s.")
        return time.monotonic() - went


def share(tell: Tell, *, config: Mapping[str, Any], topic: str) -> None:
    """Join the group, stand at ``shares`` once it has some of the partitions and not all, and leave the group."""
    with closing(Consumer(dict(config))) as consumer:
        consumer.subscribe([topic])
        while not 0 < len(consumer.assignment()) < _PARTITIONS:
            consumer.poll(_POLL_SECONDS)
        tell("shares")
