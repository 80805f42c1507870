"""P17: offsets are committed beside the transaction of what follows from them, which a kill between them doubles."""

from eventlab.cluster import Kafka
from eventlab.pitfalls import bank
from eventlab.pitfalls.actors import Actor
from eventlab.pitfalls.checkers import duplicates
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.payments import arrived
from eventlab.pitfalls.topics import await_stable, read

PAYMENTS = 100
_KILLED_IN_BATCH = 2


def run(kafka: Kafka, *, offsets: bank.Receipts = "after the transaction", seed: int = 7) -> Result:
    """A bank reads payments and writes a receipt for each to another topic, in transactions of 25. It is killed once.

    ``offsets``: those of the payments are committed when the transaction of the receipts is, or they are part of it.
    What counts is in the topic of receipts, for a reader of committed records.
    """
    topic, receipts = kafka.topic("payments"), kafka.topic("receipts")
    payments = arrived(kafka, topic, PAYMENTS, seed)
    options = {"group": kafka.group("bank"), "name": kafka.name("receipts"), "offsets": offsets}
    with Actor(bank.send_receipts, config=kafka.config(), topic=topic, receipts=receipts, **options) as process:
        process.until("between", times=_KILLED_IN_BATCH)
        process.restart()
        process.finish()
    await_stable(kafka, receipts)
    # It came to its end, so it had an acknowledged commit for each of them.
    sent = [Sent(bank.receipt(payment.fact), "ok") for payment in payments]
    return PITFALL.result(read(kafka, receipts), sent)


PITFALL = Pitfall(
    id="P17",
    hypothesis="A service that writes in transactions doubles what it writes, if the offsets it read are not in them.",
    workload=f"{PAYMENTS} card payments, a receipt for each; the bank is killed once at its commit, and started again",
    metric=duplicates,
    unit="payments have two receipts",
    run=run,
    broken={"offsets": "after the transaction"},
    cured={"offsets": "in the transaction"},
    seed=7,
    budget=10,
    brokers=1,
    sources=(
        "https://github.com/apache/camel/pull/26557",
        "https://github.com/akka/alpakka-kafka/pull/752",
        "https://github.com/confluentinc/confluent-kafka-python/issues/943",
        "https://github.com/tulios/kafkajs/issues/207",
    ),
)
