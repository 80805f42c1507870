"""P13: a client commits what it has handed out, not what was done with it."""

import tempfile
import time
from pathlib import Path

from eventlab.cluster import Kafka, LabError
from eventlab.pitfalls import bank
from eventlab.pitfalls.actors import Actor
from eventlab.pitfalls.batches import committed
from eventlab.pitfalls.book import applied
from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.payments import arrived

PAYMENTS = 600
KILLED_AFTER = 100
_PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.01


def run(kafka: Kafka, *, store: bool = True, seed: int = 7) -> Result:
    """A bank books card payments, 500 at a time. Its process is killed in the first batch, and started again.

    ``store``: ``enable.auto.offset.store``, on by default: the client stores the offsets of a batch as it hands it
    out. Without, the bank stores each offset behind its payment. A timer commits what is stored, in both arms.
    """
    topic, group = kafka.topic("payments"), kafka.group("bank")
    sent = arrived(kafka, topic, PAYMENTS, seed)
    with tempfile.TemporaryDirectory() as directory:
        book = str(Path(directory) / "book.db")
        options = {"topic": topic, "group": group, "book": book, "store": store}
        with Actor(bank.book_by_the_timer, config=kafka.config(), **options) as process:
            process.until("booked", times=KILLED_AFTER)
            _await_timer(kafka, topic, group, KILLED_AFTER)
            process.restart()
            process.finish()
        return PITFALL.result(applied(book), sent)


def _await_timer(kafka: Kafka, topic: str, group: str, offset: int) -> None:
    """Wait until the timer has committed at least what is booked."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while committed(kafka, topic, group) < offset:
        if time.monotonic() > deadline:
            raise LabError(f"The client of this experiment committed nothing within {_PATIENCE_SECONDS:g} s.")
        time.sleep(_POLL_SECONDS)


PITFALL = Pitfall(
    id="P13",
    hypothesis="A consumer that is killed in a batch never gets the rest of it: the client has committed all of it.",
    workload=f"{PAYMENTS} card payments; the bank is killed when it has booked {KILLED_AFTER}, and started again",
    metric=lost_writes,
    unit="payments were never booked",
    run=run,
    broken={"store": True},
    cured={"store": False},
    seed=7,
    budget=10,
    brokers=1,
    sources=(
        "https://github.com/confluentinc/librdkafka/issues/2609",
        "https://github.com/confluentinc/librdkafka/issues/2179",
        "https://github.com/dpkp/kafka-python/issues/722",
    ),
)
