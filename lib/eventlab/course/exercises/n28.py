"""Exercises of lesson 28: which line is wrong, what a bank's columns mean, and when the balance was too low."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from eventlab.course import reconcile
from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.domain.account import (
    AccountOpened,
    BalanceBroughtForward,
    CardAuthorised,
    Corrected,
    Deposited,
    Event,
    FeeCharged,
    Withdrawn,
)
from eventlab.domain.money import Money
from eventlab.inputs import InputError, StatementFile, mismatches, read, sample

_DAMAGED, _OTHER_FORMAT = "march-3.sta", "sparkasse-2026-03.camt053.xml"


def _check_day(answer: object) -> str | None:
    try:
        day = answer if isinstance(answer, date) else date.fromisoformat(str(answer))
    except ValueError:
        return 'The answer is a day, as a `date` or as a text like "2026-03-31".'
    damaged = {(entry.booked, entry.amount) for entry in reconcile.entries(_DAMAGED)}
    right = {(entry.booked, entry.amount) for entry in reconcile.entries(_OTHER_FORMAT)}
    if day not in {on for on, _ in damaged}:
        return f"Nothing is booked on {day}."
    if day in {on for on, _ in damaged - right}:
        return None
    return f"What is booked on {day} is the same in both formats."


_EXPECTED = [
    (date(2026, 3, 2), -89_000),
    (date(2026, 3, 5), -320),
    (date(2026, 3, 5), -320),
    (date(2026, 3, 25), 135_000),
]


def _check_mapping(answer: object) -> str | None:
    if not isinstance(answer, Mapping):
        return "The answer is a dict: the names of a mapping's fields, and what they are in this file."
    try:
        found = read(sample("credit-union.csv"), mapping=answer)
    except InputError as error:
        return f"The file cannot be read with this mapping: {error}"
    if not isinstance(found, StatementFile):
        return "That maps order lines; this is a bank statement."
    entries = found.entries
    if [entry.amount.minor for entry in entries] == [-minor for _, minor in _EXPECTED]:
        return "Every amount has the wrong sign: which of the two columns is the debit?"
    if [(entry.booked, entry.amount.minor) for entry in entries] != _EXPECTED:
        return "It can be read, but not as the bank meant it: compare days and amounts with the file."
    if not any(entry.text or entry.counterparty for entry in entries):
        return "Days and amounts are right. Nobody can tell yet who was paid: map that column too."
    if not all(entry.balance for entry in entries):
        return "Right so far, but nothing can be checked: the file prints a balance beside each line."
    return None if not mismatches(found.statements[0]) else "The balances do not fit the amounts."


def _euro(minor: int) -> Money:
    return Money(minor, "EUR")


_DAY = date(2026, 3, 2)
_NOTHING = _euro(0)
# What the story is, its events, the limit, and the first version below it.
_STORIES: tuple[tuple[str, list[Event], Money, int | None], ...] = (
    (
        "the balance falls below the limit once and recovers",
        [
            BalanceBroughtForward(_euro(5_000), _DAY),
            Withdrawn(_euro(6_000), _DAY),
            Deposited(_euro(9_000), _DAY),
        ],
        _NOTHING,
        2,
    ),
    (
        "the balance reaches the limit exactly and never falls below it",
        [BalanceBroughtForward(_euro(5_000), _DAY), Withdrawn(_euro(5_000), _DAY)],
        _NOTHING,
        None,
    ),
    ("the account begins below the limit", [BalanceBroughtForward(_euro(-1), _DAY)], _NOTHING, 1),
    (
        "money is only held for a card payment, and nothing is booked",
        [
            AccountOpened("Ana", "EUR", _NOTHING, _DAY),
            Deposited(_euro(1_000), _DAY),
            CardAuthorised(_euro(3_000), "hotel", _DAY),
        ],
        _NOTHING,
        None,
    ),
    (
        "a fee and a correction take the balance below the limit, not below zero",
        [
            BalanceBroughtForward(_euro(20_000), _DAY),
            FeeCharged(_euro(5_000), _DAY),
            Corrected(_euro(-6_000), _DAY, "paid twice"),
            FeeCharged(_euro(100), _DAY),
        ],
        _euro(10_000),
        3,
    ),
)


def _check_below(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(events, limit): …`"
    for what, events, limit, right in _STORIES:
        got: Any = answer(list(events), limit)
        if got != right or isinstance(got, bool):
            told = "; ".join(map(str, events))
            return f"Your function gives {got!r} for an account where {what} ({limit}): {told}."
    return None


PLAN = Plan(
    title="Reconcile the bank",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_day,
            why=(
                "Two figures changed places, so the difference divides by nine: bookkeepers have looked for that since "
                "there are books. Two files of one month are two witnesses, and only one of them was edited."
            ),
            hints=(
                "The same month lies here in another format, and nobody edited that.",
                "`reconcile.entries(name)` gives the entries of a sample; each has `booked` and `amount`. Which pair "
                "is in one file and not in the other?",
            ),
            solution="""
right = {(entry.booked, entry.amount) for entry in reconcile.entries("sparkasse-2026-03.camt053.xml")}
odd = [entry for entry in reconcile.entries("march-3.sta") if (entry.booked, entry.amount) not in right]
answer = odd[0].booked
""",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_mapping,
            why="Your bank's file takes the same few lines, in a dict or in a TOML file (`eventlab import --mapping`).",
            hints=(
                'The error of `inputs.read(sample("credit-union.csv"))` names the columns that the file has.',
                "Two columns for the amount are the fields `debit` and `credit`. `date_format` is a list: `%d` is the "
                "day, `%m` the month, `%Y` the year.",
                "The balance beside each line is the field `balance`; who was paid is `counterparty`.",
            ),
            solution="""
answer = {
    "date": "Posted",
    "date_format": ["%d-%m-%Y"],
    "debit": "Paid out",
    "credit": "Paid in",
    "counterparty": "Payee",
    "balance": "Left",
}
""",
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_below,
            why="The bank's files never mention the lowest balance, and yet every history of entries has it.",
            hints=(
                "Go through the events one by one and keep the state: `account.decider.evolve` gives the next one.",
                "Begin with `account.decider.initial`, count versions from 1, and compare each balance with the limit.",
            ),
            solution="""
def answer(events, limit):
    state = account.decider.initial
    for version, event in enumerate(events, start=1):
        state = account.decider.evolve(state, event)
        if state.balance < limit:
            return version
    return None
""",
        ),
    ),
    recall=(
        Question(
            "The same file is imported twice, and nothing changes. What makes that so?",
            (
                Option("A lock on the file", "Somebody may import a copy of it next year."),
                Option("An entry gets the same event id in every import", "Yes: the store knows the id.", right=True),
                Option("Lines that look alike are dropped", "Then the second coffee of the day is gone too."),
            ),
            lesson="28",
        ),
        Question(
            "Opening balance and entries make the closing balance, to the cent. What does that prove?",
            (
                Option("That every text is right", "Texts do not add up; amounts do."),
                Option("That no line was added", "A line and its opposite would not be noticed."),
                Option("That the amounts come to what the bank says", "Yes, and nothing about texts.", right=True),
            ),
            lesson="28",
        ),
        Question(
            "From lesson 04: what is the exact address of a state in the past?",
            (
                Option("A version of the stream", "Yes: it counts events one by one.", right=True),
                Option("A day", "A statement has several entries on one day."),
                Option("A time to the second", "Two events may carry the same time."),
            ),
            lesson="04",
        ),
    ),
)
