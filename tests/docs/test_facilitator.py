"""docs/facilitator.md: the hour adds up, and what it names is in the lessons, the library and the command."""

import itertools
import json
import re
from collections.abc import Iterable

import click

from eventlab.cli import main
from eventlab.course import plan
from eventlab.store import KafkaEventLog

from .blocks import blocks
from .project import PROJECT, variables_read

GUIDE = PROJECT / "docs/facilitator.md"
TEXT = GUIDE.read_text()
HOUR = re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", TEXT, re.M)
LESSONS = ("00", "01", "04")
ALL = sorted(path.name[:2] for path in (PROJECT / "notebooks").glob("*.ipynb"))
DAYS = [
    re.findall(r"^\| (\d+):(\d\d) \| ([\d, ]*)\|", TEXT.split(f"\n## {day}\n")[1].split("\n## ")[0], re.M)
    for day in ("A day", "A second day", "A third day")
]
WEEK = re.findall(r"^\| [A-Z]\w+day \| ([\d, ]+) \|$", TEXT, re.M)


def text_of(number: str) -> str:
    (path,) = (PROJECT / "notebooks").glob(f"{number}_*.ipynb")
    return "\n".join("".join(cell["source"]) for cell in json.loads(path.read_text())["cells"])


def minutes_of(numbers: Iterable[str]) -> int:
    return sum(int(re.search(r"\*\*(\d+) minutes", text_of(number))[1]) for number in numbers)


def test_the_minutes_go_up_to_sixty():
    minutes = [int(minute) for minute, _, _ in HOUR]
    assert minutes[0] == 0
    assert minutes[-1] == 60
    assert all(earlier < later for earlier, later in itertools.pairwise(minutes))


def test_the_lessons_of_the_hour_fit_into_it():
    minutes = minutes_of(LESSONS)
    assert f"({minutes} minutes)" in TEXT
    assert minutes <= 60


def test_three_days_have_all_lessons_and_time_for_each_block():
    days = [[(60 * int(hour) + int(minute), re.findall(r"\d\d", named)) for hour, minute, named in day] for day in DAYS]
    assert sorted(number for day in days for _, named in day for number in named) == ALL
    for (start, named), (end, _) in itertools.chain.from_iterable(map(itertools.pairwise, days)):
        assert minutes_of(named) <= end - start, named


def test_a_week_has_all_lessons_five_a_day_at_most():
    assert [number for named in WEEK for number in named.split(", ")] == ALL
    assert len(WEEK) == 5
    assert all(len(named.split(", ")) <= 5 for named in WEEK)


def test_what_the_hour_names_stands_in_the_lessons():
    told = "\n".join(text_of(number) for number in LESSONS)
    named = re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", "\n".join(f"{what}\n{you}" for _, what, you in HOUR))
    shown = {"correct", "incorrect", "not attempted"}  # the three outcomes of a check
    assert shown < set(named)
    for words in set(named) - shown:
        assert words in told, words


def test_the_exercises_it_names_exist():
    named = re.findall(r"(\d\d), exercise ([a-z])(?: or ([a-z]))?", TEXT)
    assert len(named) >= 3
    for number, *ids in named:
        assert {exercise.id for exercise in plan.load(number).exercises} >= set(filter(None, ids))


def test_its_commands_and_variables_exist():
    (block,) = blocks(GUIDE)
    assert block.lines == ["make setup", ".venv/bin/eventlab doctor"]
    assert set(re.findall(r"EVENTLAB_[A-Z_]+", TEXT)) <= variables_read()
    commands = set(re.findall(r"bin/eventlab ([a-z]+)", TEXT))
    assert {"doctor"} < commands <= set(main.list_commands(click.Context(main)))
    assert "`KafkaEventLog.CANNOT`" in TEXT
    assert KafkaEventLog.CANNOT
