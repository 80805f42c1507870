"""What the pitfalls with dying brokers share: who holds which copy, and a verdict with the brokers drawn over time."""

import time
from dataclasses import dataclass
from typing import Any

import pandas as pd
from confluent_kafka import IsolationLevel

from eventlab.cluster import Broker, Kafka, LabError
from eventlab.cluster.ends import ends
from eventlab.cluster.watch import Timeline, Watch
from eventlab.pitfalls.experiment import Result
from eventlab.pitfalls.record import Fact, Place

_PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.01


@dataclass(frozen=True, kw_only=True, repr=False)
class Failover(Result):
    """A result whose picture is the brokers over time: who led, who was in sync, who was paused or dead."""

    timeline: Timeline

    def picture(self) -> Any:
        """Lanes of brokers."""
        from eventlab.show import brokers

        return brokers(self.timeline)

    def rewritten(self) -> pd.DataFrame:
        """A row per offset at which a reader finds something else than what was first acknowledged there."""
        said: dict[Place | None, Fact] = {}
        for attempt in self.history.sent:
            said.setdefault(attempt.place, attempt.fact)
        rows = [
            (record.offset, said[record.place].key, record.key)
            for record in self.records
            if said.get(record.place, record.fact) != record.fact
        ]
        return pd.DataFrame(rows, columns=["offset", "acknowledged there", "read there"])


def copies(kafka: Kafka, watch: Watch) -> tuple[Broker, list[Broker]]:
    """The broker that leads the watched partition, and those that follow it, once all of them are in sync."""
    seen = watch.until(lambda sample: bool(sample.replicas) and sample.whole)
    holders = [broker for broker in kafka.brokers if broker.id in seen.replicas]
    [leader] = [broker for broker in holders if broker.id == seen.leader]
    return leader, [broker for broker in holders if broker is not leader]


def await_copied(kafka: Kafka, topic: str, records: int) -> None:
    """Wait until the high watermark says that every copy in sync has so many. Raises LabError if it is late."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while ends(kafka, topic, IsolationLevel.READ_UNCOMMITTED)[0] < records:
        if time.monotonic() > deadline:
            raise LabError(f"{topic} was not copied within {_PATIENCE_SECONDS:g} s.")
        time.sleep(_POLL_SECONDS)
