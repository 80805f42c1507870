"""A bank that books card payments from a topic: processes to be run by actors, who may be killed in them.

A payment gets a line in the bank's book, or a receipt in another topic.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from typing import Any, Literal

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from eventlab.pitfalls.actors import Tell
from eventlab.pitfalls.batches import NAMED, Protocol, batches, member
from eventlab.pitfalls.book import Book
from eventlab.pitfalls.record import Fact

Offsets = Literal["in Kafka", "in the book"]
Receipts = Literal["after the transaction", "in the transaction"]

_BY_THE_TIMER = 500  # payments that it takes at once
# Five seconds by default, in which such a batch may well be at work. The experiments wait until the timer has struck.
_INTERVAL_MS = 100
_BY_HAND = 25
_TOGETHER = 10
_PATIENCE_SECONDS = 20.0
_LOOK_SECONDS = 0.1
# Of the members of a group, this one gives the only partition to the one whose name comes first.
_BY_NAME = {"partition.assignment.strategy": "range"}


def book_by_the_timer(tell: Tell, *, config: Mapping[str, Any], topic: str, group: str, book: str, store: bool) -> None:
    """Book payment by payment; a timer commits the offsets that are stored. It stands still at ``booked``.

    ``store``: ``enable.auto.offset.store``; without, it stores each offset itself, behind its payment.
    """
    timer = {"enable.auto.commit": True, "auto.commit.interval.ms": _INTERVAL_MS, "enable.auto.offset.store": store}
    consumer = member(config, group, **NAMED, **timer)
    with closing(Book(book)) as lines:
        for batch in batches(consumer, topic, _BY_THE_TIMER):
            for payment in batch:
                lines.apply(payment)
                if not store:
                    consumer.store_offsets(payment)
                tell("booked")
    consumer.close()


def book_by_hand(
    tell: Tell, *, config: Mapping[str, Any], topic: str, group: str, book: str, offsets: Offsets, ids: bool
) -> None:
    """Book batch by batch, and write where to go on. It stands still at ``between``: between the two.

    ``offsets``: they are committed to Kafka, or stand in the book, written in one transaction with the payments.
    ``ids``: it looks first whether the book has that payment.
    """
    consumer = member(config, group, **NAMED)
    with closing(Book(book)) as lines:
        begin = None if offsets == "in Kafka" else lambda: lines.next(0)
        for batch in batches(consumer, topic, _BY_HAND, begin):
            next_ = batch[-1].offset() + 1
            with lines.transaction():
                for payment in batch:
                    if not (ids and lines.knows(payment)):
                        lines.apply(payment)
                if offsets == "in the book":
                    tell("between")
                    lines.move(0, next_)
            if offsets == "in Kafka":
                tell("between")
                consumer.commit(offsets=[TopicPartition(topic, 0, next_)], asynchronous=False)
    consumer.close()


def book_in_a_group(
    tell: Tell,
    *,
    config: Mapping[str, Any],
    topic: str,
    group: str,
    book: str,
    fence: bool,
    protocol: Protocol,
    patience: Mapping[str, int],
) -> None:
    """Book batch by batch, beside other members of the group, with the offsets in the book.

    It stands still at ``taken`` with a batch in hand, and at ``written`` when that is in the book, or ``refused``.
    ``fence``: it writes only as long as nobody was given the partition after it. ``patience``: the settings which say
    how long the group waits for it.
    """
    consumer = member(config, group, **{"group.protocol": protocol}, **patience)
    with closing(Book(book)) as lines:
        mine = 0

        def begin() -> int:
            nonlocal mine
            mine = lines.take_over(0)
            return lines.next(0)

        for batch in batches(consumer, topic, _TOGETHER, begin, protocol):
            tell("taken")
            with lines.transaction():
                refused = fence and lines.owner(0) != mine
                if not refused:
                    for payment in batch:
                        lines.apply(payment)
                    lines.move(0, batch[-1].offset() + 1)
            tell("written", refused=refused)
    consumer.close()


def book_and_listen(
    tell: Tell,
    *,
    config: Mapping[str, Any],
    topic: str,
    group: str,
    book: str,
    name: str,
    drain: bool,
    waits: int,
    patience: Mapping[str, int],
) -> None:
    """Book payment by payment, and commit to Kafka behind each batch, as a member of the group called ``name``.

    At the payment with the offset ``waits`` it stands still at ``waits``; then it polls, so that it is called when the
    group takes its partition, and stands still at ``given up`` when it has been. ``drain``: when it is called, it
    books and commits what is left of its batch; else it lets go of that. ``patience``: the settings which say how long
    the group waits for it.
    """
    in_hand: deque[Message] = deque()
    given_up = False

    def revoked(_: Consumer, __: list[TopicPartition]) -> None:
        nonlocal given_up
        if in_hand and drain:
            for payment in in_hand:
                lines.apply(payment)
            with suppress(KafkaException):  # the group may have given the partition to another one by now
                consumer.commit(offsets=[next_to(in_hand)], asynchronous=False)
        given_up = True

    def next_to(done: Sequence[Message]) -> TopicPartition:
        return TopicPartition(topic, 0, done[-1].offset() + 1)

    consumer = member(config, group, **{"client.id": name, **_BY_NAME}, **patience)
    with closing(Book(book)) as lines:
        for batch in batches(consumer, topic, _TOGETHER, on_revoke=revoked):
            in_hand.extend(batch)
            while in_hand and in_hand[0].offset() < waits:
                lines.apply(in_hand.popleft())
            if not in_hand:
                consumer.commit(offsets=[next_to(batch)], asynchronous=False)
            else:
                tell("waits")
                consumer.pause([TopicPartition(topic, 0)])
                while not given_up:
                    consumer.poll(_LOOK_SECONDS)
                tell("given up")
                in_hand.clear()
    consumer.close()


def send_receipts(
    tell: Tell, *, config: Mapping[str, Any], topic: str, receipts: str, group: str, name: str, offsets: Receipts
) -> None:
    """Send a receipt for each payment, batch by batch, in transactions. It stands still at ``between``.

    ``name`` is its ``transactional.id``. ``offsets``: they are committed when the transaction is, or they are part of
    it; ``between`` is in front of the second of the two commits, or of the only one.
    """
    producer = Producer({**config, "transactional.id": name, "log_level": 3})
    # Before anything is read: it ends what its predecessor left open, with the offsets in it.
    producer.init_transactions(_PATIENCE_SECONDS)
    consumer = member(config, group, **NAMED)
    for batch in batches(consumer, topic, _BY_HAND):
        next_ = [TopicPartition(topic, 0, batch[-1].offset() + 1)]
        producer.begin_transaction()
        for payment in batch:
            fact = receipt(Fact.of(payment.value()))
            producer.produce(receipts, fact.encode(), fact.key)
        if offsets == "in the transaction":
            producer.send_offsets_to_transaction(next_, consumer.consumer_group_metadata(), _PATIENCE_SECONDS)
            # The receipts are in the log, as they would be in a longer transaction: whoever is killed here leaves them.
            producer.flush(_PATIENCE_SECONDS)
            tell("between")
        producer.commit_transaction(_PATIENCE_SECONDS)
        if offsets == "after the transaction":
            tell("between")
            consumer.commit(offsets=next_, asynchronous=False)
    consumer.close()


def receipt(payment: Fact) -> Fact:
    """What the customer gets for a payment: ``receipt-7`` for ``payment-7``."""
    key = payment.key.replace("payment", "receipt")
    return Fact(key, 1, "ReceiptSent", payment.label, "bank", cause=payment.id)
