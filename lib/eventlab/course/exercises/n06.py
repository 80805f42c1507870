"""Exercises of lesson 06: who holds the lock, a version that is worth its name, a loop that gives up nothing."""

import sqlite3

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.locks import Step
from eventlab.pitfalls.deposits import Result

_MOST_REFUSALS = 50


def _check_holders(answer: object, stale: Result) -> str | None:
    if not isinstance(answer, int) or isinstance(answer, bool):
        return "The answer is the number of a step: the picture counts them along its lower edge."
    table = stale.table()
    if not 1 <= answer <= len(table):
        return f"There is no step {answer} in the picture."
    took = table.loc[table["does"] == str(Step.LOCKS), "step"]
    if answer == took.iloc[1]:
        return None
    if answer == took.iloc[0]:
        return "There one writer has the lock, and nobody else believes so."
    if answer < took.iloc[1]:
        return f"At step {answer} nobody but writer 1 believes to have the lock."
    return f"At step {answer} both believe it already: when did that begin?"


class _Table:
    """Two accounts, each with a balance in cents and a version."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:")
        self._database.execute("CREATE TABLE accounts (name TEXT PRIMARY KEY, minor INTEGER, version INTEGER)")
        self._database.executemany("INSERT INTO accounts VALUES (?, ?, ?)", [("shared", 500, 5), ("other", 900, 5)])

    def run(self, statement: str, **values: object) -> int:
        """How many rows the statement changed. Raises sqlite3.Error."""
        return self._database.execute(statement, values).rowcount

    def row(self, name: str = "shared") -> tuple[int, int]:
        """Balance and version."""
        row = self._database.execute("SELECT minor, version FROM accounts WHERE name = ?", [name]).fetchone()
        return row or (0, 0)


def _check_version(answer: object) -> str | None:
    if not isinstance(answer, str):
        return "The answer is a text: one SQL statement."
    table = _Table()
    try:
        changed = table.run(answer, name="shared", minor=600, version=5)
        after = table.row()
        again = table.run(answer, name="shared", minor=700, version=5)
        overwritten = table.row()
        later = table.run(answer, name="shared", minor=800, version=after[1])
    except sqlite3.Error as error:
        return f"The database refuses this statement: {error}."
    if table.row("other") != (900, 5):
        return "It changes somebody else's account too: look at its WHERE."
    if changed != 1 or after[0] != 600:
        return "A writer that comes with the version of the row is not let through, or its balance is not written."
    if again or overwritten != after:
        if after[1] == 5:
            return (
                "Two writers read the same version, and both get through: what should the first one have left behind?"
            )
        return "Two writers read the same version, and both get through: the statement does not look at what they read."
    if later != 1 or table.row()[1] <= after[1]:
        return "It works for one deposit. A second one, by a writer that has read the row again, does not get through."
    return None


class _Account:
    """An account at which others pay in while one thinks: one deposit of theirs after each of the first reads."""

    def __init__(self, busy: int) -> None:
        self.balance, self.version, self.others = 500, 5, 0
        self._busy, self._refusals = busy, 0

    def read(self) -> tuple[int, int]:
        seen = self.balance, self.version
        if self._busy:
            self._busy -= 1
            self.balance, self.version, self.others = self.balance + 7, self.version + 1, self.others + 7
        return seen

    def write(self, balance: int, version: int) -> bool:
        if version != self.version:
            self._refusals += 1
            if self._refusals > _MOST_REFUSALS:
                raise _NeverEnds
            return False
        self.balance, self.version = balance, self.version + 1
        return True


class _NeverEnds(Exception):
    pass


def _check_retry(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(read, write, amount): …`"
    for busy in (0, 1, 4):
        account = _Account(busy)
        when = f"When {busy} others pay in meanwhile," if busy else "When nobody else pays in,"
        try:
            answer(account.read, account.write, 100)
        except _NeverEnds:
            return f"{when} your function is refused {_MOST_REFUSALS} times with what it once read: that gets no newer."
        missing = 500 + account.others + 100 - account.balance
        if missing == 100 and account.balance == 500 + account.others:
            return f"{when} your deposit is not in the balance: what does `write` give back?"
        if missing > 0:
            return f"{when} {missing} cents are gone: the version was new, the balance that went with it was not."
        if missing < 0:
            return f"{when} the balance is {-missing} cents too high: a write that went through is done."
    return None


def _check_withdrawal(answer: object) -> str | None:
    if not isinstance(answer, str):
        return "The answer is a text: one SQL statement."
    table = _Table()
    try:
        for amount, balance, what in (
            (200, 300, "one that the balance covers"),
            (301, 300, "one that it does not cover"),
            (300, 0, "one that takes all there is"),
            (1, 0, "one from an empty account"),
        ):
            before = table.row()[0]
            changed = table.run(answer, name="shared", amount=amount)
            if table.row()[0] != balance:
                return f"Balance {before}, withdrawal of {amount}, {what}: the balance is then {table.row()[0]}."
            if changed != (before != balance):
                told = f"Balance {before}, withdrawal of {amount}"
                return f"{told}: the number of changed rows does not say what came of it."
    except sqlite3.Error as error:
        return f"The database refuses this statement: {error}."
    if table.row("other") != (900, 5):
        return "It changes somebody else's account too: look at its WHERE."
    return None


PLAN = Plan(
    title="Two at once",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_holders,
            why="From there on two writers believe to have the lock, and both are right by their own lights: one was "
            "given it, the other was never told that its time was over.",
            hints=(
                "A square is a lock that was given. What ends it, in the picture, for the writer that stopped?",
                "Nothing tells a stopped writer anything. So look for the moment when another one is given the lock.",
            ),
            solution='table = stale.table()\nanswer = int(table.loc[table["does"] == "has the lock", "step"].iloc[1])',
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_version,
            why="Both halves are needed: look at the version, and raise it. A version that is checked but not raised "
            "lets everybody through who has read it, and no test with a single writer notices.",
            hints=(
                "Two writers have read version 5 of the row. The first is to get through, the second is not.",
                "The WHERE decides who gets through. What must be different in the row when the second one comes?",
            ),
            solution='answer = """\nUPDATE accounts SET minor = :minor, version = version + 1\n'
            'WHERE name = :name AND version = :version\n"""',
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_retry,
            why="This loop is `eventlab.store.execute` in short: load, decide, append, and when somebody was faster, "
            "all three again. What was decided on an old state is never written.",
            hints=(
                "When `write` says no, somebody else has written. What do you have to know before you try again?",
                "Everything that depends on what you read belongs inside the loop, the reading first.",
            ),
            solution="""
def answer(read, write, amount):
    while True:
        balance, version = read()
        if write(balance + amount, version):
            return
""",
        ),
        Exercise(
            id="d",
            kind="make",
            check=_check_withdrawal,
            why="The database reads, checks and writes in one statement, and holds the row meanwhile. Where the whole "
            "rule fits into one statement, this is the shortest lock there is.",
            hints=(
                "The new balance can be said without knowing the old one.",
                "The rule, that the balance covers the withdrawal, can decide which rows are changed.",
            ),
            solution='answer = "UPDATE accounts SET minor = minor - :amount WHERE name = :name AND minor >= :amount"',
        ),
    ),
    recall=(
        Question(
            "Two programs read a balance, both add to it, both write it in a transaction. What does that save?",
            (
                Option(
                    "Both deposits: transactions are isolated",
                    "At PostgreSQL's usual level, read committed, each may overwrite what the other has committed.",
                ),
                Option(
                    "One of them, and nobody is told",
                    "Yes: both transactions commit without an error, and the second write wins.",
                    right=True,
                ),
                Option("One of them, and the other gets an error", "At repeatable read it would; not by default."),
            ),
            lesson="06",
        ),
        Question(
            "A lock in Redis ends after 30 seconds. Its holder's machine sleeps for a minute and goes on. What helps?",
            (
                Option(
                    "A thread in the holder that keeps renewing the lock",
                    "It sleeps with its machine, as everything in the process does.",
                ),
                Option(
                    "Asking for the lock's owner just before each write",
                    "The machine may fall asleep between the question and the write.",
                ),
                Option(
                    "A token that the database compares",
                    "Yes: only what is written to can refuse a writer that is late.",
                    right=True,
                ),
            ),
            lesson="06",
        ),
        Question(
            "What is an exact address in the history of an account?",
            (
                Option(
                    "A version", "Yes: each event makes one, and an append can name the one it builds on.", right=True
                ),
                Option("A time", "Two events may share it, and then it does not tell them apart."),
                Option("A balance", "An account may have the same balance many times."),
            ),
            lesson="04",
        ),
    ),
)
