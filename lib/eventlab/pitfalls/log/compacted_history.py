"""P25: compaction keeps the last record of each key, and so it eats the history of each entity."""

from functools import partial
from typing import Literal

from eventlab.cluster import Kafka
from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.log.cleaner import HEARTBEAT, await_cleaner, settings
from eventlab.pitfalls.record import Record
from eventlab.pitfalls.shoppers import interleaved, stories
from eventlab.pitfalls.topics import Writer, read

SHOPPERS = 20


def run(kafka: Kafka, *, cleanup_policy: Literal["compact", "delete"] = "compact", seed: int = 7) -> Result:
    """Shoppers fill and buy their carts, with the cart as key; what happened last to each is kept in a second topic.

    ``cleanup_policy``: that of the topic with the events. The second topic, of which nobody wants more than the last
    record of each cart, is compacted in both arms. The reader comes when all that is to be compacted has been.
    """
    topic = kafka.topic("carts", retention_ms=-1, **settings(cleanup_policy=cleanup_policy))
    states = kafka.topic("states", **settings())
    events = interleaved(stories(SHOPPERS), seed)
    with Writer(kafka) as shop:
        for fact in events:
            shop.send(topic, fact, fact.key)
            shop.send(states, fact, fact.key)
    for compacted in [states, topic] if cleanup_policy == "compact" else [states]:
        await_cleaner(kafka, compacted, partial(_one_each, kafka, compacted))
    return PITFALL.result(_events(kafka, topic), [Sent(fact, "ok") for fact in events])


def _events(kafka: Kafka, topic: str) -> list[Record]:
    return [record for record in read(kafka, topic) if record.key != HEARTBEAT.key]


def _one_each(kafka: Kafka, topic: str) -> bool:
    """Whether a reader gets one record of each key: the sign that the topic was compacted."""
    records = _events(kafka, topic)
    return len(records) == len({record.key for record in records})


PITFALL = Pitfall(
    id="P25",
    hypothesis="A compacted topic keeps the last event of each entity, and the entity needs all of them.",
    workload=f"{SHOPPERS} shoppers at the same time, one partition, the cart as key; a cleaner that has done its work",
    metric=lost_writes,
    unit="carts have lost events that were acknowledged",
    run=run,
    broken={"cleanup_policy": "compact"},
    cured={"cleanup_policy": "delete"},
    seed=7,
    budget=20,
    brokers=1,
    sources=(
        "https://kafka.apache.org/documentation/#compaction",
        "https://github.com/zalando/nakadi/pull/905",
        "https://github.com/aiven/devportal/pull/402",
    ),
)
