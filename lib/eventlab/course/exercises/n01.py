"""Exercises of lesson 01: what the table forgot, and what the events still know."""

from collections.abc import Sequence

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
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


def _check_same_row(answer: object, events: Sequence[Event]) -> str | None:
    if not isinstance(answer, list):
        return "The answer is a list of events, like `events` itself."
    for event in answer:
        if not isinstance(event, Event):
            return f"`{event!r}` is not an event of a cart; `ItemAdded` and its kind are."
    if decider.fold(answer) != decider.fold(events):
        return "This story ends in another cart: compare `decider.fold(answer)` with `decider.fold(events)`."
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
            id="b",
            kind="modify",
            check=_check_same_row,
            why="Two stories, one row: nobody can get the story back from the row.",
            hints=(
                "A customer who never doubted would leave the same row.",
                "Three events are enough: begin, add, check out. Mind that the price and the total stay the same.",
            ),
            solution="answer = [events[0], ItemAdded('trousers', 1, events[1].price), events[-1]]",
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_put_back,
            why="You have just written a projection: a view of old events that nobody planned for.",
            hints=(
                "Go through the events once and add up pieces. Which events can make a cart smaller?",
                "Two kinds of event can: `ItemRemoved` always, `QuantityChanged` when `after` is below `before`.",
            ),
            solution="""
def answer(events):
    pieces = 0
    for event in events:
        if isinstance(event, ItemRemoved):
            pieces += event.quantity
        if isinstance(event, QuantityChanged):
            pieces += max(event.before - event.after, 0)
    return pieces
""",
        ),
    ),
    recall=(),
)
