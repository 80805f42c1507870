"""Exercises of lesson 20: how long nobody led, how many copies a promise needs, what is lost, which group to take."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.pitfalls.failover import Failover
from eventlab.pitfalls.history import Sent, Status
from eventlab.pitfalls.record import Fact, Record

_BROKERS = 5  # of the bank in exercise b
_DIE_AT_ONCE = 2  # of them, at most
_NEAR_SECONDS = 0.35  # the watch looks ten times a second, and the table has one digit


def _check_leaderless(answer: object, safe: Failover) -> str | None:
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return "The answer is a number of seconds, such as 2.5."
    if abs(answer - safe.timeline.leaderless) <= _NEAR_SECONDS:
        return None
    table = safe.picture().table
    if any(abs(answer - end) <= _NEAR_SECONDS for end in table["to"]):
        return (
            "That is a moment on the axis. Asked is how long it lasted, from the death of one leader to the next one."
        )
    dead = table[table["process"] == "dead"]
    if abs(answer - (dead["to"] - dead["from"]).sum()) <= _NEAR_SECONDS:
        return "For so long the broker was dead. Another one led before it was started again."
    return f"It was not {answer:g} s. Find the row in which a broker counts as leader and its process is dead."


def _check_copies(answer: object) -> str | None:
    if not (isinstance(answer, tuple | list) and len(answer) == 3):
        return "The answer has three parts: `(acks, copies, least)`, such as `('1', 2, 1)`."
    acks, copies, least = answer
    if isinstance(copies, bool) or isinstance(least, bool) or not (isinstance(copies, int) and isinstance(least, int)):
        return "Copies and least are whole numbers."
    if str(acks) not in ("0", "1", "all", "-1"):
        return f"`acks={acks!r}` is nothing that a producer takes: it is 0, 1 or all."
    if str(acks) not in ("all", "-1"):
        return f"With `acks={acks}` an acknowledgement says nothing about copies: `min.insync.replicas` does not count."
    if not 1 <= copies <= _BROKERS:
        return f"{copies} copies on {_BROKERS} brokers: each broker has at most one."
    if not 1 <= least <= copies:
        return f"{least} of {copies} copies cannot be in sync."
    if least <= _DIE_AT_ONCE:
        return (
            f"An acknowledged payment may be on {least} of the {copies} copies only, if the others had fallen behind. "
            f"Let {_DIE_AT_ONCE} brokers die at that moment: which?"
        )
    if copies - 1 < least:
        return (
            f"Let one broker with a copy die: {copies - 1} are left, and {least} are asked for. The shop stands still."
        )
    return None


_PLANTED_FACTS = tuple(Fact(f"payment-{number}", 1, "PaymentReceived", "", "shop") for number in range(1, 5))


def _planted(*statuses: Status, read: Iterable[int]) -> tuple[list[Sent], list[Record]]:
    """Payments 1, 2, … with these statuses, and those of them that were read."""
    sent = [Sent(fact, status) for fact, status in zip(_PLANTED_FACTS, statuses, strict=False)]
    filler: dict[str, Any] = {"partition": 0, "timestamp": datetime(2026, 3, 2, 12, tzinfo=UTC)}
    records = [
        Record.decode(_PLANTED_FACTS[number - 1].encode(), order=order, offset=order, **filler)
        for order, number in enumerate(read)
    ]
    return sent, records


_PLANTED: tuple[tuple[str, tuple[list[Sent], list[Record]], set[str]], ...] = (
    ("all acknowledged, all read", _planted("ok", "ok", read=(1, 2)), set()),
    ("one that was acknowledged is missing", _planted("ok", "ok", "ok", read=(1, 3)), {"payment-2"}),
    ("one of which nothing is known is missing", _planted("ok", "unknown", read=(1,)), set()),
    ("one of which nothing is known was read", _planted("unknown", "ok", read=(1, 2)), set()),
    ("one that failed is missing", _planted("ok", "fail", read=(1,)), set()),
    ("one was read twice, another one never", _planted("ok", "ok", read=(1, 1)), {"payment-2"}),
    ("they were read in another order", _planted("ok", "ok", "ok", read=(3, 1, 2)), set()),
    ("nothing was read", _planted("ok", "ok", "unknown", read=()), {"payment-1", "payment-2"}),
)


def _check_lost(answer: object, lost: Failover, safe: Failover) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(sent, records): …`"
    for what, (sent, records), right in _PLANTED:
        got = answer(sent, records)
        if isinstance(got, str) or not isinstance(got, Iterable):
            return f"Your function gives {got!r}. It gives the keys of payments: a list or a set."
        if set(keys := list(got)) != right:
            told = ", ".join(f"{attempt.fact.key} {attempt.status}" for attempt in sent)
            return f"Your function gives {keys!r} where {what}. Sent: {told}."
    for name, result in (("lost", lost), ("safe", safe)):
        if set(keys := list(answer(result.history.sent, result.records))) != set(result.wrong):
            return f"All planted histories are right, but for `{name}` your function gives {len(set(keys))} payments."
    return None


_GROUPS = {"payments": "consumer", "thumbnails": "share", "cart events": "consumer", "welcome mails": "share"}
_WHY = {
    "payments": "A balance depends on which of two payments of an account comes first.",
    "thumbnails": "One picture has nothing to do with the next. What would be gained by making it wait?",
    "cart events": "A cart that is checked out before its trousers are in it: where did you see that?",
    "welcome mails": "Each goes to another customer, and one that cannot be delivered holds up all behind it.",
}


def _check_groups(answer: object) -> str | None:
    if not isinstance(answer, Mapping) or set(answer) != set(_GROUPS):
        return f"The answer says for each of {', '.join(_GROUPS)} which group reads it."
    for topic, right in _GROUPS.items():
        if answer[topic] not in ("share", "consumer"):
            return f"`{answer[topic]!r}` for {topic} is neither `'share'` nor `'consumer'`."
        if answer[topic] != right:
            return f"Look again at {topic}. {_WHY[topic]}"
    return None


PLAN = Plan(
    title="When brokers die",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_leaderless,
            why="The others took it for alive until its session was over (`broker.session.timeout.ms`: three seconds "
            "in the lab, nine by default). Only then did they choose. The shop waited so long, and lost nothing.",
            hints=(
                "`safe.picture().table` is the picture as rows.",
                "A dead broker is believed to lead for a while. How long is that stretch?",
            ),
            solution="""
