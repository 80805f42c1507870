"""Exercises of lesson 11: where a name hides, whose a field is, and a view that forgets."""

from collections.abc import Sequence
from contextlib import closing
from datetime import date
from tempfile import TemporaryDirectory
from typing import Any

from eventlab.course.exercise import Exercise
from eventlab.course.forgetting import ANA, BEN, NAMES, JointAccountOpened
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.domain.account import AccountOpened, Deposited
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, Recorded, StreamId
from eventlab.forgetting import FORGOTTEN, KeyStore, Personal, Sealer, SubjectForgotten, new_key
from eventlab.store import Append


def _check_streams(answer: object, events: Sequence[Recorded]) -> str | None:
    if not isinstance(answer, set | list | tuple) or not all(isinstance(each, str) for each in answer):
        return 'The answer is a set of customers, by their numbers: `{"1001", …}`.'
    right = {each.stream.key for each in events if NAMES[BEN] in str(each.event)}
    given = set(answer)
    if unknown := given - NAMES.keys():
        return f"There is no customer {', '.join(sorted(unknown))}: the numbers are the keys of the streams."
    if given == {each.stream.key for each in events}:
        return "Not everybody: look at what each event says, not only at whose it is."
    if wrong := given - right:
        return f"Nothing in the stream of {min(wrong)} names him."
    if right - given:
        return "There are more of them. Both kinds of transfers name the other side."
    return None


_JOINT = JointAccountOpened("2001", "Inge Iglesias", "2002", "Jonas Jensen", "Harbour Street")


def _check_table(answer: object) -> str | None:
    if not isinstance(answer, Personal):
        return "The answer is a table: `Personal({JointAccountOpened: {…}})`."
    if JointAccountOpened not in answer:
        return "The table has no line for `JointAccountOpened`: a store would refuse the event."
    for gone, left in (("first", "second"), ("second", "first")):
        new = NewEvent(_JOINT)
        with (
            TemporaryDirectory() as directory,
            closing(KeyStore(f"sqlite:///{directory}/keys.db", {1: new_key()})) as keys,
        ):
            sealer = Sealer(keys, answer)
            stored = sealer.seal(Append(StreamId("account", "77"), [new])).events[0].event
            if diagnosis := _check_stored(stored):
                return diagnosis
            forgotten = getattr(_JOINT, f"{gone}_id")
            keys.destroy(forgotten)
            opened = sealer.open(stored, new.id)
        who = f"{getattr(_JOINT, gone)} ({forgotten}) is forgotten"
        if getattr(opened, gone) is not FORGOTTEN:
            return f"{who}, and `{gone}` can still be read. Under whose key is it?"
        if getattr(opened, left) != getattr(_JOINT, left):
            return f"{who}, and the name of {getattr(_JOINT, left)} is lost as well."
    return None


def _check_stored(stored: Any) -> str | None:
    if open_ := [name for name in ("first", "second") if getattr(stored, name) == getattr(_JOINT, name)]:
        return f"`{open_[0]}` would be stored as it is: {getattr(_JOINT, open_[0])}."
    if (stored.first_id, stored.second_id) != (_JOINT.first_id, _JOINT.second_id):
        return "An id says whose key it is: sealed, nobody could find the key."
    if stored.branch != _JOINT.branch:
        return "The branch is a place, not a person: it has to stay readable when both are forgotten."
    return None


_NOTHING, _DAY = Money(0, "EUR"), date(2026, 3, 2)


def _opened(name: str) -> AccountOpened:
    return AccountOpened(name, "EUR", _NOTHING, _DAY)


