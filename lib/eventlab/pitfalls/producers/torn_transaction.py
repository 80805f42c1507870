"""P9: a commit or an abort that comes late tears the next transaction."""

from typing import Literal

from eventlab.cluster import Kafka
from eventlab.cluster.faults import Frames, Rule
from eventlab.cluster.proxy import FaultProxy
from eventlab.pitfalls.checkers import torn_transactions
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.marks import marks
from eventlab.pitfalls.topics import await_stable, read
from eventlab.pitfalls.transactions import Client, Teller
from eventlab.pitfalls.transfers import ANA, BEN, transfers

TRANSFERS = 6
_LATE = 3  # the transfer whose end the network keeps
# When a client takes a request for lost, and sends it again on a new connection without a word: by default after 60 s
# (librdkafka) or 30 s (Java). The experiment has no other use for the time.
_LOST_MS = 1000
_LOST = {"librdkafka": {"socket.timeout.ms": _LOST_MS}, "java": {"request.timeout.ms": _LOST_MS}}
_PATIENCE_SECONDS = 0.4

End = Literal["commit", "abort"]


def run(
    kafka: Kafka,
    *,
    on_timeout: Literal["ask again", "new producer"] = "ask again",
    late: End = "abort",
    client: Client = "librdkafka",
    patience: float = _PATIENCE_SECONDS,
    partitions: Literal[1, 2] = 2,
    seed: int = 7,
) -> Result:
    """A bank moves money, a transaction for each transfer. The network keeps the end of one, and brings it in the next.

    ``on_timeout``: what the bank does when nobody answers its commit or abort for ``patience`` seconds; after a second
    the client asks again by itself, and says nothing. ``late``: which of the two is late. The transfer before a late
    abort is one that the bank turned down; the one after a late commit is. With both accounts on one of ``partitions``
    the broker notices, and refuses the credit: LabError.
    """
    topic = kafka.topic("accounts", partitions=partitions)
    turned_down = _LATE if late == "abort" else _LATE + 1
    with FaultProxy(kafka) as proxy:
        config = proxy.config(**_LOST[client], **{"transactional.id": kafka.name("bank")})
        with Teller(config, client, patience) as bank:
            for number, (debit, credit) in enumerate(transfers(TRANSFERS, seed), start=1):
                if number == _LATE:
                    kept = proxy.hold(Frames("EndTxn", nth=1))
                bank.begin()
                bank.send(topic, debit, ANA, transaction=debit.key)
                if number == _LATE + 1:
                    _bring(proxy, kept)
                bank.send(topic, credit, BEN % partitions, transaction=debit.key)
                _end(bank, "abort" if number == turned_down else "commit", on_timeout)
    await_stable(kafka, topic)
    return PITFALL.result(read(kafka, topic), bank.sent, marks=marks(kafka, topic))


def _end(bank: Teller, how: End, on_timeout: str) -> None:
    while True:
        try:
            return bank.end(how)
        except TimeoutError:
            if on_timeout == "new producer":
                return bank.replace()


def _bring(proxy: FaultProxy, kept: Rule) -> None:
    """Let the broker have what the network kept, and wait until it has dealt with it."""
    dealt_with = proxy.delay(Frames("EndTxn", "response", nth=1), seconds=0)
    kept.release()
    dealt_with.wait()


PITFALL = Pitfall(
    id="P9",
    hypothesis="An abort that the network kept takes away half of the next transaction, and no call fails.",
    workload=f"{TRANSFERS} transfers between two accounts, a transaction each; one of them is turned down",
    metric=torn_transactions,
    unit="transfers are torn: one half is there, the other is not",
    run=run,
    broken={"on_timeout": "ask again"},
    cured={"on_timeout": "new producer"},
    seed=7,
    budget=10,
    brokers=1,
    sources=(
        "https://issues.apache.org/jira/browse/KAFKA-17754",
        "https://github.com/confluentinc/librdkafka/issues/5423",
        "https://cwiki.apache.org/confluence/display/KAFKA/KIP-890%3A+Transactions+Server-Side+Defense",
        "https://jepsen.io/analyses/bufstream-0.1.0",
    ),
)
