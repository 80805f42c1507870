"""P15: a pool of threads takes the events of one entity out of the order that the partition kept."""

import tempfile
from pathlib import Path
from random import Random
from typing import Any

from eventlab.cluster import Kafka
from eventlab.pitfalls import crew
from eventlab.pitfalls.actors import Actor
from eventlab.pitfalls.book import applied
from eventlab.pitfalls.checkers import inversions, lost_writes
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.history import History, Sent
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.shoppers import interleaved, stories
from eventlab.pitfalls.topics import Writer

SHOPPERS = 20
SLOW = 6  # carts; fewer than there are threads, so that a pool gets on with all the others


def run(kafka: Kafka, *, threads: crew.Threads = "pool", seed: int = 7) -> Result:
    """A shop keeps a view of its carts with eight threads. In six carts the second event needs a service that is slow.

    ``threads``: each takes the next event that there is (a pool), or those of its own carts, in a lane of its own.
    """
    with tempfile.TemporaryDirectory() as directory:
        process, book, sent = _shop(kafka, directory, threads, "watermark", seed)
        with process:
            process.finish()
        return PITFALL.result(applied(book), sent)


def killed(kafka: Kafka, *, commit: crew.Commit = "highest", seed: int = 7) -> Result:
    """The same shop with lanes, killed while it waits for the slow service, and started again.

    ``commit``: it has committed the highest offset that was done, or the one up to which all was done. Counted are the
    carts of which an event was never applied. The view knows by its ids what it has.
    """
    with tempfile.TemporaryDirectory() as directory:
        process, book, sent = _shop(kafka, directory, "lane per cart", commit, seed)
        with process:
            process.until("committed")
            process.restart()
            process.finish()
        return Result(History(applied(book), tuple(sent)), lost_writes, "carts miss an event for ever")


def _shop(
    kafka: Kafka, directory: str, threads: crew.Threads, commit: crew.Commit, seed: int
) -> tuple[Actor, str, list[Sent]]:
    """The shop's process, its view, and what is in its topic."""
    topic, told = kafka.topic("carts"), stories(SHOPPERS)
    facts = interleaved(told, seed)
    with Writer(kafka) as shop:
        for fact in facts:
            shop.send(topic, fact, fact.key)
    book = str(Path(directory) / "view.db")
    options: dict[str, Any] = {"topic": topic, "group": kafka.group("shop"), "book": book}
    options |= {"threads": threads, "commit": commit, "slow": _slow(told, seed)}
    return Actor(crew.view_carts, config=kafka.config(), **options), book, [Sent(fact, "ok") for fact in facts]


def _slow(told: list[list[Fact]], seed: int) -> list[str]:
    """The ids of the second events of some carts."""
    return [story[1].id for story in Random(seed).sample(told, SLOW)]  # noqa: S311 a choice that repeats, not a secret


PITFALL = Pitfall(
    id="P15",
    hypothesis="A pool of threads applies the events of a cart out of order, though they came on one partition.",
    workload=f"{SHOPPERS} shoppers at the same time, one partition, eight threads; in {SLOW} carts an event takes long",
    metric=inversions,
    unit="carts were applied out of order",
    run=run,
    broken={"threads": "pool"},
    cured={"threads": "lane per cart"},
    seed=7,
    budget=10,
    brokers=1,
    sources=(
        "https://github.com/confluentinc/parallel-consumer/issues/826",
        "https://github.com/bsm/sarama-cluster/issues/186",
        "https://github.com/confluentinc/parallel-consumer/pull/17",
    ),
)
