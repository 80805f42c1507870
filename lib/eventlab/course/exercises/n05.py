"""Exercises of lesson 05: what was known when, a query for both times, and the filter behind all of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import product
from random import Random

from sqlalchemy.exc import SQLAlchemyError

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.course.two_times import ANA, Bank, evenings
from eventlab.domain.account import decider
from eventlab.domain.money import Money
from eventlab.events.envelope import Recorded
from eventlab.history import as_believed
from eventlab.history.moments import instant

_SHUFFLES = 20


def _check_beliefs(answer: object, bank: Bank, ides: str) -> str | None:
    if not isinstance(answer, int) or isinstance(answer, bool):
        return "The answer is a number of balances."
    told = [each for each in bank.events if each.valid_time <= instant(ides)]
    later = [each for each in told if each.recorded_time > instant(ides)]
    moments = [instant(ides), *(each.recorded_time for each in later)]
    believed = {_balance(bank, ides, known_at) for known_at in moments}
    if answer == len(believed):
        return None
    if answer == len(later):
        return "So often the bank changed its mind. With what did it begin, on that evening itself?"
    if answer == len({_balance(bank, ides, each.recorded_time) for each in told}):
        return "Among these are balances that the bank believed before that evening: begin on the evening itself."
    if answer > len(believed):
        return "These are too many: what happened after that evening changes nothing about it, whenever it is recorded."
    return "These are too few: stay on that evening, and go up along the recorded axis to the end."


def _balance(bank: Bank, time: str, known_at: datetime) -> Money:
    return as_believed(bank.store, decider, ANA, time=time, known_at=known_at).balance


def _check_query(answer: object, bank: Bank) -> str | None:
    if not isinstance(answer, str):
        return "The answer is a text: one SQL query."
    days = evenings()[2::4]  # the last evening is one of them
    exact = _at_events(bank.events)
    wrong = {"earlier": 0, "end": 0, "exact": 0}
    for time, known_at in [*product(days, days), *sorted(exact)]:
        try:
            found = bank.ask(answer, time, known_at)
        except SQLAlchemyError as error:
            return f"The database refuses this query: {getattr(error, 'orig', None) or error}."
        at = f"Known at {known_at:%d %B, %H:%M} about {time:%d %B, %H:%M}"
        if len(found) != 1 or len(found[0]) != 1:
            return f"{at} it finds {len(found)} rows: it has to be one, of one column. Which periods hold both moments?"
        right = as_believed(bank.store, decider, ANA, time=time, known_at=known_at).balance.minor
        if found[0][0] != right:
            wrong["exact" if (time, known_at) in exact else "end" if known_at == days[-1] else "earlier"] += 1
    if wrong["earlier"] and not wrong["end"]:
        return "It finds what is believed now, whatever `:known_at` is. Which two columns say when a row was believed?"
    if wrong["earlier"] or wrong["end"]:
        points = len(days) ** 2 + len(exact)
        return f"It finds a balance, but at {sum(wrong.values())} of {points} points it was another one."
    if wrong["exact"]:
        return "In the evenings it is right, and at the very moment of a booking it is not: which row holds its bounds?"
    return None


def _at_events(events: Sequence[Recorded]) -> set[tuple[datetime, datetime]]:
    """Points where one of the two moments is exactly that of an event."""
    end = max(each.recorded_time for each in events)
    return {(each.valid_time, end) for each in events} | {(end, each.recorded_time) for each in events}


def _check_believed(answer: object, bank: Bank) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(events, time, known_at): …`"
    events = bank.events
    for time, known_at in _moments(events):
        given = answer(list(events), time, known_at)
        if not isinstance(given, list | tuple) or not all(isinstance(each, Recorded) for each in given):
            return "Your function has to give a list with some of `events`, as they are."
        right = [each for each in events if each.valid_time <= time and each.recorded_time <= known_at]
        if list(given) != right:
            return _what_is_wrong(events, list(given), right, time, known_at)
    return None


def _moments(events: Sequence[Recorded]) -> Iterator[tuple[datetime, datetime]]:
    """Points on, just before and just after the times of events, so that no boundary is missed."""
    rng = Random(5)  # noqa: S311 the same points every time
    near = [timedelta(0), timedelta(microseconds=1), timedelta(microseconds=-1)]
    for _ in range(_SHUFFLES):
        yield (
            rng.choice(events).valid_time + rng.choice(near),
            rng.choice(events).recorded_time + rng.choice(near),
        )


def _what_is_wrong(
    events: Sequence[Recorded], given: list[Recorded], right: list[Recorded], time: datetime, known_at: datetime
) -> str:
    at = f"For {time} as known at {known_at}"
    if sorted(each.version for each in given) == [each.version for each in right]:
        return f"{at} these are the right events, but not in the order of their versions."
    if given == [each for each in events if each.valid_time < time and each.recorded_time < known_at]:
        return f"{at} an event is missing that lies exactly at one of the moments: both are included."
    early = [each for each in given if each.recorded_time > known_at]
    if early:
        return f"{at} it gives version {early[0].version}, which nobody had recorded yet."
    ahead = [each for each in given if each.valid_time > time]
    if ahead:
        return f"{at} it gives version {ahead[0].version}, which had not happened yet."
    return f"{at} it gives {len(given)} events, and something is missing that had happened and was known."


PLAN = Plan(
    title="Two times",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_beliefs,
            why="Each was right when it was believed. Which one is the balance of 15 March depends on who asks.",
            hints=(
                "In the picture: stay on the last place before that evening, and go up the recorded axis.",
                "Or ask `history.as_believed` about `ides` for one evening after the other: `two_times.evenings()`.",
            ),
            solution="""
