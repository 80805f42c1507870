"""Exercises of lesson 17: what a commit passed over, how long a group waits, the watermark, and a fence."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.pitfalls.book import Book
from eventlab.pitfalls.experiment import Result
from eventlab.pitfalls.payments import payments

_SLOW_VERSION = 2  # the event that waited for the service, as the notebook tells it
_SECONDS_EACH, _NOTICED_MS, _SMALLEST_BATCH = 2, 300_000, 50


def _check_cart(answer: object, highest: Result) -> str | None:
    if not isinstance(answer, str):
        return "The answer is the name of a cart, a text."
    applied: dict[str, set[int]] = {}
    for record in highest.records:
        applied.setdefault(record.key, set()).add(record.version)
    if answer not in highest.history.keys:
        return f"There is no cart `{answer}`: they are called `cart-1`, `cart-2`, …"
    if answer not in highest.wrong:
        return f"`{answer}` has all its events in the view."
    if _SLOW_VERSION not in applied.get(answer, ()):
        return f"`{answer}` misses its second event, too. Whose second event is not in the list, and a later one is?"
    return None


def _check_patience(answer: object) -> str | None:
    if not isinstance(answer, dict) or set(answer) != {"batch", "max.poll.interval.ms"}:
        return 'The answer is a dict with the two keys `"batch"` and `"max.poll.interval.ms"`.'
    batch, interval = answer["batch"], answer["max.poll.interval.ms"]
    if any(isinstance(number, bool) or not isinstance(number, int) for number in (batch, interval)):
        return "Both are whole numbers: payments, and milliseconds."
    if batch < _SMALLEST_BATCH:
        return f"Batches of {batch} are too slow for the database."
    if interval > _NOTICED_MS:
        return f"A process that hangs keeps its partition for {interval:,} ms: that is more than five minutes."
    if (work := 1000 * _SECONDS_EACH * batch) >= interval:
        return (
            f"On a slow day a batch takes {work:,} ms, and the group waits for {interval:,} ms: the slow process is "
            "given up while it works, and becomes a zombie."
        )
    return None


_PLANTED: tuple[tuple[int, list[int], int], ...] = (
    (0, [0, 1, 2], 3),
    (0, [2, 0, 1], 3),
    (0, [0, 1, 3, 4], 2),
    (0, [1, 2, 3], 0),
    (0, [], 0),
    (5, [], 5),
    (5, [7, 5, 6, 9], 8),
    (5, [6, 7, 8], 5),
    (100, [101, 100], 102),
)


def _check_watermark(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(first, done): …`"
    for first, done, right in _PLANTED:
        got = answer(first, list(done))
        if isinstance(got, bool) or not isinstance(got, int):
            return f"Your function gives {got!r}. It gives an offset, a whole number."
        if got > right:
            return (
                f"Begun at {first}, done {done}: you commit {got}. After a kill, offset {right} would never come again."
            )
        if got < right:
            return f"Begun at {first}, done {done}: you commit {got}. More than that is done without a hole."
    return None


_BATCH = payments(3, 1)


@dataclass(frozen=True)
class _Delivered:
    """One of the payments, as a consumer hands it out."""

    at: int

    def value(self) -> bytes:
        return _BATCH[self.at].encode()

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.at

    def timestamp(self) -> tuple[int, int]:
        return 1, 0


class _Haunted(Book):
    """A book that is watched: at its ``strikes``-th step somebody else takes the partition over, if he can write then.

    ``found``: how many lines that one found, and which offset; None as long as he has not come.
    """

    def __init__(self, path: str, strikes: int) -> None:
        super().__init__(path)
        self._path, self._strikes, self.steps = path, strikes, 0
        self.found: tuple[int, int] | None = None

    def _step(self) -> None:
        if self.steps == self._strikes:
            with closing(sqlite3.connect(self._path, timeout=0, isolation_level=None)) as other:
                try:
                    other.execute("UPDATE place SET owner = owner + 1 WHERE partition = 0")
                except sqlite3.OperationalError:  # within a transaction of the book: he has to wait
                    self._strikes += 1
                else:
                    self.found = _state(other)
        self.steps += 1

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._step()
        with super().transaction():
            yield
        self._step()

    def apply(self, message: Any) -> None:
        self._step()
        super().apply(message)

    def move(self, partition: int, offset: int) -> None:
        self._step()
        super().move(partition, offset)

    def owner(self, partition: int) -> int:
        found = super().owner(partition)
        self._step()
        return found


def _state(database: sqlite3.Connection) -> tuple[int, int]:
    """How many lines are in the book, and which offset comes next."""
    [(lines,)] = database.execute("SELECT count(*) FROM line").fetchall()
    [(next_,)] = database.execute("SELECT next FROM place WHERE partition = 0").fetchall()
    return lines, next_


def _check_fence(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(book, mine, batch, next_): …`"
    whole = (len(_BATCH), len(_BATCH))
    _, left = _written(answer, strikes=-1)
    if left != whole:
        return (
            f"Nobody came after you, and the book has {left[0]} of {whole[0]} payments and goes on at offset "
            f"{left[1]} instead of {whole[1]}."
        )
    found, left = _written(answer, strikes=0, before=True)
    if left != found:
        return "Somebody was given the partition before you began, and you wrote all the same."
    strikes = 0
    while True:
        found, left = _written(answer, strikes)
        if found is None:
            return None
        if left != found:
            return (
                "Somebody was given the partition between two of your steps, and you wrote after that. Between which "
                "two could he come?"
            )
        if found not in ((0, 0), whole):
            return f"Somebody was given the partition and found half of your batch: {found[0]} payments."
        strikes += 1


def _written(
    answer: Callable[..., object], strikes: int, before: bool = False
) -> tuple[tuple[int, int] | None, tuple[int, int]]:
    """What the one who came after found, if he came, and what is in the book in the end."""
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "book.db")
        with closing(_Haunted(path, strikes)) as book:
            mine = book.take_over(0)
            if before:
                book.take_over(0)
            answer(book, mine, [_Delivered(at) for at in range(len(_BATCH))], len(_BATCH))
            found = (0, 0) if before else book.found
        with closing(sqlite3.connect(path)) as database:
            return found, _state(database)


PLAN = Plan(
    title="Delivered how often",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_cart,
            why="It shares a lane with a cart that waited, and stood in line behind it: not done, and passed over by "
            "the commit. Who is hurt by an offset need not have anything to do with the cause.",
            hints=(
                "An id such as `cart-7/3` is the third event of cart 7. A cart that waited misses its second.",
                "Go through the missing events cart by cart: which cart is there with a later event, but not with /2?",
            ),
            solution="""