_FORGET_BEN = SubjectForgotten(BEN, "letter")
# What happens, to whom each event belongs, and the address book afterwards.
_STORIES: tuple[tuple[str, list[tuple[str, Any]], dict[str, str]], ...] = (
    ("two accounts are opened", [(ANA, _opened("Ana")), (BEN, _opened("Ben"))], {ANA: "Ana", BEN: "Ben"}),
    ("money comes in", [(ANA, _opened("Ana")), (ANA, Deposited(_NOTHING, _DAY))], {ANA: "Ana"}),
    ("Ben is forgotten", [(ANA, _opened("Ana")), (BEN, _opened("Ben")), (BEN, _FORGET_BEN)], {ANA: "Ana"}),
    ("somebody is forgotten who never had an account", [(ANA, _opened("Ana")), (BEN, _FORGET_BEN)], {ANA: "Ana"}),
    ("Ben is forgotten, and the view is rebuilt", [(BEN, _opened(FORGOTTEN)), (BEN, _FORGET_BEN)], {}),
    ("Ben is forgotten, and the replay has not come to that", [(BEN, _opened(FORGOTTEN))], {}),
)


def _check_view(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(book, customer, event): …`"
    for what, story, right in _STORIES:
        book: object = {}
        for customer, event in story:
            book = answer(book, customer, event)
            if not isinstance(book, dict):
                return f"After {type(event).__name__} your function gives {book!r}; it has to give the book."
        if book != right:
            return f"When {what}, your book is {book}."
    return None


PLAN = Plan(
    title="The right to be forgotten",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_streams,
            why="Whoever sent him money, or got some of his, has his name. A stream is not a person.",
            hints=(
                "Each event says itself in words: `str(each.event)`.",
                "A stream's `key` is the customer's number.",
            ),
            solution="answer = {each.stream.key for each in events if NAMES[BEN] in str(each.event)}",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_table,
            why="Each name lies under the key of the one it names, and the rest stays readable for ever.",
            hints=(
                "The stream is named after the account, and an account is nobody.",
                "`by_field` says in which other field the subject's id stands.",
            ),
            solution="""
from eventlab.forgetting import by_field

answer = Personal({JointAccountOpened: {"first": by_field("first_id"), "second": by_field("second_id")}})
""",
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_view,
            why="It forgets when it hears of it, and a rebuild does not bring a name back.",
            hints=(
                "Two kinds of events matter. `isinstance(event, SubjectForgotten)` tells one of them.",
                "In a replay the owner of a forgotten account is a `Forgotten`: no name to put into a book.",
            ),
            solution="""
from eventlab.domain.account import AccountOpened
from eventlab.forgetting import Forgotten, SubjectForgotten


def answer(book, customer, event):
    if isinstance(event, AccountOpened) and not isinstance(event.owner, Forgotten):
        return {**book, customer: event.owner}
    if isinstance(event, SubjectForgotten):
        return {known: name for known, name in book.items() if known != event.subject}
    return book
""",
        ),
    ),
    recall=(
        Question(
            "A subject's key is destroyed. What can still be read?",
            (
                Option(
                    "Amounts, dates, ids, and what views and snapshots had copied.",
                    "Yes: what was never sealed, and what somebody opened and wrote down.",
                    right=True,
                ),
                Option("Nothing of the subject's events.", "Only the sealed fields are gone: the books still add up."),
                Option("Everything in backups of the event store.", "They hold the same sealed texts as the store."),
            ),
            lesson="11",
        ),
        Question(
            "The key store is restored from last week's backup. What now?",
            (
                Option("Nothing: erasure is final.", "The backup holds the key, wrapped as it was."),
                Option(
                    "The erasures since then have to be done again, from their events.",
                    "Yes: the event store knows who is forgotten.",
                    right=True,
                ),
                Option("All customers get new keys.", "Then nobody's old texts could be read."),
            ),
            lesson="11",
        ),
        Question(
            "A view holds what it should not. How do you get rid of that?",
            (
                Option("UPDATE its rows by hand.", "Until the next rebuild, which brings it back."),
                Option("Delete the events that led to it.", "Events stay; other views need them."),
                Option(
                    "Mend its handlers, and build it again from the events.",
                    "Yes, and beside the old one, so that readers never see it half.",
                    right=True,
                ),
            ),
            lesson="08",
        ),
    ),
)
