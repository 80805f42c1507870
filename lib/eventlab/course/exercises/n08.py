"""Exercises of lesson 08: where a rewind has to begin, a query that misses nothing, and a reader's mark."""

from collections.abc import Sequence

from sqlalchemy import Connection, text
from sqlalchemy.exc import NoSuchColumnError, SQLAlchemyError

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.domain.cart import QuantityChanged
from eventlab.events.envelope import Recorded
from eventlab.pitfalls.systems import commit_order
from eventlab.pitfalls.systems.commit_order import Cure
from eventlab.pitfalls.systems.commit_order.log import Event
from eventlab.pitfalls.systems.commit_order.unprotected import no_lock


def _check_rewind(answer: object, events: Sequence[Recorded]) -> str | None:
    if not isinstance(answer, int) or isinstance(answer, bool):
        return "The answer is a position, a whole number: every one of `events` has one."
    here = next((each for each in events if each.position == answer), None)
    if here is None:
        return f"There is no event at position {answer}."
    if not _goes_wrong(here):
        return f"At position {answer} stands {type(here.event).__name__}: both handlers make the same of it."
    if any(_goes_wrong(each) for each in events if each.position < answer):
        return f"At position {answer} the old view goes wrong, but it had gone wrong before that already."
    return None


def _goes_wrong(recorded: Recorded) -> bool:
    return isinstance(recorded.event, QuantityChanged) and bool(recorded.event.before)


class _Asking:
    """A subscriber with the learner's query."""

    def __init__(self, query: str) -> None:
        self._query = text(query)
        self._last = {"xid": "0", "position": 0}
        self._seen: set[int] = set()

    def poll(self, connection: Connection) -> list[Event]:
        rows = connection.execute(self._query, self._last).mappings().all()
        for row in rows:
            self._last = {"xid": row["xid"], "position": row["position"]}
            if row["position"] in self._seen:
                raise _Twice
            self._seen.add(row["position"])
        return [Event(row["position"], "") for row in rows]


class _Twice(Exception):
    """The query gave an event again."""


_SITUATIONS = {
    "the transactions get their numbers in the order of their positions": False,
    "the transaction with the higher position has the lower number": True,
}


def _check_query(answer: object, url: str) -> str | None:
    if not isinstance(answer, str):
        return "The answer is a text: one SQL query."
    for situation, crossed in _SITUATIONS.items():
        try:
            result = commit_order.run(url, cure=Cure(no_lock, lambda: _Asking(answer)), crossed=crossed)
        except _Twice:
            return "Your query gives an event a second time: it has to begin behind the last one, `:xid`, `:position`."
        except NoSuchColumnError:
            return "The subscriber needs the columns `xid` and `position`: of the last row it makes its bookmark."
        except SQLAlchemyError as error:
            return f"This query cannot be run: {str(getattr(error, 'orig', None) or error).splitlines()[0]}."
        if result.count:
            return f"Lost where {situation}: read {_words(result.seen)} of {_words(result.written)}."
    return None


def _words(positions: Sequence[int]) -> str:
    return ", ".join(map(str, positions)) or "nothing"


# The mark, what is visible behind it, the numbers that cannot appear any more, what may be handled.
_MARKS: tuple[tuple[str, int, list[int], set[int], list[int]], ...] = (
    ("no gap", 0, [1, 2, 3], set(), [1, 2, 3]),
    ("nothing new", 7, [], set(), []),
    ("a gap in the middle", 4, [5, 6, 8, 9], set(), [5, 6]),
    ("a gap at once", 4, [6, 7], set(), []),
    ("a gap that is over", 4, [5, 7, 8], {6}, [5, 7, 8]),
    ("two gaps, of which the first is over", 10, [11, 13, 15], {12}, [11, 13]),
    ("two gaps, of which the second is over", 10, [11, 13, 15], {14}, [11]),
    ("a gap of two, of which one is over", 0, [1, 4], {3}, [1]),
)


def _check_mark(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(mark, visible, over): …`"
    for what, mark, visible, over, right in _MARKS:
        got = answer(mark, list(visible), set(over))
        if not isinstance(got, list | tuple):
            return f"Your function gives {got!r}; it has to give a list of positions."
        if list(got) != right:
            return f"Your function gives {list(got)} for {what}: mark {mark}, visible {visible}, over {over or '{}'}."
    return None


PLAN = Plan(
    title="Rebuild",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_rewind,
            why="Up to there the old view was right. With a copy of its rows from that moment a replay could begin "
            "there; without one it begins at zero, as here.",
            hints=(
                "What do the two handlers make differently, and of which event?",
                "Go through `events` in their order. `isinstance(each.event, …)` tells the kind.",
            ),
            solution="""
from eventlab.domain.cart import QuantityChanged

answer = next(each.position for each in events if isinstance(each.event, QuantityChanged) and each.event.before)
""",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_query,
            why="Below the horizon every transaction has ended, so nothing can appear there any more. The order has to "
            "be by the same number as the horizon: a low position may belong to a high transaction.",
            hints=(
                "Which transactions have ended for certain? `pg_snapshot_xmin(pg_current_snapshot())` is the oldest "
                "that has not.",
                "The bookmark, the order and the horizon have to speak of the same thing. PostgreSQL compares pairs: "
                "`(a, b) > (1, 2)`.",
            ),
            solution='''
answer = """
SELECT position, xid FROM events
WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) AND (xid, position) > (:xid, :position)
ORDER BY xid, position
"""
''',
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_mark,
            why="This is the high-water mark. What is left is to find out which numbers are over; a timer cannot.",
            hints=(
                "One pass over `visible` is enough. When do you have to stop?",
                "Between the mark and the next visible position numbers may be missing: are all of them in `over`?",
            ),
            solution="""
def answer(mark, visible, over):
    handled = []
    for position in visible:
        if not set(range(mark + 1, position)) <= over:
            break
        handled.append(position)
        mark = position
    return handled
""",
        ),
    ),
    recall=(
        Question(
            "A view is wrong because of a bug in its handler. What do you mend?",
            (
                Option("Its rows, with an UPDATE", "Which rows, and to which values? And the next event breaks them."),
                Option(
                    "The handler; the rows come out of the events again",
                    "Yes: the events were right all the time.",
                    right=True,
                ),
                Option("The events", "They say what happened, and that has not changed."),
            ),
            lesson="08",
        ),
        Question(
            "Why does a replay give the rows that the handlers would have given live?",
            (
                Option("Because it is done quickly", "A slow one gives the same."),
                Option("Because the database locks the events", "Nothing is locked, and nobody would change them."),
                Option(
                    "Because a handler uses nothing but the event and the rows",
                    "Yes: no clock, no dice, no question to another service.",
                    right=True,
                ),
            ),
            lesson="02",
        ),
        Question(
            "Position 8 is visible, position 7 is not. What does a subscriber know?",
            (
                Option("That 7 may still come, or never", "Yes: its transaction runs, or was rolled back.", right=True),
                Option("That 7 was rolled back", "Perhaps it only commits late."),
                Option("That it has seen 7 already", "Numbers are drawn in order, but become visible in any order."),
            ),
            lesson="08",
        ),
    ),
)
