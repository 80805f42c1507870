"""P2: no key, a random key, or the type of the event as key."""

from collections.abc import Callable
from random import Random
from typing import Literal

from eventlab.cluster import Kafka
from eventlab.pitfalls.checkers import inversions
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.shoppers import interleaved, stories
from eventlab.pitfalls.topics import Writer, read

SHOPPERS = 40

Key = Literal["random", "type", "cart"] | None


def run(kafka: Kafka, *, key: Key = None, seed: int = 7) -> Result:
    """Shoppers fill and buy their carts at the same time, on six partitions; ``key`` is that of the records."""
    topic = kafka.topic("carts", partitions=6)
    key_of = _chosen(key, seed)
    # Without a key librdkafka stays on one partition for 10 ms. A day of shopping passes faster than that here, so
    # the records choose one by one, as they do when they are further apart.
    with Writer(kafka, **{"sticky.partitioning.linger.ms": 0}) as shop:
        for fact in interleaved(stories(SHOPPERS), seed):
            shop.send(topic, fact, key_of(fact))
    return PITFALL.result(read(kafka, topic))


def _chosen(key: Key, seed: int) -> Callable[[Fact], str | None]:
    rng = Random(seed)  # noqa: S311 keys that repeat, not secrets
    match key:
        case None:
            return lambda _: None
        case "random":
            return lambda _: f"{rng.getrandbits(64):x}"
        case "type":
            return lambda fact: fact.type
        case "cart":
            return lambda fact: fact.key


PITFALL = Pitfall(
    id="P2",
    hypothesis="Without the right key, the events of one cart lie on several partitions and are read out of order.",
    workload=f"{SHOPPERS} shoppers at the same time, three to five events each, on six partitions",
    metric=inversions,
    unit="carts were read out of order",
    run=run,
    broken={"key": None},
    cured={"key": "cart"},
    seed=7,
    budget=5,
    brokers=1,
    sources=(
        "https://github.com/getsentry/sentry/pull/71673",
        "https://github.com/neo4j-contrib/neo4j-streams/issues/304",
        "https://github.com/base/tips-ui/pull/85",
    ),
)
