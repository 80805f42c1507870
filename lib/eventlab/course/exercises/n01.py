"""Exercises of lesson 01: what the table forgot, and what the events still know."""

from collections.abc import Collection, Sequence

import pandas as pd

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.domain.cart import (
    CartCreated,
    CheckedOut,
    Event,
    ItemAdded,
    ItemRemoved,
    QuantityChanged,
    decider,
)
from eventlab.domain.money import Money

_PRICE = Money.of("49.90", "EUR")
_BEGUN = CartCreated("Ana", "EUR")
_BOUGHT_ONE = CheckedOut(_PRICE)


def _put_back(events: Sequence[Event]) -> int:
    """Pieces taken out of a cart, by a removal or by typing a smaller quantity."""
    removed = sum(event.quantity for event in events if isinstance(event, ItemRemoved))
    typed = (event.before - event.after for event in events if isinstance(event, QuantityChanged))
    return removed + sum(fewer for fewer in typed if fewer > 0)


def _check_twins(answer: object, rows: pd.DataFrame, back: Collection[str]) -> str | None:
    if not isinstance(answer, list | tuple) or len(answer) != 2:
        return "The answer is a pair of two cart names."
    if unknown := [cart for cart in answer if cart not in rows.index]:
        return f"There is no cart `{unknown[0]}` in `rows`: the names stand in its index."
    one, other = answer
    if one == other:
        return "That is one cart, named twice."
    for column in ("status", "contents"):
        if rows.loc[one, column] != rows.loc[other, column]:
            return f"The table can tell these two apart: look at the column `{column}`."
    if (one in back) == (other in back):
        return "The rows are alike, but so are the answers: put back in both, or in neither. `back` knows."
    return None


def _check_same_row(answer: object, story: Sequence[Event]) -> str | None:
    if not isinstance(answer, list):
        return "The answer is a list of events, like `story` itself."
    for event in answer:
        if not isinstance(event, Event):
            return f"`{event!r}` is not an event of a cart; `ItemAdded` and its kind are."
    if decider.fold(answer) != decider.fold(story):
        return "This story ends in another cart: compare `decider.fold(answer)` with `decider.fold(story)`."
    if _put_back(answer):
        return "The cart is the same, but pieces were still put back in this story."
    return None


_STORIES: tuple[tuple[str, list[Event], int], ...] = (
    ("nothing was put back", [_BEGUN, ItemAdded("trousers", 1, _PRICE), _BOUGHT_ONE], 0),
    (
        "two pieces left in one removal",
        [_BEGUN, ItemAdded("trousers", 3, _PRICE), ItemRemoved("trousers", 2), _BOUGHT_ONE],
        2,
    ),
    (
        "two products were put back",
        [
            _BEGUN,
            ItemAdded("trousers", 2, _PRICE),
            ItemAdded("socks", 4, _PRICE),
            ItemRemoved("socks", 4),
            ItemRemoved("trousers", 1),
        ],
        5,
    ),
    ("the customer typed 1 over 4", [_BEGUN, ItemAdded("trousers", 4, _PRICE), QuantityChanged("trousers", 4, 1)], 3),
    ("the customer typed 4 over 1", [_BEGUN, ItemAdded("trousers", 1, _PRICE), QuantityChanged("trousers", 1, 4)], 0),
)


def _check_put_back(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(events): …`"
    for what, story, right in _STORIES:
        if (got := answer(story)) != right:
            told = "; ".join(map(str, story))
            return f"Your function gives {got!r} for a story in which {what}: {told}."
    return None


PLAN = Plan(
    title="Trousers",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_twins,
            why="Whoever has only the rows must give both customers the same answer, and be wrong about one.",
            hints=(
                "Look for rows that are alike in `status` and `contents`. Customer and name do not count.",
                "`rows.groupby([...])` brings rows that are alike together; a loop walks through the groups.",
                "In each group, look at `back`: is one of its carts in there and another one not?",
            ),
            solution="""
for _, alike in rows.groupby(["status", "contents"]):
    doubted = [cart for cart in alike.index if cart in back]
    decided = [cart for cart in alike.index if cart not in back]
    if doubted and decided:
        answer = (doubted[0], decided[0])
""",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_same_row,
            why="Two stories, one row: nobody can get the story back from the row.",
            hints=(
                "A customer who never doubted would leave the same row.",
                "Three events are enough: begin, add, check out. Mind that the price and the total stay the same.",
            ),
            solution='answer = [story[0], ItemAdded("trousers", 1, price), story[-1]]',
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_put_back,
            why="You have just written a projection: a view of old events that nobody planned for.",
            hints=(
                "Add up pieces, not events: a removal knows its `quantity`.",
                "A typed number takes something out only when `after` is below `before`.",
            ),
            solution="""
from eventlab.domain.cart import QuantityChanged


def answer(events):
    removed = [event for event in events if isinstance(event, ItemRemoved)]
    typed = [event for event in events if isinstance(event, QuantityChanged)]
    return sum(event.quantity for event in removed) + sum(max(event.before - event.after, 0) for event in typed)
""",
        ),
    ),
    recall=(
        Question(
            "The table said 1 pair of trousers. What was wrong with that?",
            (
                Option("An update was lost", "All three clicks arrived, in order."),
                Option("Nothing", "Yes: it is right about now. It has no then.", right=True),
                Option("It should have said 3", "Ana bought one pair; the parcel must hold one."),
            ),
            lesson="01",
        ),
        Question(
            "The business asks about last week, and the team adds a column today. What does it say about last week?",
            (
                Option("Nothing", "Yes: what could fill it has been overwritten.", right=True),
                Option(
                    "Everything, once it is filled from the rows",
                    "The rows hold how each cart ended. Two stories can end alike.",
                ),
                Option("Everything, but only for carts that were checked out", "Their rows too hold only the end."),
            ),
            lesson="01",
        ),
        Question(
            "From lesson 00: what makes up the address of a record in Kafka?",
            (
                Option("Broker, port and offset", "Brokers come and go; the address stays."),
                Option("Topic, key and time", "Many records may share a key and a time."),
                Option("Topic, partition and offset", "Yes.", right=True),
            ),
            lesson="00",
        ),
    ),
)
