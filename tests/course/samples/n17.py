"""What lesson 17's notebook has in hand when its exercises come, and plausible wrong answers."""

from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.consumers import thread_pool


def context(request):
    kafka = request.getfixturevalue("kafka")
    return {"highest": thread_pool.killed(kafka, commit="highest", seed=7), "lost_writes": lost_writes}


def wrong(values):
    highest = values["highest"]
    waited = next(fact.key for fact in lost_writes(highest.history) if fact.version == 2)
    whole = next(key for key in highest.history.keys if key not in highest.wrong)
    return {
        "a": [waited, whole, "cart-99", 7, highest.wrong],
        "b": [
            {"batch": 500, "max.poll.interval.ms": 300_000},
            {"batch": 500, "max.poll.interval.ms": 1_200_000},
            {"batch": 10, "max.poll.interval.ms": 300_000},
            {"batch": 150, "max.poll.interval.ms": 300_000},
            {"batch": 100, "max.poll.interval.ms": 100_000},
            {"batch": 100, "max.poll.interval.ms": "300000"},
            {"batch": 100},
            100,
        ],
        "c": [
            lambda first, done: max(done, default=first - 1) + 1,
            lambda first, done: first,
            lambda first, done: first + len(done),
            lambda first, done: _watermark(first, done) - 1,
            lambda first, done: sorted(done),
            lambda first, done: True,
            8,
        ],
        "d": [_no_fence, _looks_before, _no_transaction, _half, _never, _looks_after, "with book.transaction()"],
    }


def _watermark(first, done):
    while first in done:
        first += 1
    return first


def _write(book, batch, next_):
    for payment in batch:
        book.apply(payment)
    book.move(0, next_)


def _no_fence(book, mine, batch, next_):
    with book.transaction():
        _write(book, batch, next_)


def _looks_before(book, mine, batch, next_):
    if book.owner(0) == mine:
        with book.transaction():
            _write(book, batch, next_)


def _no_transaction(book, mine, batch, next_):
    if book.owner(0) == mine:
        _write(book, batch, next_)


def _half(book, mine, batch, next_):
    for payment in batch:
        with book.transaction():
            if book.owner(0) == mine:
                book.apply(payment)
    with book.transaction():
        if book.owner(0) == mine:
            book.move(0, next_)


def _never(book, mine, batch, next_):
    pass


def _looks_after(book, mine, batch, next_):
    with book.transaction():
        _write(book, batch, next_)
    if book.owner(0) != mine:
        raise RuntimeError("somebody came after me")
