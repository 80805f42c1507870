"""Exercises of lesson 19: who is gone without a gap, what each topic is to keep, and a check that finds both."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.pitfalls.experiment import Result
from eventlab.pitfalls.record import Record

_DAY_MS = 86_400_000
_AWAY_MS, _CLICKS_MS = 3 * _DAY_MS, 30 * _DAY_MS  # as the notebook tells them
# What a topic has that says nothing else.
_DEFAULTS = {"cleanup.policy": "delete", "retention.ms": 7 * _DAY_MS, "delete.retention.ms": _DAY_MS}
_TOPICS = ("accounts", "stock", "clicks")


def _check_gone(answer: object, other: Result) -> str | None:
    if isinstance(answer, str) or not isinstance(answer, Iterable):
        return 'The answer is a list of accounts, such as `["account-1", "account-2"]`.'
    said = set(answer)
    written = set(other.history.keys)
    read = {record.key for record in other.records}
    if strange := said - written:
        return f"There is no {min(map(str, strange))} in this month: look at the names in `left(other.history)`."
    if visible := said & read:
        return f"Of {min(visible)} the reader has some events, and the first has a version higher than 1: that shows."
    if said != written - read:
        return "Those are gone, but not they alone: which accounts did somebody write to, and nobody read?"
    return None


def _check_topics(answer: object) -> str | None:
    if not isinstance(answer, dict) or set(answer) != set(_TOPICS):
        return f"The answer is a dictionary with the settings of {', '.join(_TOPICS)}."
    if not all(isinstance(settings, dict) for settings in answer.values()):
        return 'Each topic has a dictionary of settings, as in `{"retention.ms": 60_000}`.'
    for name, settings in answer.items():
        if strange := set(settings) - set(_DEFAULTS):
            return f"{name}: `{min(strange)}` is not among the settings of this exercise ({', '.join(_DEFAULTS)})."
    checks: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = {
        "accounts": _accounts,
        "stock": _stock,
        "clicks": _clicks,
    }
    found = (checks[name]({**_DEFAULTS, **answer[name]}) for name in _TOPICS)
    return next((diagnosis for diagnosis in found if diagnosis), None)


def _accounts(settings: Mapping[str, Any]) -> str | None:
    if "compact" in str(settings["cleanup.policy"]):
        return "accounts: with compaction the last booking of each account is left, and no balance can be told from it."
    if settings["retention.ms"] != -1:
        return f"accounts: after {_days(settings['retention.ms'])} the first bookings are gone."
    return None


def _stock(settings: Mapping[str, Any]) -> str | None:
    if settings["cleanup.policy"] == "delete":
        return "stock: a product that nobody counted for longer than the retention would be missing, or nothing goes."
    if settings["cleanup.policy"] != "compact":
        return "stock: with both policies a product goes as well when it is older than the retention."
    if settings["delete.retention.ms"] < _AWAY_MS:
        return (
            f"stock: tombstones are left for {_days(settings['delete.retention.ms'])}, and a till may be away for "
            f"{_days(_AWAY_MS)}: it would sell what is no longer there."
        )
    return None


def _clicks(settings: Mapping[str, Any]) -> str | None:
    if "compact" in str(settings["cleanup.policy"]):
        return "clicks: with compaction one click of each visitor is left."
    if settings["retention.ms"] != _CLICKS_MS:
        kept = "for ever" if settings["retention.ms"] == -1 else f"for {_days(settings['retention.ms'])}"
        return f"clicks: they are kept {kept}; asked for are {_days(_CLICKS_MS)}."
    return None


def _days(milliseconds: float) -> str:
    return f"{milliseconds / _DAY_MS:g} days"


def _history(*events: tuple[str, int]) -> list[Record]:
    """Records read in this order, each given as its account and version."""
    filler: dict[str, Any] = {"type": "Deposited", "producer": "bank", "timestamp": datetime(2026, 3, 2, tzinfo=UTC)}
    return [
        Record(key=key, version=version, label="deposited", order=order, partition=0, offset=order, **filler)
        for order, (key, version) in enumerate(events)
    ]


_PLANTED: tuple[tuple[str, list[Record], dict[str, int], set[str]], ...] = (
    ("two whole stories", _history(("a", 1), ("b", 1), ("a", 2)), {"a": 2, "b": 1}, set()),
    ("a story without its beginning", _history(("a", 2), ("a", 3), ("b", 1)), {"a": 3, "b": 1}, {"a"}),
    ("a story with a hole", _history(("a", 1), ("a", 3)), {"a": 3}, {"a"}),
    ("a story without its end", _history(("a", 1), ("b", 1)), {"a": 2, "b": 1}, {"a"}),
    ("a story of which nothing is left", _history(("a", 1)), {"a": 1, "b": 3}, {"b"}),
    ("a story whose event came twice", _history(("a", 1), ("a", 1), ("a", 2)), {"a": 2}, set()),
    ("a duplicate in the place of a missing event", _history(("a", 1), ("a", 1)), {"a": 2}, {"a"}),
    ("events that came out of order", _history(("a", 2), ("a", 1)), {"a": 2}, set()),
    ("nothing at all", [], {}, set()),
)


def _check_missing(answer: object, month: Result, whole: Result) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(records, last): …`"
    for what, records, last, right in _PLANTED:
        got = answer(records, dict(last))
        if isinstance(got, str) or not isinstance(got, Iterable):
            return f"Your function gives {got!r}. It gives the names of accounts: a list or a set."
        if set(names := list(got)) != right:
            told = ", ".join(f"{record.key} version {record.version}" for record in records) or "no records"
            return f"Your function gives {names!r} for {what} ({told}; last versions {last})."
    for name, result in (("month", month), ("whole", whole)):
        last = {attempt.fact.key: attempt.fact.version for attempt in result.history.sent}
        if set(names := list(answer(result.records, last))) != set(result.wrong):
            return f"All planted histories are right, but for `{name}.records` your function gives {names!r}."
    return None


PLAN = Plan(
    title="What the log forgets",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_gone,
            why="All their events are older than the retention. Nothing in the topic says that they ever were, so no "
            "check of the topic alone can find them: it takes somebody else who knows how many there should be.",
            hints=(
                "The picture of `left(other.history)` has a row for each account that was written to.",
                "`other.history.keys` names all of them; `other.records` are those events that are left.",
            ),
            solution="""
