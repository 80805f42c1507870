"""How a member of a share group becomes a zombie: its lock on the records that it works on runs out."""

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Literal

from eventlab.cluster import Kafka, LabError
from eventlab.pitfalls.book import Book, Delivered
from eventlab.pitfalls.sharing import FROM_THE_BEGINNING, JavaShareMember, ShareMember, Taken, told

Cure = Literal["none", "ids", "renew", "take less"]

# How long a member has for what it took: half a minute by default, and the work on many records in real life.
_LOCK_SECONDS = 2.0
_SECONDS_EACH = 0.3  # of the slow one's work on a payment: ten take longer than the lock, and two do not
_AT_ONCE, _LESS = 10, 2
_LOCK = {"share.record.lock.duration.ms": round(1000 * _LOCK_SECONDS)}
_PATIENCE_SECONDS = 30.0


def book_in_a_share_group(kafka: Kafka, topic: str, group: str, path: str, *, payments: int, cure: Cure) -> str:
    """Two members book all ``payments`` of ``topic`` in the book at ``path``; one is slow with the second that it took.

    It books when its work is over, and accepts what it has booked. Gives what the broker says against that, if it does.
    ``cure``: the book is asked for the payment's id before it is booked; or the slow one renews its locks behind each
    payment; or it takes fewer at once, so that its work on them is shorter than the lock.
    """
    look = cure == "ids"
    with (
        told(kafka, group, {**FROM_THE_BEGINNING, **_LOCK}),
        closing(Book(path)) as book,
        JavaShareMember(kafka, topic, group, _LESS if cure == "take less" else _AT_ONCE) as slow,
    ):
        first = _taken(slow)
        _enter(book, first, look)
        slow.done(first)
        held = _taken(slow)
        too_long = len(held) * _SECONDS_EACH > _LOCK_SECONDS and cure != "renew"
        with ShareMember(kafka, topic, group, _AT_ONCE) as other:
            left = payments - len(first)
            for _ in held:
                left -= _work(other, book, look, seconds=_SECONDS_EACH)
                if cure == "renew":
                    slow.renew(held)
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while left > (0 if too_long else len(held)):
                if time.monotonic() > deadline:
                    raise LabError(f"{left} payments were handed over to nobody within {_PATIENCE_SECONDS:g} s.")
                left -= _work(other, book, look)
        _enter(book, held, look)
        return slow.done(held)


def _taken(slow: JavaShareMember) -> Sequence[Taken]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not (found := slow.poll()):
        if time.monotonic() > deadline:
            raise LabError(f"The share group handed nothing over within {_PATIENCE_SECONDS:g} s.")
    return found


def _work(other: ShareMember, book: Book, look: bool, seconds: float = 0.0) -> int:
    """The other one books what it is given within this time, at least once; gives how many that were."""
    end = time.monotonic() + seconds
    count = 0
    while True:
        found = other.poll()
        _enter(book, found, look)
        for payment in found:
            other.done(payment)
        count += len(found)
        if time.monotonic() >= end:
            return count


def _enter(book: Book, payments: Sequence[Delivered], look: bool) -> None:
    with book.transaction():
        for payment in payments:
            if not (look and book.knows(payment)):
                book.apply(payment)