later = [evening for evening in two_times.evenings() if evening.isoformat() >= ides]
believed = [history.as_believed(bank.store, account.decider, ANA, time=ides, known_at=evening) for evening in later]
answer = len({state.balance for state in believed})
""",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_query,
            why=(
                "Four comparisons, and no fold: to read is what a bitemporal table is good at. It was paid for "
                "when the rows were written."
            ),
            hints=(
                "The query compares two of the four columns with `:time`. What is the same for the other two?",
                "A row was believed up to, and not including, the moment in its column `recorded_to`.",
            ),
            solution='''
answer = """
    SELECT balance_minor FROM bitemporal_balances
    WHERE valid_from <= :time AND :time < valid_to
      AND recorded_from <= :known_at AND :known_at < recorded_to
"""
''',
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_believed,
            why="Every question about two times is this filter, and then whatever one does with events.",
            hints=(
                "Each of `events` has a `valid_time` and a `recorded_time`. Both decide.",
                "The list comes in the order of the versions, and a list comprehension keeps it.",
            ),
            solution="""
def answer(events, time, known_at):
    return [event for event in events if event.valid_time <= time and event.recorded_time <= known_at]
""",
        ),
    ),
    recall=(
        Question(
            "A card payment of Saturday reaches the bank on Monday. Where do its two times stand?",
            (
                Option("Both on Monday: that is when it was booked", "Then nobody could ask about Saturday any more."),
                Option("Valid on Saturday, recorded on Monday", "Yes: when it happened, when we knew.", right=True),
                Option("Valid on Monday, recorded on Saturday", "The other way round: nobody knew of it on Saturday."),
            ),
            lesson="05",
        ),
        Question(
            "A support ticket has to lead back to exactly one state of an account, today and next year. What goes in?",
            (
                Option("The stream and a version", "Yes: a version is an exact address of the past.", right=True),
                Option("The time on the clock of whoever wrote it", "Two events can share a time; a version is one."),
                Option("The balance", "Many states have had this balance."),
            ),
            lesson="04",
        ),
        Question(
            "What can the events say that a bitemporal table of balances cannot?",
            (
                Option("What was believed last Tuesday", "The table keeps every balance that was ever believed."),
                Option("What was true on Monday, as we know now", "Its rows have a valid time too."),
                Option("What was learned in between", "Yes: the table has the balances, not the bookings.", right=True),
            ),
            lesson="05",
        ),
    ),
)
