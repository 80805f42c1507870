"""P16: a consumer that its group has given up still has work in hand, and does it when another one has done it."""

import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from eventlab.cluster import Kafka
from eventlab.pitfalls import bank
from eventlab.pitfalls.actors import Actor
from eventlab.pitfalls.batches import Protocol
from eventlab.pitfalls.book import applied
from eventlab.pitfalls.checkers import repeats
from eventlab.pitfalls.consumers.expired_lock import Cure, book_in_a_share_group
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.history import History
from eventlab.pitfalls.payments import arrived
from eventlab.pitfalls.sharing import told

PAYMENTS = 80
WAITS_AT = 14
"""The offset of the payment at which the group takes the partition away, where it does so between two payments."""

# How long the group has patience with the slow process: five minutes by default, and a slow batch in real life.
_SHORT_MS, _HEARTBEAT_MS = 2000, 500
_IMPATIENT = {
    "max.poll.interval.ms": _SHORT_MS,
    "session.timeout.ms": _SHORT_MS,
    "heartbeat.interval.ms": _HEARTBEAT_MS,
}
_SLOW: Mapping[Protocol, Mapping[str, int]] = {
    # Members of a classic group say how often they have to be heard of, too, and it may not be less often.
    "classic": _IMPATIENT,
    "consumer": {"max.poll.interval.ms": _SHORT_MS},
}
# In the new protocol it is the group that has patience, and not its members: 45 s by default.
_GROUP = {"consumer.session.timeout.ms": _SHORT_MS, "consumer.heartbeat.interval.ms": _HEARTBEAT_MS}
# A new member is soon noticed, and nobody is thrown out for being slow.
_CALLED_SOON = {"heartbeat.interval.ms": _HEARTBEAT_MS}


def run(
    kafka: Kafka, *, fence: bool = False, protocol: Protocol | Literal["share"] = "classic", seed: int = 7
) -> Result:
    """Two processes of a bank in one group. One is at work on its second batch for longer than its group waits.

    The other is given its partition, and books all there is. Then the slow one is done: it writes what it has in hand,
    and goes on. Payments and offset stand in one book, written in one transaction. ``fence``: whether the book refuses
    a writer after whom another one was given the partition. In a ``share`` group nobody is given a partition, and what
    the book refuses is a payment whose id it has (:func:`shared`).
    """
    if protocol == "share":
        return shared(kafka, cure="ids" if fence else "none", seed=seed)
    topic = kafka.topic("payments")
    sent = arrived(kafka, topic, PAYMENTS, seed)
    group = kafka.group("bank")
    patience = told(kafka, group, _GROUP) if protocol == "consumer" else nullcontext()
    with tempfile.TemporaryDirectory() as directory, patience:
        book = str(Path(directory) / "book.db")
        options: dict[str, Any] = {"topic": topic, "group": group, "book": book, "fence": fence, "protocol": protocol}
        options["config"] = kafka.config()
        with Actor(bank.book_in_a_group, patience=_SLOW[protocol], **options) as slow:
            slow.until("taken", times=2)
            with Actor(bank.book_in_a_group, patience={}, **options) as other:
                other.finish()
            slow.finish()
        return PITFALL.result(applied(book), sent)


@dataclass(frozen=True, repr=False, kw_only=True)
class Accepted(Result):
    """What was booked; ``refused``: what the broker said when the slow member accepted what it had booked."""

    refused: str = ""


def shared(kafka: Kafka, *, cure: Cure = "none", seed: int = 7) -> Accepted:
    """The same bank in a share group, where a member has a lock on each record that it took, and only for a while.

    One is at work on the second ten that it took for longer than that, so the other one gets them, too. ``cure``: the
    book refuses a payment whose id it has; or the slow one renews its locks behind each payment; or it takes less.
    """
    topic = kafka.topic("payments")
    # Of records that were written together a share group hands out all or none.
    sent = arrived(kafka, topic, PAYMENTS, seed, **{"batch.num.messages": 1})
    with tempfile.TemporaryDirectory() as directory:
        book = str(Path(directory) / "book.db")
        refused = book_in_a_share_group(kafka, topic, kafka.group("bank"), book, payments=PAYMENTS, cure=cure)
        return Accepted(History(applied(book), tuple(sent)), repeats, PITFALL.unit, refused=refused)


def revoked(kafka: Kafka, *, drain: bool = False, thrown_out: bool = False, seed: int = 7) -> Result:
    """The bank commits to Kafka behind each ten payments. Behind the fourth of a ten its partition is taken away.

    A second process has come, and the group gives it the partition: the first one is called (``on_revoke``), because
    it polls between two payments. Or, ``thrown_out``, it did not poll for longer than its group waits; then it is
    called when the other one has booked all. ``drain``: whether it then books and commits the rest of its ten.
    """
    topic = kafka.topic("payments")
    sent = arrived(kafka, topic, PAYMENTS, seed)
    with tempfile.TemporaryDirectory() as directory:
        book = str(Path(directory) / "book.db")
        options: dict[str, Any] = {"topic": topic, "group": kafka.group("bank"), "book": book, "drain": drain}
        options["config"] = kafka.config()
        patience = _IMPATIENT if thrown_out else _CALLED_SOON
        with Actor(bank.book_and_listen, name="2", waits=WAITS_AT, patience=patience, **options) as one:
            one.until("waits")
            with Actor(bank.book_and_listen, name="1", waits=PAYMENTS, patience={}, **options) as other:
                if thrown_out:
                    other.finish()
                    one.until("given up")
                else:
                    one.until("given up")
                    other.finish()
            one.finish()
        return PITFALL.result(applied(book), sent)


PITFALL = Pitfall(
    id="P16",
    hypothesis="A consumer that works longer than its group waits does once more what another one did in its place.",
    workload=f"{PAYMENTS} card payments, two processes in one group, one of which is too slow with its second batch",
    metric=repeats,
    unit="payments were booked twice",
    run=run,
    broken={"fence": False},
    cured={"fence": True},
    seed=7,
    budget=15,
    brokers=1,
    sources=(
        "https://github.com/confluentinc/confluent-kafka-python/issues/552",
        "https://github.com/spring-projects/spring-kafka/issues/2266",
        "https://github.com/PostHog/posthog/pull/56097",
        "https://github.com/apache/kafka/pull/14873",
        "https://github.com/typelevel/fs2-kafka/pull/1502",
        "https://cwiki.apache.org/confluence/display/KAFKA/KIP-1222:+Acquisition+lock+timeout+renewal+in+share+consumer+explicit+mode",
    ),
)
