"""Exercises of lesson 16: what never came, what to do with what cannot be applied, and holding it aside."""

from collections.abc import Iterable, Mapping, Sequence

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.pitfalls.consumers.two_topics.result import Readings
from eventlab.pitfalls.record import Fact


def _check_missing(answer: object, waiting: Readings) -> str | None:
    if not isinstance(answer, tuple) or len(answer) != 2:
        return 'The answer is an account and a version, as in `("account-1", 1)`.'
    needed = {(payment.account, payment.version) for payment in waiting.views["live"].waiting}
    if answer in needed:
        return None
    if answer[0] in {account for account, _ in needed}:
        return f"The account is right. Which version of it do its waiting payments name, if not {answer[1]}?"
    return f"No payment waits for {answer[0]!r}. Look at what the payments in `waiting` name."


_RIGHT = {"database": "stop", "unreadable": "park the key", "too early": "hold aside", "newsletter": "skip"}
_WAYS = ("stop", "park the key", "hold aside", "skip")
_WHAT_HAPPENS = {
    ("database", "park the key"): "The database is down for every cart: soon the whole topic is parked, one by one.",
    ("database", "hold aside"): "The payments are complete, nothing will come that fills them in. Who can go on here?",
    ("database", "skip"): "While the database is down, every event is left out, and nobody ever applies it.",
    ("unreadable", "stop"): "One cart cannot be read, and all carts of its partition wait for it.",
    ("unreadable", "hold aside"): "Held until which event comes? What is missing here is a program, and later events "
    "of the cart must not pass.",
    ("unreadable", "skip"): "The lag is fine, and the cart has a hole that nobody hears of.",
    ("too early", "stop"): "The tariff comes in the other topic, so it comes in time; all others need not wait.",
    ("too early", "park the key"): "A parked key waits until somebody mends something. Nothing is broken here.",
    ("too early", "skip"): "The payment is complete a moment later, and by then it is gone.",
    ("newsletter", "stop"): "The view will never need these events, however long it stands.",
    ("newsletter", "park the key"): "Every customer who reads the newsletter is parked, and nothing was wrong.",
    ("newsletter", "hold aside"): "Nothing that comes later makes them useful, so they are held for ever.",
}


def _check_ways(answer: object) -> str | None:
    if not isinstance(answer, Mapping) or answer.keys() != _RIGHT.keys():
        return f"The answer is a dictionary with what to do in each of the cases {', '.join(_RIGHT)}."
    for case, way in answer.items():
        if way not in _WAYS:
            return f"For {case!r} you have {way!r}; the ways are {', '.join(_WAYS)}."
        if way != _RIGHT[case]:
            return _WHAT_HAPPENS[case, way]
    return None


def _fact(name: str, cause: str = "") -> Fact:
    key, version = name.split("/")
    return Fact(key, int(version), "", "", "", cause)


_OPENED, _CHANGED = _fact("account-1/1"), _fact("account-1/2", "account-1/1")
_FIRST, _SECOND = _fact("payment-1/1", "account-1/1"), _fact("payment-2/1", "account-1/2")
_REFUND, _OTHER = _fact("refund-1/1", "payment-1/1"), _fact("account-2/1")
_ORPHAN = _fact("payment-9/1", "account-9/1")
_PLANTED: tuple[tuple[str, Sequence[Fact], Sequence[Fact]], ...] = (
    ("causes that come first", [_OPENED, _FIRST, _CHANGED, _SECOND], []),
    ("a payment that comes before its account", [_FIRST, _OPENED], []),
    ("two payments that wait for two versions", [_SECOND, _FIRST, _OPENED, _CHANGED], []),
    ("a refund that waits for a payment that waits for its account", [_REFUND, _FIRST, _OPENED], []),
    ("an account that nobody waits for", [_FIRST, _OTHER, _OPENED], []),
    ("a payment whose account never comes", [_ORPHAN, _OPENED, _FIRST], [_ORPHAN]),
    ("nothing at all", [], []),
)


