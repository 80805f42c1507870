"""P7: a producer that is started again sends again what its predecessor had sent."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from eventlab.cluster import Kafka
from eventlab.pitfalls import outbox
from eventlab.pitfalls.actors import Actor, Step
from eventlab.pitfalls.checkers import duplicates
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.record import Fact, Record
from eventlab.pitfalls.shoppers import interleaved, stories
from eventlab.pitfalls.topics import read

SHOPPERS = 20
_IDEMPOTENT = {"enable.idempotence": True, "max.in.flight": 1, "log_level": 0}


def run(kafka: Kafka, *, reader: Literal["takes all", "knows ids"] = "takes all", seed: int = 7) -> Result:
    """The shop's events lie in an outbox. A relay sends them, and is killed once: acknowledged is a batch, not noted.

    The producer is idempotent in both arms. ``reader``: one that takes every record for an event, or one that
    remembers the ids of the events that it has taken.
    """
    topic = kafka.topic("carts")
    facts = interleaved(stories(SHOPPERS), seed)
    with tempfile.TemporaryDirectory() as directory:
        shop = Path(directory) / "shop.db"
        outbox.fill(shop, facts)
        with Actor(outbox.relay, outbox=str(shop), topic=topic, config=kafka.config(**_IDEMPOTENT)) as relay:
            relay.until("acknowledged", times=2)
            relay.restart()
            relay.finish()
    records = read(kafka, topic)
    return PITFALL.result(records if reader == "takes all" else once(records), _sent(facts, relay.steps))


def once(records: Iterable[Record]) -> list[Record]:
    """The records whose event was not there before."""
    taken: dict[str, Record] = {}
    for record in records:
        taken.setdefault(record.id, record)
    return list(taken.values())


def _sent(facts: list[Fact], steps: Iterable[Step]) -> list[Sent]:
    return [
        Sent(facts[position - 1], "ok", 0, offset)
        for step in steps
        if step.name == "acknowledged"
        for position, offset in zip(step.what["positions"], step.what["offsets"], strict=True)
    ]


PITFALL = Pitfall(
    id="P7",
    hypothesis="An idempotent producer that is started again doubles events all the same.",
    workload=f"{SHOPPERS} shoppers at the same time, an outbox, a relay that is killed once and started again",
    metric=duplicates,
    unit="carts had an event taken twice",
    run=run,
    broken={"reader": "takes all"},
    cured={"reader": "knows ids"},
    seed=7,
    budget=10,
    brokers=1,
    sources=(
        "https://github.com/confluentinc/confluent-kafka-python/issues/1188",
        "https://github.com/confluentinc/librdkafka/issues/4953",
        "https://github.com/KanishJebaMathewM/Truxify/issues/14680",
        "https://github.com/namastack/namastack-outbox/issues/195",
    ),
)
