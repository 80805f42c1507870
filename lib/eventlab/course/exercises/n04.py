"""Exercises of lesson 04: any moment of the past, and what an audit table does not hear of."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.course.time_travel import Tables
from eventlab.domain.account import decider
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent
from eventlab.history import Step
from eventlab.history.population import Population
from eventlab.inputs.generate import demo_account

_HOURS = range(9, 14)


def _check_deepest(answer: object, steps: Sequence[Step[Any]]) -> str | None:
    if not isinstance(answer, int) or isinstance(answer, bool):
        return "The answer is a version, a whole number: the slider shows it."
    if not 1 <= answer <= len(steps):
        return f"This history has no version {answer}."
    deepest = min(steps, key=lambda step: step.state.balance.minor)
    balance = steps[answer - 1].state.balance
    if balance == deepest.state.balance:
        return None
    if answer == min(steps, key=lambda step: step.state.available.minor).version:
        return "That is where she could spend least: money was held for cards, but it had not left the account."
    if balance.minor >= 0:
        return f"At version {answer} the balance is {balance}: no overdraft at all. Look where the line is below zero."
    return f"At version {answer} the balance is {balance}, and at some other version it is lower."


def _check_as_of(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(events, version): …`"
    events: list[Any] = [new.event for new in demo_account(4)]
    for version in (len(events), 1, 0, len(events) // 2, 2):
        state = answer(list(events), version)
        if type(state) is not type(decider.initial):
            return f"For version {version} your function gives {type(state).__name__}, not the state of an account."
        if state == decider.fold(events[:version]):
            continue
        if version == 0:
            return "Version 0 is before the first event: nothing has happened yet, not even the opening."
        near = {version - 1: "one event too few", version + 1: "one event too many"}
        for other, what in near.items():
            if 0 <= other <= len(events) and state == decider.fold(events[:other]):
                return f"For version {version} your function folds {what}."
        if state == decider.fold(events):
            return f"For version {version} your function gives the state after all events: where does it stop?"
        return f"For version {version} your function gives a state that the account never had: check order and number."
    return None


def _check_break(answer: object, ana: Sequence[NewEvent]) -> str | None:
    if not isinstance(answer, str):
        return "The answer is a text: one SQL statement."
    bank = Tables(ana)
    before, entries = bank.row(), bank.audit("0000", "9999")
    try:
        bank.run(answer)
    except SQLAlchemyError as error:
        return f"The database refuses this statement: {getattr(error, 'orig', None) or error}."
    after = bank.row()
    if not entries.equals(bank.audit("0000", "9999")):
        return (
            "That changes the audit table itself, which people notice. Change the account, and leave the audit alone."
        )
    if after.empty:
        return "Now the account is gone. No bank does that to all its customers: change the balance."
    if before["balance_minor"].equals(after["balance_minor"]):
        return "The balance is what it was: the row has to change, and the audit table has to miss it."
    return None


def _check_hour(answer: object, shop: Population) -> str | None:
    if not isinstance(answer, int) or isinstance(answer, bool):
        return "The answer is an hour, a whole number."
    if answer not in _HOURS:
        return f"Look at the hours from {_HOURS[0]} to {_HOURS[-1]}."
    waiting = {hour: _waiting(shop, hour) for hour in _HOURS}
    if waiting[answer] == max(waiting.values()):
        return None
    if waiting[answer] == 0:
        return "Then no cart was open, or there was nothing in it."
    return f"Then it was {Money(waiting[answer], 'EUR')}, and at another full hour more. Bought carts do not count."


def _waiting(shop: Population, hour: int) -> int:
    return int(shop.as_of(time=f"2026-03-02T{hour:02}:00+00:00").filter(status="open")["total_minor"].sum())


PLAN = Plan(
    title="Time travel",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_deepest,
            why="Nobody planned for this question, and no report was ever written for it: the history has the answer.",
            hints=(
                "Drag the slider to the lowest point of the line, then look left and right with the arrow keys.",
                "Or let Python look: each of `steps` has a `version` and a `state`, and a state has a `balance`.",
            ),
            solution="answer = min(steps, key=lambda step: step.state.balance.minor).version",
        ),
        Exercise(
            id="b",
            kind="make",
            check=_check_as_of,
            why="All of time travel is this line. Whatever is faster, a snapshot say, has to give the same state.",
            hints=(
                "A version is the number of events that have happened.",
                "`decider.fold(…)` takes any list of events: give it only the beginning of `events`.",
            ),
            solution="""
def answer(events, version):
    return decider.fold(events[:version])
""",
        ),
        Exercise(
            id="c",
            kind="modify",
            check=_check_break,
            why=(
                "The audit is written when the program loads a row as an object and changes that. A bulk statement "
                "loads nothing: row and audit now disagree, and nothing says so. In an event store the event is the "
                "change."
            ),
            hints=(
                "The audit hangs on the program's objects. Which change of a balance would not go through them?",
                "A nightly job changes the accounts of all customers with one statement on the table `accounts`.",
            ),
            solution='answer = "UPDATE accounts SET balance_minor = balance_minor + 100 WHERE balance_minor > 0"',
        ),
        Exercise(
            id="d",
            kind="investigate",
            check=_check_hour,
            why="Five moments, five passes over the same columns; nobody had to think of the question beforehand.",
            hints=(
                "`shop.as_of(time=…)` gives all carts at one moment. Which of them count, and which column adds up?",
                "A loop over the hours; each time the carts with the status `open`, and the sum of `total_minor`.",
            ),
            solution="""
def waiting(hour):
    then = shop.as_of(time=f"2026-03-02T{hour:02}:00+00:00")
    return then.filter(status="open")["total_minor"].sum()


answer = max(range(9, 14), key=waiting)
""",
        ),
    ),
    recall=(
        Question(
            "Two events carry the same time. How do you ask for the state between them?",
            (
                Option(
                    "By their time, to the millisecond", "They share the millisecond: both have happened, or neither."
                ),
                Option("By version", "Yes: the version counts the events of the stream one by one.", right=True),
                Option("Not at all: they are one event", "They are two facts, and each of them changed something."),
            ),
            lesson="04",
        ),
        Question(
            "Three trousers were added, two put back, one bought. What does the table know a week later?",
            (
                Option("That one pair was bought", "Yes: the row has the end of the story only.", right=True),
                Option("That two pairs were put back", "The row was overwritten when that happened."),
                Option("When the customer hesitated", "For that, somebody would have had to keep what happened."),
            ),
            lesson="01",
        ),
        Question(
            "What is missing in an audit table that has every change of every column?",
            (
                Option("Who changed it", "That is one of its columns."),
                Option("The value before", "That is one of its columns too."),
                Option("What happened", "Yes: two numbers and a name, and the reason has to be guessed.", right=True),
            ),
            lesson="04",
        ),
    ),
)
