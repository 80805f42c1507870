"""The learner's progress, kept as facts: one JSON line per prediction, check and quiz answer.

One write appends a line, so it never overwrites what another open notebook wrote; the state is a fold over the lines.
A line that cannot be read (a full disk, an editor) costs that line, not the file.
"""

import errno
import getpass
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import msgspec
import pandas as pd
from IPython.display import display

from eventlab.cluster import home
from eventlab.course.card import Card
from eventlab.course.plan import load, numbers


class Fact(msgspec.Struct, frozen=True):
    """Something the learner did. ``value``: the guess, or whether the answer was right."""

    lesson: str
    kind: Literal["predicted", "checked", "recalled"]
    key: str
    value: float | bool
    at: datetime


@dataclass
class LessonProgress:
    """Where a learner stands in one lesson: the guesses, and which answers were ever right."""

    predictions: dict[str, float] = field(default_factory=dict)
    exercises: dict[str, bool] = field(default_factory=dict)
    recall: dict[str, bool] = field(default_factory=dict)


def fold(facts: Iterable[Fact]) -> dict[str, LessonProgress]:
    """The progress by lesson number. A right answer stays right."""
    lessons: dict[str, LessonProgress] = {}
    for fact in facts:
        lesson = lessons.setdefault(fact.lesson, LessonProgress())
        if fact.kind == "predicted":
            lesson.predictions[fact.key] = fact.value
        else:
            answered = lesson.exercises if fact.kind == "checked" else lesson.recall
            answered[fact.key] = bool(fact.value) or answered.get(fact.key, False)
    return lessons


def learner() -> str:
    """Who learns here: ``EVENTLAB_LEARNER``, or the user of the operating system."""
    if name := os.environ.get("EVENTLAB_LEARNER"):
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return "learner"


def path() -> Path:
    """The file of this learner: ``progress/<learner>.jsonl`` in the home of the lab."""
    return home() / "progress" / f"{quote(learner(), safe=' @')}.jsonl"


def record(lesson: str, kind: Literal["predicted", "checked", "recalled"], key: str, value: float | bool) -> str:
    """Keep a fact. Gives a note for the learner if that is not possible, otherwise an empty text."""
    fact = Fact(lesson=lesson, kind=kind, key=key, value=value, at=datetime.now(UTC))
    # The newline comes first, so that a line cut off by a crash cannot swallow this one (as in RFC 7464).
    line = b"\n" + msgspec.json.encode(fact)
    try:
        file = path()
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            if os.write(descriptor, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)
    except OSError as error:
        return f"Your progress is not kept ({error}). The lesson works all the same."
    return ""


def facts() -> tuple[list[Fact], str]:
    """All facts of this learner, and a note if some could not be read (otherwise an empty text)."""
    try:
        file = path()
        lines = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return [], ""
    except OSError as error:
        return [], f"Your progress cannot be read ({error}). The lesson works all the same."
    read, broken = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            read.append(msgspec.json.decode(line, type=Fact))
        except (msgspec.DecodeError, UnicodeDecodeError):
            broken.append(number)
    if broken:
        where = ", ".join(map(str, broken))
        return read, f"In {file} these lines cannot be read and are left out: {where}."
    return read, ""


def progress() -> pd.DataFrame:
    """One row per lesson: predictions made, exercises and recall questions right, out of how many."""
    done, note = facts()
    lessons = fold(done)
    rows = {}
    for number in numbers():
        plan, mine = load(number), lessons.get(number, LessonProgress())
        rows[f"{number} · {plan.title}"] = {
            "predictions": len(mine.predictions),
            "exercises": f"{sum(mine.exercises.values())} of {len(plan.exercises)}",
            "recall": f"{sum(mine.recall.values())} of {len(plan.recall)}",
        }
    if note:
        display(Card(note))  # type: ignore[no-untyped-call]
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("lesson")