missing = {fact.id for fact in lost_writes(highest.history)}
carts = sorted({id.split("/")[0] for id in missing})
answer = next(cart for cart in carts if f"{cart}/2" not in missing and f"{cart}/1" not in missing)
""",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_patience,
            why="The batch has to be done before the group loses patience, on the slowest day, and with room to spare. "
            "If no two numbers had fitted, the work would have to go on in a thread while the consumer polls.",
            hints=(
                "How long does a batch take on a slow day? Compare that with the group's patience.",
                "The patience cannot grow, because of the process that hangs. So the batch has to shrink.",
            ),
            solution='answer = {"batch": 100, "max.poll.interval.ms": 300_000}',
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_watermark,
            why="Behind the watermark there may be more that is done. It comes again after a kill, and ids take care "
            "of it. In front of it there is nothing that is not done, and so nothing can be lost.",
            hints=(
                "Go up from `first`. Where do you have to stop?",
                "A set knows at once whether an offset is in it.",
            ),
            solution="""
def answer(first, done):
    there = set(done)
    while first in there:
        first += 1
    return first
""",
        ),
        Exercise(
            id="d",
            kind="make",
            check=_check_fence,
            why="The question and the writing are one step: in the transaction nobody can be given the partition. A "
            "check before the transaction is a guess.",
            hints=(
                "The other one cannot come while a transaction is open. So where does the question have to be asked?",
                "All in one `with` block: compare, and if the number is still yours, apply each payment and move.",
            ),
            solution="""
def answer(book, mine, batch, next_):
    with book.transaction():
        if book.owner(0) == mine:
            for payment in batch:
                book.apply(payment)
            book.move(0, next_)
""",
        ),
    ),
    recall=(
        Question(
            "A consumer books a payment and then commits its offset to Kafka. It is killed. What can happen?",
            (
                Option("A payment is lost", "What is not committed comes again, so nothing is lost."),
                Option("A payment is booked twice", "Yes: booked, killed, and it comes again.", right=True),
                Option("Neither, the order is right", "In either order there is a moment between the two writes."),
            ),
            lesson="17",
        ),
        Question(
            "A group has given up one of its members. What stops that process from writing to the database?",
            (
                Option("The broker", "It refuses the process's commits, and knows nothing of the database."),
                Option("The client: it raises an error", "At the next poll or commit, after the writing."),
                Option("A check in the database, in the transaction that writes", "Yes, a fence.", right=True),
            ),
            lesson="17",
        ),
        Question(
            "The delivery of an event timed out. Is it in the topic?",
            (
                Option("No, so send it again", "It may have arrived, and only the answer got lost."),
                Option("Nobody knows", "Yes. Send it again, and let readers go by its id.", right=True),
                Option("Yes, it comes late", "It may as well be lost."),
            ),
            lesson="15",
        ),
    ),
)
