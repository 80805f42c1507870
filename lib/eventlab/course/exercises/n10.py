"""Exercises of lesson 10: upcasters and downcasters that lose nothing, and changes that others can live with."""

import re
from collections.abc import Callable, Mapping
from itertools import cycle
from typing import Any

from eventlab.course import compatibility
from eventlab.course.changing import in_euros, in_money, with_quantity
from eventlab.course.compatibility import CHANGES, ITEM_ADDED, reads
from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.domain.money import Money

_PRICE = re.compile(r"\d+\.\d\d")
_PRODUCTS, _FOREIGN = ("socks", "trousers"), ("JPY", "USD", "GBP")
_CENTS = (450, 4990, 1999, 29, 5, 100000)
_PRIMITIVE: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "long": int,
    "int": int,
    "boolean": bool,
    "double": (int, float),
    "float": (int, float),
    "null": type(None),
}


def _check_writers_first(answer: object) -> str | None:
    if isinstance(answer, str) or not isinstance(answer, set | list | tuple | frozenset):
        return "The answer is a set of changes, by the names that they have in the table."
    if unknown := [each for each in answer if each not in CHANGES]:
        return f"{unknown[0]!r} is none of the five changes: {', '.join(CHANGES)}."
    safe = {change for change, schema in CHANGES.items() if reads(schema, ITEM_ADDED)}
    if set(answer) == safe:
        return None
    if set(answer) == {change for change, schema in CHANGES.items() if reads(ITEM_ADDED, schema)}:
        return "Those are safe the other way round, when the readers are deployed first. Who reads what here?"
    if wrong := set(answer) - safe:
        return f"With {sorted(wrong)[0]!r} a reader of the old schema stops at the first new event."
    return "Those are safe, and they are not all."


