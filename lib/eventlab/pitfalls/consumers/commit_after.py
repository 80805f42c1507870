"""P14: the work is done, the offset is not yet committed: after a kill between the two, the work is done again."""

import tempfile
from pathlib import Path

from eventlab.cluster import Kafka
from eventlab.pitfalls import bank
from eventlab.pitfalls.actors import Actor
from eventlab.pitfalls.book import applied
from eventlab.pitfalls.checkers import repeats
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.payments import arrived

PAYMENTS = 100
_KILLED_IN_BATCH = 2


def run(kafka: Kafka, *, offsets: bank.Offsets = "in Kafka", ids: bool = False, seed: int = 7) -> Result:
    """A bank books card payments in batches of 25. It is killed once between its two writes, and started again.

    ``offsets``: after the batch they are committed to Kafka, or they stand in the book, written in one transaction with
    the payments. ``ids``: whether the bank looks first if the book has that payment already.
    """
    topic, group = kafka.topic("payments"), kafka.group("bank")
    sent = arrived(kafka, topic, PAYMENTS, seed)
    with tempfile.TemporaryDirectory() as directory:
        book = str(Path(directory) / "book.db")
        options = {"topic": topic, "group": group, "book": book, "offsets": offsets, "ids": ids}
        with Actor(bank.book_by_hand, config=kafka.config(), **options) as process:
            process.until("between", times=_KILLED_IN_BATCH)
            process.restart()
            process.finish()
        return PITFALL.result(applied(book), sent)


PITFALL = Pitfall(
    id="P14",
    hypothesis="A consumer that is killed after its work and before its commit does the work of that batch twice.",
    workload=f"{PAYMENTS} card payments in batches; the bank is killed once between its two writes",
    metric=repeats,
    unit="payments were booked twice",
    run=run,
    broken={"offsets": "in Kafka"},
    cured={"offsets": "in the book"},
    seed=7,
    budget=10,
    brokers=1,
    sources=(
        "https://github.com/PacktPublishing/Hands-On-Domain-Driven-Design-with-.NET-Core/issues/17",
        "https://github.com/PostHog/posthog/pull/43945",
        "https://github.com/ClickHouse/ClickHouse/issues/16152",
    ),
)
