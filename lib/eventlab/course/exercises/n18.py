"""Exercises of lesson 18: by how much the books are off, how long a transaction may last, and who finds out."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.pitfalls.experiment import Result
from eventlab.pitfalls.record import Record

_WORK_MS, _STALL_MS, _SWEEP_MS = 20_000, 45_000, 10_000  # as the notebook tells them
_HALVES = 2


def _amount(label: str) -> Decimal:
    """Of ``Ana sent 12.40 EUR``."""
    return Decimal(label.split()[-2])


def _check_amount(answer: object, other: Result) -> str | None:
    if isinstance(answer, bool) or not isinstance(answer, int | float | Decimal):
        return "The answer is an amount in euros, a number such as 12.40."
    said = round(Decimal(str(answer)), 2)
    halves: dict[str, list[Decimal]] = {}
    for record in other.records:
        halves.setdefault(record.key, []).append(_amount(record.label))
    off = sum(amounts[0] for amounts in halves.values() if len(amounts) < _HALVES)
    if said == off:
        return None
    if said == -off:
        return "The amount is right. Give it without a sign: it is by how much the two sides differ."
    if said in {amounts[0] for amounts in halves.values()}:
        return "That transfer is in the books with both halves, so its sides are equal: look for one with a single row."
    return (
        f"What Ana sent and what Ben received do not differ by {said}. Add up both sides, or look for a row "
        "whose other half is missing."
    )


def _check_timeout(answer: object) -> str | None:
    if isinstance(answer, bool) or not isinstance(answer, int):
        return "The answer is a whole number of milliseconds, as `transaction.timeout.ms` takes it."
    if answer < 1000:
        return f"{answer} ms: librdkafka takes no less than 1,000. Did you mean seconds?"
    if answer <= _WORK_MS:
        return (
            f"After {answer:,} ms the broker aborts, while the price service may still be at work: "
            "on a slow day none of its transactions gets through."
        )
    if answer + _SWEEP_MS > _STALL_MS:
        return (
            f"A service that hangs holds the readers for {answer:,} ms, and until the coordinator looks the next time: "
            f"in the worst case {answer + _SWEEP_MS:,} ms."
        )
    return None


def _history(*halves: tuple[int, int]) -> list[Record]:
    """Records read in this order, each given as the number of its transfer and which half it is."""
    names = {1: ("TransferSent", "Ana sent 10.00 EUR"), 2: ("TransferReceived", "Ben received 10.00 EUR")}
    filler: dict[str, Any] = {"producer": "bank", "timestamp": datetime(2026, 3, 2, 12, tzinfo=UTC)}
    return [
        Record(
            key=f"transfer-{number}",
            version=half,
            type=names[half][0],
            label=names[half][1],
            order=order,
            partition=half - 1,
            offset=order,
            **filler,
        )
        for order, (number, half) in enumerate(halves)
    ]


_PLANTED: tuple[tuple[str, list[Record], set[str]], ...] = (
    ("two whole transfers", _history((1, 1), (2, 1), (1, 2), (2, 2)), set()),
    ("a transfer without its debit", _history((1, 1), (1, 2), (2, 2)), {"transfer-2"}),
    ("a transfer without its credit", _history((1, 1), (2, 1), (2, 2)), {"transfer-1"}),
    ("two torn transfers, one on each side", _history((1, 1), (3, 1), (3, 2), (2, 2)), {"transfer-1", "transfer-2"}),
    ("a debit that was delivered twice, and no credit", _history((1, 1), (1, 1)), {"transfer-1"}),
    ("a whole transfer whose credit was delivered twice", _history((1, 1), (1, 2), (1, 2)), set()),
    ("nothing at all", [], set()),
)


def _check_torn(answer: object, torn: Result, whole: Result) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(records): …`"
    for what, records, right in _PLANTED:
        got = answer(records)
        if isinstance(got, str) or not isinstance(got, Iterable):
            return f"Your function gives {got!r}. It gives the names of transfers: a list or a set."
        if set(names := list(got)) != right:
            told = ", ".join(f"{record.key} half {record.version}" for record in records) or "no records"
            return f"Your function gives {names!r} for {what}: {told}."
    for name, result in (("torn", torn), ("whole", whole)):
        if set(names := list(answer(result.records))) != set(result.wrong):
            return f"All planted histories are right, but for `{name}.records` your function gives {names!r}."
    return None


PLAN = Plan(
    title="Transactions, and how they tear",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_amount,
            why="Here a commit came late: it made the debit visible before the bank turned the transfer down, and the "
            "abort took only the credit. Ana has paid, and nobody got the money.",
            hints=(
                "`other.table()` has a row for each half that the reader got.",
                "Of a whole transfer there are two rows. Sort the table by `key`.",
            ),
            solution="""
rows = other.table()
[alone] = rows[~rows["key"].duplicated(keep=False)]["label"]
answer = float(alone.split()[-2])
""",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_timeout,
            why="Long enough for the work, short enough for the readers, with the coordinator's own ten seconds "
            "counted in. If no number had fitted, the work would have to be cut into shorter transactions.",
            hints=(
                "Two limits, one from each side: whose work must not be cut off, and who waits?",
                "The readers wait for the timeout and, at worst, for the coordinator's whole interval on top of it.",
            ),
            solution="answer = 30_000",
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_torn,
            why="This is bookkeeping's oldest check: for every debit a credit. It trusts no client, and finds a torn "
            "transfer whatever tore it. Let it run beside the bank, on what a reader sees.",
            hints=(
                "What do you have to remember of each transfer to know, at the end, whether it is whole?",
                "Collect for each key the set of versions that came. A set does not mind what is delivered twice.",
            ),
            solution="""
def answer(records):
    halves = {}
    for record in records:
        halves.setdefault(record.key, set()).add(record.version)
    return {key for key, seen in halves.items() if len(seen) == 1}
""",
        ),
    ),
    recall=(
        Question(
            "A transaction was aborted. Where are its records?",
            (
                Option("The broker has deleted them", "A log is only added to: they are where they were."),
                Option(
                    "In the log, with a marker behind them; a reader skips them if it is told to",
                    "Yes, and Java's consumer is not told to by default.",
                    right=True,
                ),
                Option("In the producer's buffer", "They had been sent and acknowledged long before the abort."),
            ),
            lesson="18",
        ),
        Question(
            "librdkafka's commit returned without an error. Which records of the transaction can a reader get?",
            (
                Option("All of them, that is what commit means", "One of two was lost that way in this lesson."),
                Option("All or none", "The one half that was left is what this lesson is about."),
                Option(
                    "All, none or some: what tells is a check of the books",
                    "Yes. It is rare, and it is silent.",
                    right=True,
                ),
            ),
            lesson="18",
        ),
        Question(
            "What numbers the events of one entity without holes?",
            (
                Option("The offset", "Markers, aborted and compacted records take offsets too."),
                Option(
                    "The version that its writer counts", "Yes: it belongs to the entity, not to the log.", right=True
                ),
                Option("The timestamp", "It does not count at all."),
            ),
            lesson="14",
        ),
    ),
)
