"""P12: by default, one client reads what was taken back and the other does not."""

from random import Random
from typing import Any, Literal

from eventlab.cluster import Kafka
from eventlab.pitfalls.checkers import aborted_reads
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.java import read_java
from eventlab.pitfalls.marks import marks
from eventlab.pitfalls.topics import await_stable, read
from eventlab.pitfalls.transactions import Client, Teller
from eventlab.pitfalls.transfers import ANA, BEN, transfers

TRANSFERS = 12
_TURNED_DOWN = 4

Isolation = Literal["default", "read_committed", "read_uncommitted"]


def run(kafka: Kafka, *, isolation: Isolation = "default", client: Client = "java", seed: int = 7) -> Result:
    """A bank turns some transfers down when both halves are written, and aborts.

    ``isolation``: the reader's ``isolation.level``; by default it is not set. ``client``: with what the reader reads.
    """
    topic = kafka.topic("accounts", partitions=2)
    numbers = range(1, TRANSFERS + 1)
    turned_down = Random(seed).sample(numbers, _TURNED_DOWN)  # noqa: S311 a day that repeats, not a secret
    with Teller(kafka.config(**{"transactional.id": kafka.name("bank")})) as bank:
        for number, (debit, credit) in zip(numbers, transfers(TRANSFERS, seed), strict=True):
            bank.begin()
            bank.send(topic, debit, ANA, transaction=debit.key)
            bank.send(topic, credit, BEN, transaction=debit.key)
            bank.end("abort" if number in turned_down else "commit")
    await_stable(kafka, topic)
    settings: dict[str, Any] = {} if isolation == "default" else {"isolation.level": isolation}
    seen = (read_java if client == "java" else read)(kafka, topic, **settings)
    return PITFALL.result(seen, bank.sent, marks=marks(kafka, topic))


PITFALL = Pitfall(
    id="P12",
    hypothesis="A Java consumer that is not told otherwise reads transfers that the bank has taken back.",
    workload=f"{TRANSFERS} transfers in a transaction each, {_TURNED_DOWN} of which are aborted",
    metric=aborted_reads,
    unit="transfers were read although the bank had taken them back",
    run=run,
    broken={"isolation": "default"},
    cured={"isolation": "read_committed"},
    seed=7,
    budget=5,
    brokers=1,
    sources=(
        "https://github.com/confluentinc/confluent-kafka-python/issues/1399",
        "https://github.com/confluentinc/librdkafka/pull/2495",
        "https://github.com/IBMStreams/streamsx.kafka/issues/192",
        "https://github.com/redpanda-data/redpanda/issues/6630",
    ),
)
