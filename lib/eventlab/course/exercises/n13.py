"""Exercises of lesson 13: what a silent reader gets wrong, what a translator must not let through, a fourth service."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.domain.cart import CartAbandoned, CartCreated, CheckedOut
from eventlab.domain.money import Money
from eventlab.services import cart_team, contract, translator
from eventlab.services.audit import Audit
from eventlab.services.cart_team import LineAdded, PaymentConfirmed, PaymentRefused, QuantityRaised, ReceiptSent
from eventlab.services.contract import Broken, OrderLine, OrderPlaced


def _check_product(answer: object, friday: Audit) -> str | None:
    if not isinstance(answer, str):
        return "The answer is the name of a product, a text."
    stock = friday["stock"]
    if (answer,) not in stock.truth:
        return f"The shop sells no `{answer}`: look at the names in the table."
    short = {product: taken - stock.shown.get((product,), (0,))[0] for (product,), (taken,) in stock.truth.items()}
    if short[answer] < max(short.values()):
        return f"For `{answer}` the view is {short[answer]} pieces short. For another product it is further off."
    return None


_SHIRTS = LineAdded("shirt", 2, Money.of("29.90", "EUR"))
_BEGUN: tuple[object, ...] = (CartCreated("ana", "EUR"), _SHIRTS, QuantityRaised("shirt", 1))
_OUT = CheckedOut(Money.of("89.70", "EUR"))
# What happens to a cart under Monday's release, and whether an order comes of it.
_STORIES: tuple[tuple[str, tuple[object, ...], bool], ...] = (
    ("a cart that is paid", (*_BEGUN, _OUT, PaymentConfirmed()), True),
    ("a cart that is paid and gets its receipt", (*_BEGUN, _OUT, PaymentConfirmed(), ReceiptSent()), True),
    ("a cart whose payment is refused", (*_BEGUN, _OUT, PaymentRefused("limit")), False),
    (
        "a cart whose second payment is taken",
        (*_BEGUN, _OUT, PaymentRefused("limit"), PaymentConfirmed(), ReceiptSent()),
        True,
    ),
    ("a cart that waits for its payment", (*_BEGUN, _OUT), False),
    ("a cart that is given up", (*_BEGUN, CartAbandoned("no activity")), False),
)


def _check_translator(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(order, story): …`"
    for what, story, paid in _STORIES:
        published = []
        for seen in range(1, len(story) + 1):
            given = answer("cart-7", list(story[:seen]))
            if given is None:
                continue
            last = type(story[seen - 1]).__name__
            if not isinstance(given, OrderPlaced):
                return f"For {what} your translator gives a {type(given).__name__} at {last}, not an `OrderPlaced`."
            if not paid or not any(isinstance(event, PaymentConfirmed) for event in story[:seen]):
                return f"For {what} your translator publishes an order at {last}, and there is no money."
            published.append(given)
        if paid and not published:
            return f"For {what} your translator publishes nothing."
        if len(published) > 1:
            return f"For {what} your translator publishes the order {len(published)} times."
        if published and published != [translator.placed("cart-7", cart_team.decider.fold(story))]:
            return f"For {what} your translator publishes {_told(published[0])}, which is not what was bought."
    return None


def _told(order: OrderPlaced) -> str:
    try:
        contract.encode(order)
    except Broken as broken:
        return str(broken)
    return repr(order)


def _order(number: int, customer: str, cents: int) -> OrderPlaced:
    return OrderPlaced(f"cart-{number}", customer, "EUR", [OrderLine("socks", 1, cents)], cents)


_ONCE = [_order(1, "ana", 450), _order(2, "ben", 900), _order(3, "ana", 990)]
_ARRIVALS: tuple[tuple[str, list[OrderPlaced]], ...] = (
    ("three orders of two customers", _ONCE),
    ("nothing", []),
    ("one order that came twice", [_ONCE[0], _ONCE[0]]),
    ("an old order that came again later", [*_ONCE, _ONCE[0]]),
    ("two orders of one customer over the same amount", [_order(1, "ana", 450), _order(2, "ana", 450)]),
    ("all of a translator's last batch again", [*_ONCE, *_ONCE]),
)


def _spent(orders: Sequence[OrderPlaced]) -> dict[str, int]:
    spent: Counter[str] = Counter()
    for order in {each.order: each for each in orders}.values():
        spent[order.customer] += order.total
    return dict(spent)


def _check_spent(answer: object, orders: Sequence[OrderPlaced]) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(orders): …`"
    for what, arrived in (*_ARRIVALS, ("the orders of this shop", list(orders))):
        got: Any = answer(list(arrived))
        if not isinstance(got, dict):
            return f"Your function gives a {type(got).__name__}, not a dictionary from customer to cents."
        right = _spent(arrived)
        if wrong := [name for name in {**right, **got} if got.get(name) != right.get(name)]:
            name = wrong[0]
            return f"For {what}, {name} has spent {got.get(name, 'nothing')!r} by your function, and that is not so."
    return None


PLAN = Plan(
    title="One cart, many services",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_product,
            why="The service is up, its lag is zero, and it would sell these pieces a second time.",
            hints=(
                "`taken` is too small wherever something was added under the new name. Where by most?",
                "Subtract one column of `friday['stock'].table()` from the other.",
            ),
            solution="""
table = friday["stock"].table()
answer = table["stock"][(table["true"] - table["says"]).idxmax()]
""",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_translator,
            why="Three new internal events, one of which changes what an order is, and none of the three services "
            "has to know. No schema would have noticed an order that is not paid: the meaning is the translator's.",
            hints=(
                "When has a customer bought, from Monday on? Today's translator looks at the last event of the story.",
                "A story grows event by event, and the order has to come at one of them only.",
            ),
            solution="""
def answer(order, story):
    if not isinstance(story[-1], PaymentConfirmed):
        return None
    return translator.placed(order, cart_team.decider.fold(story))
""",
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_spent,
            why="An order has a name, so the second arrival can be told from a second order. The amount and the time "
            "cannot do that.",
            hints=(
                "What does the contract say about an order that comes more than once?",
                "Remember which orders are in the sum already: a dictionary keyed by `order.order` does it.",
            ),
            solution="""
def answer(orders):
    spent = {}
    for order in {each.order: each for each in orders}.values():
        spent[order.customer] = spent.get(order.customer, 0) + order.total
    return spent
""",
        ),
    ),
    recall=(
        Question(
            "A service was killed. Where does it go on when it comes back?",
            (
                Option("At the end of the topic", "Then it would miss what came meanwhile."),
                Option(
                    "At the offset that is committed together with its rows",
                    "Yes: rows and offset are one transaction, so nothing is missing and nothing counts twice.",
                    right=True,
                ),
                Option("Where the other services are", "Every group has offsets of its own."),
            ),
            lesson="13",
        ),
        Question(
            "A service skips the types that it does not know. An event that it needs gets a new name. What do you see?",
            (
                Option("A growing lag", "It reads on, and passes over what it does not know."),
                Option("An error in its log", "Skipping is what it was told to do: nothing to complain about."),
                Option(
                    "Nothing, but its numbers are wrong", "Yes: only a comparison with the events tells.", right=True
                ),
            ),
            lesson="13",
        ),
        Question(
            "A handler had a bug, and is mended. What mends the rows that it wrote?",
            (
                Option(
                    "A rebuild from the first event",
                    "Yes: the mended handler alone only gets new events right.",
                    right=True,
                ),
                Option("The next event of the same cart", "It is handled right, on top of a wrong row."),
                Option("A restart", "It goes on behind the events that were handled wrong."),
            ),
            lesson="08",
        ),
    ),
)
