"""P4: partitions added to a live topic move keys in the middle of their story."""

import time
from collections.abc import Iterable
from typing import Literal

from confluent_kafka import KafkaException
from confluent_kafka.admin import NewPartitions

from eventlab.cluster import Kafka, LabError
from eventlab.pitfalls.checkers import strays
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.shoppers import interleaved, stories
from eventlab.pitfalls.topics import Writer, read

SHOPPERS = 120
OLD = 6
_PATIENCE_SECONDS = 10.0
_POLL_SECONDS = 0.01


def run(
    kafka: Kafka, *, how: Literal["in place", "new topic"] = "in place", partitions: int = 12, seed: int = 7
) -> Result:
    """Shoppers have filled their carts on six partitions; the topic grows to ``partitions``; they go on and buy.

    ``how``: more partitions for the topic that is there, or a new topic, to which all that there is gets copied before
    anybody writes to it. The reader is fresh; it lags behind on the first six partitions, where the backlog is.
    """
    carts = stories(SHOPPERS)
    topic = kafka.topic("carts", partitions=OLD)
    _write(kafka, topic, interleaved([story[: len(story) // 2] for story in carts], seed))
    if how == "in place":
        _grow(kafka, topic, partitions)
    else:
        old, topic = topic, kafka.topic("carts", partitions=partitions)
        _write(kafka, topic, read(kafka, old))
    # A new producer, as after a deployment. One that went on would learn of the partitions only minutes later.
    _write(kafka, topic, interleaved([story[len(story) // 2 :] for story in carts], seed))
    return PITFALL.result(read(kafka, topic, last=range(OLD)))


def _write(kafka: Kafka, topic: str, facts: Iterable[Fact]) -> None:
    with Writer(kafka) as shop:
        for fact in facts:
            shop.send(topic, fact, fact.key)


def _grow(kafka: Kafka, topic: str, partitions: int) -> None:
    """Add partitions, and wait until the brokers tell everybody."""
    try:
        kafka.admin.create_partitions([NewPartitions(topic, partitions)])[topic].result(_PATIENCE_SECONDS)
    except KafkaException as error:
        raise LabError(f"The cluster did not add partitions: {error.args[0].str()}") from error
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while len(kafka.admin.list_topics(topic, _PATIENCE_SECONDS).topics[topic].partitions) < partitions:
        if time.monotonic() > deadline:
            raise LabError(f"{topic} did not grow to {partitions} partitions within {_PATIENCE_SECONDS:g} s.")
        time.sleep(_POLL_SECONDS)


PITFALL = Pitfall(
    id="P4",
    hypothesis="When a live topic gets more partitions, carts go on elsewhere and are read out of order.",
    workload=f"{SHOPPERS} carts begun on {OLD} partitions and bought after the topic has grown",
    metric=strays,
    unit="carts are split over two partitions",
    run=run,
    broken={"how": "in place"},
    cured={"how": "new topic"},
    seed=7,
    budget=10,
    brokers=1,
    sources=(
        "https://issues.apache.org/jira/browse/KAFKA-20030",
        "https://github.com/karafka/karafka/issues/2804",
    ),
)
