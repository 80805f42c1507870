"""Exercises of lesson 15: what a time-out says, what to tell a producer, a reader that takes nothing twice, a clock."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from confluent_kafka import KafkaException, Producer

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.pitfalls.experiment import Result
from eventlab.pitfalls.producers.restarted_producer import once
from eventlab.pitfalls.record import Fact

_HOUR_MS = 3_600_000
_PATIENCE = ("message.timeout.ms", "delivery.timeout.ms")  # two names of one setting, of which 0 means for ever
_FIVE_MINUTES_MS = 300_000  # librdkafka's default


def _check_arrived(answer: object, late: Result) -> str | None:
    if isinstance(answer, bool) or not isinstance(answer, int):
        return "The answer is a number of events."
    given_up = [attempt for attempt in late.history.sent if attempt.status != "ok"]
    arrived = sum(attempt.fact in late.history.places for attempt in given_up)
    if answer == arrived:
        return None
    if answer == len(late.records):
        return "That is all that the reader found. How many of them had the shop been told about?"
    return f"{answer} it is not: take the events of `late.history.sent` whose status is not `ok`, and look for each."


def _check_settings(answer: object) -> str | None:
    if not isinstance(answer, dict):
        return 'The answer is a dictionary of settings, as in `{"acks": "all"}`.'
    try:
        Producer({"log_level": 0, **answer})
    except (KafkaException, TypeError, ValueError) as error:
        told = error.args[0].str() if isinstance(error, KafkaException) else error
        return f"librdkafka does not take these settings: {told}."
    if str(answer.get("enable.idempotence", False)).lower() != "true":
        return _without_idempotence(answer)
    patience = next((int(answer[name]) for name in _PATIENCE if name in answer), _FIVE_MINUTES_MS)
    if 0 < patience < _HOUR_MS:
        return f"The order is kept, and no retry doubles anything. But after {patience / 60_000:g} minutes it gives up."
    return None


def _without_idempotence(settings: Mapping[str, Any]) -> str:
    one_at_a_time = int(settings.get("max.in.flight", settings.get("max.in.flight.requests.per.connection", 2))) == 1
    if int(settings.get("retries", settings.get("message.send.max.retries", 1))) == 0:
        return "Without retries nothing is doubled or overtaken, but the first request that fails leaves a hole."
    if one_at_a_time:
        return "One request at a time keeps the order. But what about a request that arrived, and whose answer is lost?"
    return "A request that failed is sent again, behind those that were under way: see P5."


_CREATED, _ADDED, _REMOVED, _BOUGHT = (
    Fact("cart-1", version, kind, kind, "shop")
    for version, kind in enumerate(("CartCreated", "ItemAdded", "ItemRemoved", "CheckedOut"), start=1)
)
_OTHER = Fact("cart-2", 1, "CartCreated", "CartCreated", "shop")
_PLANTED: tuple[tuple[str, list[Fact], list[Fact]], ...] = (
    ("a cart in order", [_CREATED, _ADDED, _BOUGHT], [_CREATED, _ADDED, _BOUGHT]),
    ("an event that comes twice in a row", [_CREATED, _CREATED, _ADDED], [_CREATED, _ADDED]),
    ("a batch that comes twice", [_CREATED, _ADDED, _CREATED, _ADDED, _REMOVED], [_CREATED, _ADDED, _REMOVED]),
    ("the same version of two carts", [_CREATED, _OTHER], [_CREATED, _OTHER]),
    (
        "an event that comes late, but once",
        [_CREATED, _REMOVED, _BOUGHT, _ADDED],
        [_CREATED, _REMOVED, _BOUGHT, _ADDED],
    ),
    ("nothing at all", [], []),
)


def _check_once(answer: object, again: Result) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(records): …`"
    for what, records, right in _PLANTED:
        got = answer(records)
        if not isinstance(got, list):
            return f"Your function gives {got!r}; it is to give a list of records."
        if got != right:
            told, kept = ([f"{fact.key} version {fact.version}" for fact in facts] for facts in (records, got))
            return f"For {what} ({', '.join(told) or 'no records'}) your function keeps {', '.join(kept) or 'none'}."
    if answer(again.records) != once(again.records):
        return "All planted histories are right, but of `again.records` your function does not keep each event once."
    return None


def _check_clock(answer: object, clocks: Result) -> str | None:
    if not isinstance(answer, str):
        return 'The answer is the name of a cart, such as "cart-1".'
    if answer not in clocks.history.keys:
        return f"There is no `{answer}` here: the names are in the column `key`."
    latest = clocks.records[0].timestamp
    behind: dict[str, timedelta] = {}
    for record in clocks.records:
        latest = max(latest, record.timestamp)
        behind[record.key] = max(latest - record.timestamp, behind.get(record.key, timedelta(0)))
    if answer == max(behind, key=lambda key: behind[key]):
        return None
    minutes = behind[answer] / timedelta(minutes=1)
    return (
        f"The times of {answer} are never more than {minutes:.0f} minutes before one that arrived earlier. Look for a "
        "jump back by an hour between two rows."
    )


PLAN = Plan(
    title="Order: retries and time",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_arrived,
            why="All of them: the network was slow, and not down. The producer cannot tell the one from the other, so "
            "its time-out says neither that the event is missing nor that it is there.",
            hints=(
                "A result's `history` has what was `sent`, with a `status` for each event, and what was `read`.",
                "`late.history.places` has the events that were read: ask it for the `fact` of each attempt.",
            ),
            solution="""
