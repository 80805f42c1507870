"""Exercises of lesson 02: what decide may answer, and what evolve must leave alone."""

from collections.abc import Mapping
from typing import Any

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.course.sales import in_place
from eventlab.domain.cart import (
    Cart,
    CartAbandoned,
    CartCreated,
    CheckedOut,
    Command,
    Event,
    ItemAdded,
    ItemRemoved,
    QuantityChanged,
    decider,
)
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money

_PRICE = Money.of("49.90", "EUR")
_BEGUN = CartCreated("Ana", "EUR")
_FILLED: list[Event] = [_BEGUN, ItemAdded("trousers", 3, _PRICE), ItemAdded("socks", 2, _PRICE)]


def _told(events: list[Event]) -> str:
    return "; ".join(map(str, events))


def _check_nothing_to_do(answer: object, basket: Cart) -> str | None:
    if not isinstance(answer, Command):
        return 'The answer is a command, like `RemoveItem("trousers", 1)`.'
    try:
        events = decider.decide(answer, basket)
    except Refused as reason:
        return f"That is refused ({reason}). Look for a wish that is allowed, and already true."
    return f"That leads to an event: {_told(events)}." if events else None


def _pieces(held: Mapping[str, int]) -> dict[str, int]:
    """What is in there; a product with no pieces left may be named or not."""
    return {product: quantity for product, quantity in held.items() if quantity}


def _check_fold(answer: Any) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(held, event): …`"
    story: list[Event] = [
        *_FILLED,
        ItemRemoved("trousers", 2),
        ItemAdded("trousers", 4, _PRICE),
        QuantityChanged("socks", 2, 7),
        ItemRemoved("socks", 7),
        CheckedOut(_PRICE * 5),
    ]
    held: dict[str, int] = {}
    for event in story:
        before = dict(held)
        after = answer(held, event)
        if not isinstance(after, Mapping):
            return f"After *{event}* your function gives {after!r}, not a dict of pieces per product."
        if held != before:
            return f"At *{event}* your function changed the dict that it was given: whoever kept it, lost that state."
        if _pieces(after) != _pieces(in_place(dict(before), event)):
            return f"From {before}, after *{event}*, your function makes {dict(after)}."
        held = dict(after)
    return None


_CARTS: tuple[tuple[str, list[Event]], ...] = (
    ("an open cart with two products", _FILLED),
    ("an open cart with one product", [*_FILLED, ItemRemoved("socks", 2)]),
    ("an open cart with nothing in it", [_BEGUN]),
    ("a cart that is checked out", [*_FILLED, CheckedOut(_PRICE * 5)]),
    ("a cart that was abandoned", [*_FILLED, CartAbandoned("no activity")]),
    ("no cart at all", []),
)


def _check_empty(answer: Any) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(cart): …`"
    for what, story in _CARTS:
        cart = decider.fold(story)
        try:
            events = answer(cart)
        except Refused as reason:
            if cart.status == "open":
                return f"Your function refuses {what}: {reason}. What should stop this customer?"
            continue
        if cart.status != "open":
            return f"Your function does not refuse {what}, whose status is *{cart.status}*."
        if not isinstance(events, list):
            return f"For {what} your function gives {events!r}: `decide` always gives a list."
        if any(not isinstance(event, ItemRemoved) for event in events):
            return f"For {what} your function gives {events!r}. What happens here is that items are removed."
        if left := decider.fold(events, cart).lines:
            return (
                f"For {what}, your events leave {', '.join(f'{line.quantity} {name}' for name, line in left.items())}."
            )
        if len(events) != len(cart.lines) or any(event.quantity != cart.quantity(event.product) for event in events):
            return f"For {what} your function tells more than happened: {_told(events) or 'nothing'}."
    return None


PLAN = Plan(
    title="State is a fold",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_nothing_to_do,
            why="A click that changes nothing is neither an error nor a fact: the list of events is empty.",
            hints=(
                "Which wish would Ana's cart already fulfil, as it is?",
                "Putting in and taking out always change something. Typing a number over a number need not.",
            ),
            solution='answer = ChangeQuantity("trousers", basket.quantity("trousers"))',
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_fold,
            why=(
                "The state before is still what it was: it can be kept, compared and folded from again. The domain's "
                "states are frozen, so that this mistake cannot happen."
            ),
            hints=(
                "Make another dict out of the one that came in, and change that one.",
                "`{**held, product: …}` is a new dict with one entry replaced. Other events leave all as it is.",
            ),
            solution="""
from eventlab.domain.cart import QuantityChanged


def answer(held, event):
    match event:
        case ItemAdded(product, quantity):
            return {**held, product: held.get(product, 0) + quantity}
        case ItemRemoved(product, quantity):
            return {**held, product: held[product] - quantity}
        case QuantityChanged(product, _, after):
            return {**held, product: after}
    return held
""",
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_empty,
            why="One wish, as many facts as products. The cart's evolve did not have to learn anything new.",
            hints=(
                "Three answers are possible: a refusal, an empty list, and one event per product.",
                "`cart.status` says whether anything may change; `cart.lines` maps each product to a line with a "
                "`quantity`. A refusal is raised.",
            ),
            solution="""
from eventlab.domain.decider import Refused


def answer(cart):
    if cart.status != "open":
        raise Refused(f"cannot empty the cart: it is {cart.status}")
    return [ItemRemoved(product, line.quantity) for product, line in cart.lines.items()]
""",
        ),
    ),
    recall=(
        Question(
            "A test loads the same cart twice and compares. Which mistake in evolve does it miss?",
            (
                Option("A number drawn at random", "That differs at every load."),
                Option("The clock of the machine", "Yes: both loads are on the same day.", right=True),
                Option(
                    "A counter that evolve keeps outside the state", "The second load counts on where the first ended."
                ),
            ),
            lesson="02",
        ),
        Question(
            "evolve meets an event that the rules would not allow. What does it do?",
            (
                Option("It refuses", "Too late: it has happened. `decide` was the one to ask."),
                Option("It skips the event", "Then the state no longer tells what happened."),
                Option("It takes it for a fact and goes on", "Yes: the rules had their say in `decide`.", right=True),
            ),
            lesson="02",
        ),
        Question(
            "From lesson 01: two carts have the same row. Have their customers done the same?",
            (
                Option("Not necessarily", "Yes: one may have put trousers back, and the row forgot it.", right=True),
                Option("They have", "Two stories can end in the same row."),
                Option("Only if `updated_at` agrees too", "That is when it ended, not what happened before."),
            ),
            lesson="01",
        ),
    ),
)
