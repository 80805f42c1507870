"""What lesson 12 asks the brokers about a consumer group: how far it is, and who in it has which partitions."""

import time
from typing import Any

import pandas as pd
from confluent_kafka import Consumer, ConsumerGroupState

from eventlab.cluster import Kafka, LabError, groups

_PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.05
_HEARTBEAT_MS = 100  # how soon a member hears that the partitions are dealt out anew; 3 s by default


def lag(kafka: Kafka, topic: str, group: str) -> pd.DataFrame:
    """How far ``group`` is: a row per partition, with what it has committed, the end, and the records between.

    A group that has committed nothing begins at the first record there is.
    """
    rows = [
        (each.partition, each.committed, each.end, each.lag) for each in groups.Groups(kafka).progress(group, topic)
    ]
    return pd.DataFrame(rows, columns=["partition", "committed", "end", "lag"]).astype({"committed": "Int64"})


def share_out(kafka: Kafka, topic: str, consumers: int) -> pd.DataFrame:
    """Let so many consumers join one group, and ask the brokers who got which partitions: a row per consumer.

    Raises LabError when the group does not come to rest in time.
    """
    group = kafka.group("desk")
    settings = kafka.config(**{"group.id": group, "heartbeat.interval.ms": _HEARTBEAT_MS, "enable.auto.commit": False})
    members = [Consumer({**settings, "client.id": f"consumer {number}"}) for number in range(1, consumers + 1)]
    try:
        for member in members:
            member.subscribe([topic])
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for member in members:
                member.poll(0)
            told: Any = kafka.admin.describe_consumer_groups([group], request_timeout=_PATIENCE_SECONDS)[group].result()
            if told.state == ConsumerGroupState.STABLE and len(told.members) == consumers:
                shares = {one.client_id: [p.partition for p in one.assignment.topic_partitions] for one in told.members}
                return pd.DataFrame(sorted(shares.items()), columns=["consumer", "partitions"])
            time.sleep(_POLL_SECONDS)
    finally:
        for member in members:
            member.close()
    raise LabError(f"The {consumers} consumers did not share out {topic} within {_PATIENCE_SECONDS:g} s.")