read = {record.key for record in other.records}
answer = [key for key in other.history.keys if key not in read]
""",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_topics,
            why="Events are kept, states are compacted, and what is of use for a month goes after a month. The "
            "tombstones of a compacted topic last as long as its slowest reader may be away.",
            hints=(
                "Ask of each topic: is its last record per key all that anybody needs? Is there an end to its use?",
                "What is not set is a week for records and a day for tombstones.",
            ),
            solution="""
DAY = 24 * 60 * 60 * 1000
answer = {
    "accounts": {"cleanup.policy": "delete", "retention.ms": -1},
    "stock": {"cleanup.policy": "compact", "delete.retention.ms": 4 * DAY},
    "clicks": {"cleanup.policy": "delete", "retention.ms": 30 * DAY},
}
""",
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_missing,
            why="That is a gap check with a total beside it. The versions find a beginning and a hole; an end, or a "
            "whole story, is only missed by somebody who knows where it should end.",
            hints=(
                "Of a story that ends with version 3 there have to be the versions 1, 2 and 3, each at least once.",
                "Collect the versions of each account in a set, and compare it with what `last` asks for.",
            ),
            solution="""
def answer(records, last):
    seen = {}
    for record in records:
        seen.setdefault(record.key, set()).add(record.version)
    return {key for key, version in last.items() if seen.get(key, set()) < set(range(1, version + 1))}
""",
        ),
    ),
    recall=(
        Question(
            "A service is started as a new group with the client's default settings. What does it read?",
            (
                Option("The topic, from its beginning.", "Only with `auto.offset.reset=earliest`."),
                Option(
                    "What is written from now on.", "Yes, and nobody tells it that there was something.", right=True
                ),
                Option("What no other service has read.", "Groups do not know of each other."),
            ),
            lesson="19",
        ),
        Question(
            "For which topic is `cleanup.policy=compact` right?",
            (
                Option("One with the events of each account.", "The last of them is no account."),
                Option("One with the latest price of each product.", "Yes: its last record is all of it.", right=True),
                Option("One with the clicks of each visitor.", "One click for each visitor would be left."),
            ),
            lesson="19",
        ),
        Question(
            "A group is stopped for two hours and started again. Where does it go on?",
            (
                Option("At the offset that it committed last.", "Yes, if the topic still has it.", right=True),
                Option("At the end of the topic.", "It would miss two hours; a committed offset is there for that."),
                Option("At the beginning of the topic.", "Only a group without a committed offset may."),
            ),
            lesson="12",
        ),
    ),
)