def _check_pilot(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(fields): …`"
    for cents in _CENTS:
        fields = answer({"item": "socks", "cents": cents})
        if not isinstance(fields, Mapping):
            return f"An upcaster gives a dictionary of fields; yours gives {type(fields).__name__}."
        for name in ("product", "price"):
            if not isinstance(fields.get(name), str):
                return f"Version 1 has a text {name!r}; what you give for {cents} cents has {fields.get(name)!r} there."
        if fields["product"] != "socks":
            return f"The product was 'socks', and is {fields['product']!r} now."
        if not _PRICE.fullmatch(fields["price"]):
            return f"For {cents} cents your price is {fields['price']!r}: no price of version 1 looks like that."
        minor = in_money(with_quantity(dict(fields)))["price"]["minor"]
        if minor != cents:
            return (
                f"For {cents} cents your price is {fields['price']!r}, and at the end of the chain that is "
                f"{minor} cents."
            )
    return None


def _check_down(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(fields): …`"
    for quantity, (cents, product) in enumerate(zip(_CENTS, cycle(_PRODUCTS)), 1):
        newest = {"product": product, "quantity": quantity, "price": {"minor": cents, "currency": "EUR"}}
        fields = answer({**newest, "price": dict(newest["price"])})  # type: ignore[call-overload]
        if not isinstance(fields, Mapping):
            return f"A downcaster gives a dictionary of fields; yours gives {type(fields).__name__}."
        wanted = in_euros(newest)
        for name, value in wanted.items():
            if fields.get(name) != value:
                return (
                    f"{cents} cents: a program of 2024 would find {fields.get(name)!r} in {name!r}, not what it wrote."
                )
    return _raises(answer)


def _raises(answer: Callable[..., Any]) -> str | None:
    for currency in _FOREIGN:
        try:
            fields = answer({"product": "socks", "quantity": 2, "price": {"minor": 700, "currency": currency}})
        except ValueError:
            continue
        price = fields.get("price") if isinstance(fields, Mapping) else fields
        return (
            f"{Money(700, currency)} becomes {price!r}, and a program of 2024 takes that for euros: refuse what it "
            "cannot say."
        )
    return None


def _check_field(answer: object) -> str | None:
    if not isinstance(answer, dict):
        return 'The answer is a field of an Avro record: a dictionary with "name", "type" and what else it needs.'
    if answer.get("name") != "note":
        return 'The name of the field is "note".'
    kind = answer.get("type")
    branches: list[Any] = kind if isinstance(kind, list) else [kind]
    if not branches or not all(isinstance(each, str) and each in _PRIMITIVE for each in branches):
        return f"{kind!r} is no type of Avro that fits a note: text has one."
    if "string" not in branches:
        return f"A note is text, and {kind!r} cannot hold any."
    if "default" not in answer:
        return "A new program that reads an old event finds no note in it, and nothing says what to put there."
    if not isinstance(answer["default"], _PRIMITIVE[branches[0]]):
        return f"The default {answer['default']!r} has to be of the type {branches[0]!r}, the first one of the field."
    changed = {**ITEM_ADDED, "fields": [*ITEM_ADDED["fields"], answer]}
    if not (reads(ITEM_ADDED, changed) and reads(changed, ITEM_ADDED)):
        return "Old and new programs do not read each other with this field."
    return None


PLAN = Plan(
    title="Events change",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_writers_first,
            why=(
                "Old readers skip a field that they do not know, so anything may be added under their feet. "
                "That is what a registry calls FORWARD."
            ),
            hints=(
                "Writers first: the events are new, and the programs that read them are old.",
                "One column of the table says just that.",
            ),
            solution="""
answer = {
    change
    for change, schema in compatibility.CHANGES.items()
    if compatibility.reads(schema, compatibility.ITEM_ADDED)
}
""",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_pilot,
            why=(
                "A chain holds only if each step writes exactly what the next one reads. That is why the stored forms "
                "are kept on file, and tested."
            ),
            hints=(
                "What did version 1 write for 4.50 euros? The first of the examples shows a price.",
                "Two decimals, always: `divmod(cents, 100)` gives euros and cents, and `:02` writes two digits.",
            ),
            solution="""
def answer(fields):
    euros, cents = divmod(fields["cents"], 100)
    return {"product": fields["item"], "price": f"{euros}.{cents:02}"}
""",
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_down,
            why=(
                "What the old version cannot say is refused, not bent. Somebody then has to decide, "
                "instead of a program that books yen as euros."
            ),
            hints=(
                "It is `in_money` backwards: from an object with `minor` and `currency` to a text with two decimals.",
                "`raise ValueError(…)` when the currency is not EUR.",
            ),
            solution="""
def answer(fields):
    if fields["price"]["currency"] != "EUR":
        raise ValueError("version 2 has prices in euros only")
    euros, cents = divmod(fields["price"]["minor"], 100)
    return {**fields, "price": f"{euros}.{cents:02}"}
""",
        ),
        Exercise(
            id="d",
            kind="modify",
            check=_check_field,
            why="With a default, old events have a note too: an empty one. Old readers skip it.",
            hints=(
                "A field has a name and a type, and for what is not there something else.",
                "Look at what the first of the five changes adds: `compatibility.CHANGES`.",
            ),
            solution='answer = {"name": "note", "type": "string", "default": ""}',
        ),
    ),
    recall=(
        Question(
            "An event type gets a field more, with a default. What do the events of last year need?",
            (
                Option("An upcaster", "The default stands in for what is missing: reading is enough."),
                Option("Nothing", "Yes: that is what a weak schema is good for.", right=True),
                Option("An UPDATE in the store", "Stored events are never changed."),
            ),
            lesson="10",
        ),
        Question(
            "One old event is two today. Where can it be taken apart?",
            (
                Option(
                    "Where it is read for its meaning, or in a copy of the store",
                    "Yes: a fold or view takes the parts in one step, and in a copy each has a version of its own.",
                    right=True,
                ),
                Option("In an upcaster", "It reads one event as one: two would share a version and a position."),
                Option("In the store, with an UPDATE", "Stored events are never changed, and others follow it there."),
            ),
            lesson="10",
        ),
        Question(
            "How do you ask for exactly the state that you saw last week?",
            (
                Option("By its time", "Several events may share a time."),
                Option("By its version", "Yes: the version counts the events of the stream, one by one.", right=True),
                Option("By the state itself", "A cart may have the same state twice."),
            ),
            lesson="04",
        ),
    ),
)

__all__ = ["PLAN", "compatibility"]
