"""Exercises of lesson 09: a snapshot that was edited, when one may be trusted, and a load from one."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from eventlab.course.exercise import Exercise
from eventlab.course.long_lives import Bank
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.domain import account
from eventlab.domain.account import Account, Deposited, Event, Withdrawn
from eventlab.domain.money import Money
from eventlab.events.envelope import StreamId, Version
from eventlab.store.snapshots import Snapshot, Snapshots


def _check_edited(answer: object, bank: Bank, kept: Snapshots) -> str | None:
    named = str(answer)
    if named not in map(str, bank.streams):
        return 'The answer is the name of an account, like `"account-7"`.'
    stream = StreamId.parse(named)
    if not kept.verify(bank.store, account.decider, stream).trouble:
        return f"The snapshot of {stream} says what its events say."
    return None


_IDS = [UUID(int=number) for number in range(1, 9)]
_TODAY = "fold of today"


def _event_at(version: int) -> UUID | None:
    """A stream with five events."""
    return _IDS[version] if 1 <= version <= 5 else None


def _snapshot(version: int, event: UUID, fold: str = _TODAY) -> Snapshot:
    return Snapshot(StreamId("account", "7"), Version(version), event, fold, "{}", "")


# What it is about, the snapshot, whether it may be used.
_SNAPSHOTS: tuple[tuple[str, Snapshot, bool], ...] = (
    ("of version 3 of 5, made by this fold", _snapshot(3, _IDS[3]), True),
    ("of the last version", _snapshot(5, _IDS[5]), True),
    ("of version 3, made by another fold", _snapshot(3, _IDS[3], "fold of Friday"), False),
    ("of version 7 of a stream that ends at 5", _snapshot(7, _IDS[7]), False),
    ("of version 3, but with another event there", _snapshot(3, _IDS[6]), False),
)


def _check_trusted(answer: Any) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(snapshot, fold, event_at): …`"
    for what, snapshot, right in _SNAPSHOTS:
        got = answer(snapshot, _TODAY, _event_at)
        if not isinstance(got, bool):
            return f"Your function gives {got!r}; it has to give True or False."
        if got != right:
            return f"Your function {'uses' if got else 'does not use'} a snapshot {what}."
    return None


def _euro(minor: int) -> Money:
    return Money(minor, "EUR")


_DAY = date(2026, 3, 2)
_STORY: list[Event] = [
    Deposited(_euro(100_00), _DAY),
    Withdrawn(_euro(30_00), _DAY),
    Withdrawn(_euro(20_00), _DAY),
    Deposited(_euro(5_00), _DAY),
]


@dataclass
class _Stream:
    """Four events, and a note of which were asked for."""

    asked: list[int] = field(default_factory=list)

    def load(self, after: int = 0) -> list[Event]:
        self.asked.append(after)
        return _STORY[after:]


def _at(version: int) -> tuple[int, Account]:
    return version, account.decider.fold(_STORY[:version])


_LOADS: tuple[tuple[str, tuple[int, Account] | None], ...] = (
    ("there is no snapshot", None),
    ("the snapshot is of version 2 of 4", _at(2)),
    ("the snapshot is of version 4, the last one", _at(4)),
    ("the snapshot is of version 1", _at(1)),
)


def _check_load(answer: Any) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(decider, snapshot, load): …`"
    right = account.decider.fold(_STORY)
    for what, snapshot in _LOADS:
        stream = _Stream()
        got = answer(account.decider, snapshot, stream.load)
        if not isinstance(got, Account):
            return f"Your function gives {got!r}; it has to give the state, an `Account`."
        if got != right:
            return f"When {what}, the balance is {right.balance}, and your function gives {got.balance}."
        first = snapshot[0] if snapshot else 0
        if stream.asked != [first]:
            told = " and ".join(f"after {after}" for after in stream.asked) or "never"
            return f"When {what}, one load after {first} is enough; you loaded {told}."
    return None


PLAN = Plan(
    title="Snapshots",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_edited,
            why="Its checksum is right, its fold is today's, and it is wrong: only the events can tell. A job that "
            "compares some snapshots with their events each night finds such a row before a customer does.",
            hints=(
                "What a snapshot says can be compared with what the events say: which call in this lesson knows both?",
                "`kept.verify(bank.store, account.decider, stream)` for every stream in `bank.streams`; look at "
                "`.trouble`.",
            ),
            solution="""
from eventlab.domain import account

answer = next(
    str(stream) for stream in bank.streams if kept.verify(bank.store, account.decider, stream).trouble
)
""",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_trusted,
            why="Two comparisons: the fold is the one that made it, and the history is the one it was made of. The "
            "second covers a stream that ends earlier, too, since there no event stands at that place.",
            hints=(
                "What did the restored store have at the version of the snapshot?",
                "Compare `event_at(snapshot.version)` with what the snapshot remembers of its last event.",
            ),
            solution="""
def answer(snapshot, fold, event_at):
    return snapshot.fold == fold and event_at(snapshot.version) == snapshot.event
""",
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_load,
            why="That is all a snapshot does. The rest of this lesson is about not believing it too easily.",
            hints=(
                "Where does the fold begin, and with which state, when there is a snapshot? And when there is none?",
                "`decider.fold(events, state)` begins with `state`; `decider.initial` is the state of nothing.",
            ),
            solution="""
def answer(decider, snapshot, load):
    version, state = snapshot or (0, decider.initial)
    return decider.fold(load(version), state)
""",
        ),
    ),
    recall=(
        Question(
            "The fold gets a new field with a default. What does an old snapshot say about that field?",
            (
                Option("It cannot be read, so nothing", "It can: the default fills the gap, and no error shows."),
                Option(
                    "The default, although events say otherwise", "Yes: it was made before the question.", right=True
                ),
                Option("What the events say", "They are not read: the snapshot stands in their place."),
            ),
            lesson="09",
        ),
        Question(
            "Why may all snapshots be deleted at any time?",
            (
                Option("The events give every state again", "Yes: what is lost is time.", right=True),
                Option("They are in a backup", "Perhaps. Nobody needs it."),
                Option("They are hardly used", "They may be used by every load; they are still not needed."),
            ),
            lesson="09",
        ),
        Question(
            "From lesson 03: a stream per month opens with the balance. What else has to be in its first events?",
            (
                Option("All bookings of the month before", "Then no stream would be shorter than a life."),
                Option(
                    "The limit and what is held: all that a decision needs",
                    "Yes. A closing that carries only the balance lets nobody decide.",
                    right=True,
                ),
                Option("Nothing", "Then a card payment authorised on the 31st would be forgotten on the 1st."),
            ),
            lesson="03",
        ),
    ),
)
