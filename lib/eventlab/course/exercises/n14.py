"""Exercises of lesson 14: what a key keeps in order, and how to see that it did not."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

from confluent_kafka import murmur2

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.pitfalls.experiment import Result
from eventlab.pitfalls.record import Record

_PARTITIONS = 6
# Twelve accounts, and a transfer for each pair of them.
_ACCOUNTS = [f"account-{number}" for number in range(1, 13)]
_TRANSFERS = [(f"transfer-{number}", *pair) for number, pair in enumerate(combinations(_ACCOUNTS, 2), start=1)]


def _check_cart(answer: object, by_type: Result) -> str | None:
    if not isinstance(answer, str):
        return "The answer is the name of a cart, a text, as it stands in the lanes."
    if answer not in {record.key for record in by_type.records}:
        return f"There is no cart `{answer}` in this run: look at the names in the lanes."
    if answer not in by_type.wrong:
        return f"`{answer}` was read in order: look for a cart with a step whose lane was read too early."
    return None


def _check_key(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(account, transfer): …`"
    homes: dict[str, set[int]] = defaultdict(set)
    for transfer, sender, receiver in _TRANSFERS:
        for account in (sender, receiver):
            key = answer(account, transfer)
            if not isinstance(key, str) or not key:
                return f"For `{account}` and `{transfer}` the key is {key!r}: without a text it goes anywhere."
            partition = murmur2(key.encode(), _PARTITIONS)
            homes[account].add(partition)
            homes[transfer].add(partition)
    accounts = _torn(homes, _ACCOUNTS)
    transfers = _torn(homes, [transfer for transfer, _, _ in _TRANSFERS])
    if accounts and transfers:
        return f"The events of {accounts} lie on several partitions, and the two halves of {transfers} too."
    if transfers:
        return (
            "Every account is in order, so its balance is right. The price: "
            f"the halves of {transfers} lie apart, so a reader may see money arrive that nobody has sent yet."
        )
    if accounts:
        return (
            "Every transfer is in order, so no money arrives before it was sent. The price: "
            f"{accounts} are spread over several partitions, so a reader sees a balance that never was."
        )
    return None


def _torn(homes: dict[str, set[int]], names: Sequence[str]) -> str:
    torn = sum(len(homes[name]) > 1 for name in names)
    return f"{torn} of {len(names)} {names[0].split('-')[0]}s" if torn else ""


def _history(*entries: tuple[str, int]) -> list[Record]:
    """Records read in this order, each given as key and version."""
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    filler: dict[str, Any] = {
        "type": "ItemAdded",
        "label": "added",
        "producer": "shop",
        "partition": 0,
        "timestamp": noon,
    }
    return [
        Record(key=key, version=version, order=order, offset=order, **filler)
        for order, (key, version) in enumerate(entries)
    ]


_PLANTED: tuple[tuple[str, list[Record], int], ...] = (
    ("one cart in order", _history(("cart-1", 1), ("cart-1", 2), ("cart-1", 3)), 0),
    (
        "two carts, each in order",
        _history(("cart-1", 1), ("cart-1", 2), ("cart-2", 1), ("cart-1", 3), ("cart-2", 2)),
        0,
    ),
    ("a version that came too late", _history(("cart-1", 2), ("cart-1", 1), ("cart-1", 3)), 1),
    ("two versions behind the last one", _history(("cart-1", 1), ("cart-1", 4), ("cart-1", 2), ("cart-1", 3)), 2),
    ("a late version behind another cart", _history(("cart-1", 2), ("cart-2", 1), ("cart-1", 1)), 1),
    ("a record delivered twice", _history(("cart-1", 1), ("cart-1", 1), ("cart-1", 2)), 0),
    ("nothing at all", [], 0),
)


def _check_inversions(answer: object, broken: Result) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(records): …`"
    for what, records, right in _PLANTED:
        if (got := answer(records)) != right:
            told = ", ".join(f"{record.key} version {record.version}" for record in records) or "no records"
            return f"Your function gives {got!r} for {what}: {told}."
    if (got := answer(broken.records)) != broken.inversions:
        return (
            f"All planted histories are right, but for `broken.records` your function gives {got!r}, which is not so."
        )
    return None


PLAN = Plan(
    title="Order: partitions and keys",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_cart,
            why="Keyed by type, every cart is spread over several partitions. Those that were read in order owe it to "
            "nothing but the lane that happened to be read first.",
            hints=(
                "Play the lanes of `by_type`, or use the arrow keys: a triangle marks a record that came too late.",
                "`by_type.table()` has a column `inverted`; a result also knows the keys that are `wrong`.",
            ),
            solution="answer = by_type.wrong[0]",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_key,
            why="Both are in order, and this is the price: the whole bank on one partition, read by one consumer. "
            "Accounts that send to each other hang together, so there is no key in between. Banks key by account, and "
            "let the reader hold the second half of a transfer aside until it has seen the first.",
            hints=(
                "Try the two obvious keys first, and read what each of them costs.",
                "Ana sends to Ben, Ben to Chloe: which records have to share a partition? Go on from there.",
            ),
            solution="""
def answer(account, transfer):
    return "bank"
""",
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_inversions,
            why="You have just written the checker that this lesson counts with. It works on any topic whose records "
            "carry a version.",
            hints=(
                "One pass is enough, if for every key you remember something.",
                "Remember the highest version so far, per key. What does it mean when a lower one comes?",
            ),
            solution="""
def answer(records):
    highest, late = {}, 0
    for record in records:
        late += record.version < highest.get(record.key, 0)
        highest[record.key] = max(record.version, highest.get(record.key, 0))
    return late
""",
        ),
    ),
    recall=(
        Question(
            "Which records does Kafka hand to a reader in the order in which they were written?",
            (
                Option("Those of one topic", "Only if the topic has a single partition."),
                Option("Those of one producer", "Not when they went to different partitions."),
                Option("Those of one partition", "Yes, and that is the whole promise.", right=True),
            ),
            lesson="14",
        ),
        Question(
            "A topic keyed by cart has to grow. What keeps every cart on one partition?",
            (
                Option(
                    "A new topic with more partitions, filled from the old one before anybody writes to it",
                    "Yes: the whole story is placed by the new number.",
                    right=True,
                ),
                Option("Adding partitions at night", "What was written before stays where it is, at any hour."),
                Option("Doubling the number", "Then about half of the carts move: fewer, not none."),
            ),
            lesson="14",
        ),
        Question(
            "Two events of an account carry the same time. What says which came first?",
            (
                Option("The time, with more digits", "A clock that is wrong is wrong in all its digits."),
                Option("The version", "Yes: it counts the account's own events, without a clock.", right=True),
                Option("The order in which they were read", "That depends on the reader, as this lesson has shown."),
            ),
            lesson="04",
        ),
    ),
)
