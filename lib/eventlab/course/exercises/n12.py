"""Exercises of lesson 12: what a group remembers, whom it serves, and counts that survive a kill."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.course.word_count import WordCount
from eventlab.services.word_count import open_database

_WORDS_PER_SEARCH = 2
_INSTANCES = {"dashboard": 1, "spelling": 3, "suggestions": 2}
# One partition, three batches: which offset comes after each, and the words in it.
_BATCHES: tuple[tuple[int, Mapping[str, int]], ...] = (
    (2, {"red": 2, "hat": 1, "socks": 1}),
    (4, {"red": 1, "hat": 2, "coat": 1}),
    (6, {"blue": 1, "hat": 1, "socks": 2}),
)
_FIRST = (0, 0)  # partition and offset


def _check_never(answer: object, dead: WordCount) -> str | None:
    if not isinstance(answer, int):
        return "The answer is a number of searches."
    lag = dead.lag()
    committed, counted = int(lag["committed"].sum()), int(dead.kept()["times"].sum()) // _WORDS_PER_SEARCH
    if answer == committed - counted:
        return None
    if answer == committed:
        return "So many are committed and will not come again; some of them have already been counted."
    if answer == counted:
        return "So many have been counted. Which searches are neither counted, nor will come again?"
    if answer == lag["lag"].sum():
        return "So many are still before the group: the next run gets and counts them."
    if answer == _WORDS_PER_SEARCH * (committed - counted):
        return "That is how many words are lost; each search has two."
    return "Compare two numbers: up to where the group has committed, and how many searches the table has counted."


def _check_group(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(service, instance): …`"
    mine: dict[str, str] = {}
    for service, instances in _INSTANCES.items():
        groups = [answer(service, instance) for instance in range(1, instances + 1)]
        for instance, group in enumerate(groups, start=1):
            if not isinstance(group, str) or not group:
                return f"For instance {instance} of `{service}` the group is {group!r}; it has to be a text."
        if len(set(groups)) > 1:
            return (
                f"The instances of `{service}` are in {len(set(groups))} groups: each group gets every search, so "
                "the service works on each of them more than once."
            )
        if other := mine.get(groups[0]):
            return (
                f"`{other}` and `{service}` share a group: a search that goes to one of them does not go to the other, "
                "so neither sees them all."
            )
        mine[groups[0]] = service
    return None


class _Killed(BaseException):
    """The process is gone. Nothing that catches errors catches this."""


class _Mortal(sqlite3.Connection):
    """A connection whose process is killed at its ``left``-th step; before and after each statement are steps."""

    left = -1  # immortal

    def _step(self) -> None:
        if self.left == 0:
            raise _Killed
        self.left -= 1

    def execute(self, *statement: Any) -> Any:
        return self._done(super().execute, *statement)

    def executemany(self, *statement: Any) -> Any:
        return self._done(super().executemany, *statement)

    def commit(self) -> None:
        self._done(super().commit)

    def __exit__(self, *raised: Any) -> Any:
        return self._done(super().__exit__, *raised)

    def _done(self, what: Any, *arguments: Any) -> Any:
        self._step()
        result = what(*arguments)
        self._step()
        return result


def _check_keep(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(database, words, offsets): …`"
    for step, counts in _after_kills(answer):
        if wrong := _difference(counts):
            when = f"Killed at step {step} of its second batch" if step >= 0 else "Never killed, run to its end"
            return f"{when} and started again, your program ends with {wrong}."
    return None


def _after_kills(answer: Any) -> Iterator[tuple[int, dict[str, int]]]:
    """The counts after another start: without a kill (step -1), and with one at each step that the second batch has."""
    with TemporaryDirectory() as folder:
        step, killed = -1, True
        while killed:
            path = str(Path(folder) / f"{step}.db")
            open_database(path).close()
            killed = _run(answer, path, step) or step == -1
            _run(answer, path, -1)
            with closing(sqlite3.connect(path)) as database:
                yield step, dict(database.execute("SELECT word, times FROM counts"))
            step += 1


def _run(answer: Any, path: str, dies_at: int) -> bool:
    """One life of the program: from where the table says to the end. Whether it was killed."""
    with closing(sqlite3.connect(path, factory=_Mortal)) as database:
        start = dict(sqlite3.Connection.execute(database, "SELECT partition, next FROM offsets")).get(*_FIRST)
        for number, (next_, words) in enumerate(_BATCHES):
            if next_ <= start:
                continue
            database.left = dies_at if number == 1 else -1
            try:
                answer(database, dict(words), {0: next_})
            except _Killed:
                return True
    return False


def _difference(counts: dict[str, int]) -> str:
    truth: dict[str, int] = {}
    for _, words in _BATCHES:
        for word, times in words.items():
            truth[word] = truth.get(word, 0) + times
    found = [
        f"`{word}` {abs(more)} {'too often' if more > 0 else 'too few'}"
        for word in truth
        if (more := counts.get(word, 0) - truth[word])
    ]
    return ", ".join(found)


PLAN = Plan(
    title="Kafka by hand",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_never,
            why="The group had committed their batch, and the table did not have it yet. The next run begins behind "
            "them, and no error tells of it.",
            hints=(
                "Two places know how far it was: the group's offsets and the table of counts.",
                "`dead.lag()` has a column `committed`. Each search has two words, so `dead.kept()` says how many "
                "searches were counted.",
            ),
            solution="""
committed = dead.lag()["committed"].sum()
counted = dead.kept()["times"].sum() // 2
answer = committed - counted
""",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_group,
            why="A group is a service: its instances share the partitions, and every group gets every record.",
            hints=(
                "Who has to share the work, and who has to see all of it?",
                "Two consumers that may not miss anything which the other one gets cannot be in one group.",
            ),
            solution="""
def answer(service, instance):
    return service
""",
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_keep,
            why="At no step is one of the two written without the other: nothing lies between them to be killed in.",
            hints=(
                "What sqlite3 writes in a `with` block on the connection, it writes at the end of the block.",
                "One block, both statements in it: `executemany` takes a statement and pairs of values.",
            ),
            solution="""
def answer(database, words, offsets):
    with database:
        database.executemany(ADD, words.items())
        database.executemany(MOVE, offsets.items())
""",
        ),
    ),
    recall=(
        Question(
            "A topic has four partitions. A group reads it with six consumers. What do the last two do?",
            (
                Option("They take over every third record", "A partition belongs to one member of a group as a whole."),
                Option("Nothing, until another one goes", "Yes: each partition goes to one member.", right=True),
                Option("They read what the other four read", "Only members of another group do that."),
            ),
            lesson="12",
        ),
        Question(
            "What does it mean that a group has committed offset 100 of a partition?",
            (
                Option(
                    "That its next reader begins there, if nobody tells it otherwise",
                    "Yes. It is a number that somebody wrote down; what was done with the records, Kafka cannot know.",
                    right=True,
                ),
                Option("That the records before it have been processed", "A commit may come before the work."),
                Option("That the records before it are deleted", "Reading takes nothing away, and committing neither."),
            ),
            lesson="12",
        ),
        Question(
            "A view writes its rows and its checkpoint in one transaction. Why?",
            (
                Option("It is faster", "It may be, but a crash does not care."),
                Option("Readers see no half of an event", "The rows alone would do for that."),
                Option("A crash leaves both or neither", "Yes: no event is lost, none is applied twice.", right=True),
            ),
            lesson="07",
        ),
    ),
)