rows = safe.picture().table
gone = rows[(rows["counts as"] == "leader") & (rows["process"] == "dead")]
answer = (gone["to"] - gone["from"]).max()
""",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_copies,
            why="What counts after two deaths is on how many copies a payment was *at least*, not on how many it "
            "usually is; after one, how many are left. One copy more than the least is the price of going on.",
            hints=(
                "An acknowledgement promises `least` copies, however many there are. How many does the bank need?",
                "And with one broker gone, that many must still be there.",
            ),
            solution='answer = ("all", 4, 3)',
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_lost,
            why="Lost is what was acknowledged and is not there. What timed out may be there or not; to count it "
            "either way would accuse the wrong one.",
            hints=(
                "Two sets: what somebody was promised, and what is there.",
                "Each of `sent` has a `status` and a `fact`, which has a `key`. Which statuses are a promise?",
            ),
            solution="""
def answer(sent, records):
    promised = {attempt.fact.key for attempt in sent if attempt.status == "ok"}
    return promised - {record.key for record in records}
""",
        ),
        Exercise(
            id="d",
            kind="modify",
            check=_check_groups,
            why="Where records have nothing to do with each other, a share group deals them out one by one and lets no "
            "failure hold up the rest. Where they tell a story, it tells it in the wrong order.",
            hints=(
                "Does it matter which of two records of a topic is dealt with first?",
                "A share group is for work that can be done in any order.",
            ),
            solution="""
answer = {"payments": "consumer", "thumbnails": "share", "cart events": "consumer", "welcome mails": "share"}
""",
        ),
    ),
    recall=(
        Question(
            "A topic has three copies and `min.insync.replicas=2`. All three are in sync. With `acks=all`, how many "
            "of them have a payment when it is acknowledged?",
            (
                Option("Two", "Two are the least with which it is accepted at all. Who is in sync has to have it."),
                Option("Three", "Yes: all that are in sync, and no fewer than two.", right=True),
                Option("A majority", "The controllers vote by majority. Copies of a topic do not."),
            ),
            lesson="20",
        ),
        Question(
            "A process was paused, replaced, and wakes up. What keeps it from writing?",
            (
                Option("It notices that it was paused", "To itself, no time has passed."),
                Option("The broker has closed its connection", "It opens another one, and is welcome."),
                Option(
                    "Its successor took the same `transactional.id`",
                    "Yes: the broker knows which of the two is the younger.",
                    right=True,
                ),
            ),
            lesson="20",
        ),
        Question(
            "A producer gets a time-out for an event. What does it know?",
            (
                Option("The event was not written", "The request may have arrived, and only the answer was lost."),
                Option("Nothing", "Yes: it may be there, or come, or be lost.", right=True),
                Option("The event was written", "Then there would have been nothing to wait for."),
            ),
            lesson="15",
        ),
    ),
)
