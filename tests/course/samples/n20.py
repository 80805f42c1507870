"""What lesson 20's notebook has in hand when its exercises come, and plausible wrong answers.

The runs are planted, as the watch and the shop tell of them: tests/pitfalls/log has them from brokers that die.
"""

from tests.pitfalls.histories import NOON

from eventlab.cluster.watch import Sample, Timeline
from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.failover import Failover
from eventlab.pitfalls.history import History, Sent
from eventlab.pitfalls.payments import payments
from eventlab.pitfalls.record import Record

PAYMENTS = payments(10, seed=7)
ALL = frozenset({1, 2, 3})
DIED, NEXT, STARTED, END = 12, 45, 60, 90  # tenths of a second


def run(read):
    sent = [Sent(fact, "ok", 0, offset) for offset, fact in enumerate(PAYMENTS)]
    records = [
        Record.decode(fact.encode(), order=order, partition=0, offset=order, timestamp=NOON)
        for order, fact in enumerate(read)
    ]
    history = History(tuple(records), tuple(sent))
    return Failover(history, lost_writes, "acknowledged payments are lost", timeline=Timeline(samples()))


def samples():
    states = {1: lambda tenth: "dead" if DIED <= tenth < STARTED else "running"}
    return tuple(
        Sample(
            tenth / 10,
            {broker: states.get(broker, lambda _: "running")(tenth) for broker in ALL},
            ALL,
            1 if tenth < NEXT else 2,
            ALL if tenth < NEXT else ALL - {1},
        )
        for tenth in range(END)
    )


def context(request):
    return {"lost": run(PAYMENTS[:4] + PAYMENTS[8:]), "safe": run(PAYMENTS)}


def wrong(values):
    return {
        "a": ["three", True, 0, NEXT / 10, END / 10, (STARTED - DIED) / 10, 100.0],
        "b": [
            3, ("all", 3), ("all", 3, 2), ("1", 4, 3), ("most", 4, 3), ("all", 3, 3), ("all", 6, 3), ("all", 3, 4),
            ("all", 5, 5), ("all", True, 1), ("all", "4", "3"),
        ],
        "c": [
            lambda sent, records: [],
            lambda sent, records: {a.fact.key for a in sent} - {r.key for r in records},
            lambda sent, records: {a.fact.key for a in sent if a.status == "ok"},
            lambda sent, records: len(sent) - len(records),
            lambda sent, records: "payment-2",
            _by_place,
            ["payment-2"],
        ],
        "d": [
            "share",
            {"payments": "share"},
            dict.fromkeys(("payments", "thumbnails", "cart events", "welcome mails"), "share"),
            dict.fromkeys(("payments", "thumbnails", "cart events", "welcome mails"), "consumer"),
            dict.fromkeys(("payments", "thumbnails", "cart events", "welcome mails"), "classic"),
        ],
    }  # fmt: skip


def _by_place(sent, records):
    """Counts on the order: the last ones are missing."""
    return {attempt.fact.key for attempt in sent[len(records) :]}