given_up = [attempt.fact for attempt in late.history.sent if attempt.status != "ok"]
answer = sum(fact in late.history.places for fact in given_up)
""",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_settings,
            why="Idempotence orders the retries and takes out what they double; it sets `acks`, `retries` and the "
            "requests under way to what it needs. The time-out says when the producer gives up, and what your program "
            "does then no setting can say.",
            hints=(
                "One setting takes the place of three of the four; librdkafka says which of them contradict it.",
                "The other setting is the one that P8 shortened.",
            ),
            solution="""
answer = {"enable.idempotence": True, "message.timeout.ms": 2 * 60 * 60 * 1000}
""",
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_once,
            why="That is the reader of P7. It has to remember the ids of all events; a reader whose events come in "
            "order may remember the last version of each cart instead, one with a database lets a unique key do it.",
            hints=(
                "A record has an `id`: which event it is, of which cart.",
                "Remember what you have taken. An event that is late is not one that you have taken.",
            ),
            solution="""
def answer(records):
    taken, kept = set(), []
    for record in records:
        if record.id not in taken:
            taken.add(record.id)
            kept.append(record)
    return kept
""",
        ),
        Exercise(
            id="d",
            kind="investigate",
            check=_check_clock,
            why="In the order of arrival its times jump back by an hour, again and again. Kafka takes them: with "
            "`message.timestamp.before.max.ms` a topic refuses them, and any import of old events with them.",
            hints=(
                "`clocks.table()` is in the order of arrival. If all clocks were right, how would the times go?",
                "How far is each record behind the youngest that came before it? A data frame has `cummax`.",
            ),
            solution="""
rows = clocks.table()
behind = rows["timestamp"].cummax() - rows["timestamp"]
answer = rows["key"][behind.idxmax()]
""",
        ),
    ),
    recall=(
        Question(
            "A producer reports a time-out for an event. What do you know?",
            (
                Option("The event is not in the topic.", "It may have arrived, and only the answer be late."),
                Option("Nothing: it may be there, or come, or be lost.", "Yes: unknown, until you read.", right=True),
                Option("The event is in the topic.", "Perhaps no request ever left the machine."),
            ),
            lesson="15",
        ),
        Question(
            "An idempotent producer is started again and sends the same events. What does the broker do?",
            (
                Option("It appends them again.", "Yes: to the broker it is a new producer.", right=True),
                Option("It recognises them by their content.", "A broker does not look into records."),
                Option("It recognises the producer by its name.", "Only with a `transactional.id`, and that fences."),
            ),
            lesson="15",
        ),
        Question(
            "A reader gets version 5 of a cart before version 4, on the partition of that cart. Sort by time?",
            (
                Option(
                    "Yes, a record's time is when it was sent.", "By the clock of its producer, which may be wrong."
                ),
                Option("No, by version.", "Yes: it counts the cart's own events.", right=True),
                Option("No, by offset.", "They were read in the order of their offsets, which is the wrong one."),
            ),
            lesson="14",
        ),
    ),
)