def _check_aside(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(records): …`"
    for what, records, orphans in _PLANTED:
        applied = answer(list(records))
        if isinstance(applied, str) or not isinstance(applied, Iterable):
            return f"Your function gives {applied!r}; it is to give a list of records."
        if problem := _problem(list(applied), [each for each in records if each not in orphans]):
            return f"For {what} ({_told(records)}) {problem}"
    return None


def _problem(applied: Sequence[object], right: Sequence[Fact]) -> str | None:
    """What is wrong with the order in which ``applied`` was; ``right`` are those that can be."""
    done: set[str] = set()
    for each in applied:
        if not isinstance(each, Fact):
            return f"your function gives {each!r}, which is none of the records."
        if each.id in done:
            return f"your function applies {each.id} twice."
        if each.cause and each.cause not in done:
            return f"your function applies {each.id} before {each.cause}."
        done.add(each.id)
    if missing := [each.id for each in right if each.id not in done]:
        return f"your function never applies {', '.join(missing)}."
    return None


def _told(records: Sequence[Fact]) -> str:
    return ", ".join(each.id for each in records) or "no records"


PLAN = Plan(
    title="Order: across topics",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_missing,
            why="All that name this version wait for it, for ever: it is not in the topic. What is held aside for too "
            "long is how a view learns of a hole in somebody else's topic. So count it, and look at its age.",
            hints=(
                'A view has what it holds: `waiting.views["live"].waiting`.',
                "What do these payments have in common?",
            ),
            solution="""
payment = waiting.views["live"].waiting[0]
answer = (payment.account, payment.version)
""",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_ways,
            why="Ask two questions: who else is struck, and what has to happen until it can go on? All, by a repair: "
            "stop. One, by a repair: park. One, by an event that is under way: hold aside. Nobody: skip.",
            hints=(
                "Of two of the four, nothing is wrong with the event. Of one, nothing is wrong at all.",
                "Who else has the same problem: every cart, or this one?",
            ),
            solution="""
answer = {
    "database": "stop",
    "unreadable": "park the key",
    "too early": "hold aside",
    "newsletter": "skip",
}
""",
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_aside,
            why="That is the whole of it. In a service, `waiting` lies in the database of the view and is written with "
            "the view and its offsets, else a restart forgets what it holds.",
            hints=(
                "Keep what waits under the id that it waits for.",
                "What is applied may set others free, and these may set free others again.",
            ),
            solution="""
def answer(records):
    applied, done, waiting = [], set(), {}

    def apply(record):
        applied.append(record)
        done.add(record.id)
        for freed in waiting.pop(record.id, []):
            apply(freed)

    for record in records:
        if not record.cause or record.cause in done:
            apply(record)
        else:
            waiting.setdefault(record.cause, []).append(record)
    return applied
""",
        ),
    ),
    recall=(
        Question(
            "A view over two topics is built anew from the first record on. Does it show the same?",
            (
                Option("Yes: the records are the same, and so is the code.", "Their order is not, across topics."),
                Option(
                    "Only if what it shows does not depend on the order between the topics.",
                    "Yes, and it can be written that way.",
                    right=True,
                ),
                Option("Only if each topic has a single partition.", "Here each of them had."),
            ),
            lesson="16",
        ),
        Question(
            "Event 2 of a cart cannot be applied, and the other carts are to go on. What becomes of its event 3?",
            (
                Option("It waits behind event 2, with all later ones of that cart.", "Yes.", right=True),
                Option("It is applied.", "Then 2 comes after 3, or never."),
                Option("It is left out.", "Nothing is wrong with it, and it would be missing."),
            ),
            lesson="16",
        ),
        Question(
            "Two services stamp their records. What do the timestamps say of the order of what they did?",
            (
                Option("Which came first.", "By two clocks, one of which may be slow."),
                Option("Nothing certain: they come from two clocks.", "Yes. A cause or a version does.", right=True),
                Option("The order in the topic.", "That is the order of the offsets, in one partition."),
            ),
            lesson="14",
        ),
    ),
)
