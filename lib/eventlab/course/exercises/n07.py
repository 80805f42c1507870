"""Exercises of lesson 07: a view with parked events, a step of a view, and a page that shows what was written."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from eventlab.course.exercise import Exercise
from eventlab.course.plan import Plan
from eventlab.course.quiz import Option, Question
from eventlab.course.shop_views import Shop, carts, fresh_store, parcels, pieces_shown
from eventlab.domain.cart import CartCreated, ItemAdded, ItemRemoved, QuantityChanged
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, Position, Recorded, StreamId, Version
from eventlab.views import Handler, Rows, start, wait_until

_NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
_CART = StreamId("cart", "1")
_EARLIER_CARTS, _CARTS, _PIECES = 20, 5, 3
_PATIENCE_SECONDS = 10.0
_LATE_SECONDS = 0.005


def _check_parcel(answer: object, night: Shop) -> str | None:
    if not isinstance(answer, str):
        return "The answer is the name of a cart, a text, as it stands in the view."
    events = night.folded()
    if answer not in events:
        return f"This shop has no cart `{answer}`."
    if answer not in night.wrong(parcels):
        return f"`{answer}` has {events[answer]} pieces by its events, and the view says so too."
    return None


def _recorded(event: object) -> Recorded:
    return Recorded(_CART, Version(1), Position(1), type(event).__name__, 1, event, UUID(int=1), _NOON, _NOON)


def _price() -> Money:
    return Money.of("49.90", "EUR")


_PUT_BACK: tuple[tuple[str, list[Any], int], ...] = (
    ("2 taken out", [ItemRemoved("socks", 2)], 2),
    ("2 taken out, then 1 more", [ItemRemoved("socks", 2), ItemRemoved("belt", 1)], 3),
    ("5 changed to 2", [QuantityChanged("socks", 5, 2)], 3),
    ("2 changed to 5", [QuantityChanged("socks", 2, 5)], 0),
    ("1 taken out, then 2 changed to 5", [ItemRemoved("belt", 1), QuantityChanged("socks", 2, 5)], 1),
    ("4 changed to 1, then 1 taken out", [QuantityChanged("socks", 4, 1), ItemRemoved("socks", 1)], 4),
)


def _check_put_back(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(row, recorded): …`"
    for what, events, right in _PUT_BACK:
        row: object = None
        for event in events:
            row = answer(dict(row) if isinstance(row, dict) else None, _recorded(event))
            if not isinstance(row, dict) or "pieces" not in row:
                return f'After {what} your function gives {row!r}, not a row like `{{"pieces": 1}}`.'
        assert isinstance(row, dict)
        if row["pieces"] != right:
            return f"After {what} the row says {row['pieces']!r} pieces were put back."
    return None


def _slow(handler: Handler) -> Handler:
    """A view that is certainly late for whoever does not wait."""

    def handle(rows: Rows, recorded: Recorded) -> None:
        time.sleep(_LATE_SECONDS)
        handler(rows, recorded)

    return handle


def _check_page(answer: object) -> str | None:
    if not callable(answer):
        return "The answer is a function: `def answer(store, stream, new): …`"
    store = fresh_store()
    for number in range(_EARLIER_CARTS):
        store.append(StreamId("cart", f"earlier-{number}"), [NewEvent(CartCreated("Ben", "EUR"))])
    with start(store, replace(carts, handlers={cls: _slow(handler) for cls, handler in carts.handlers.items()})):
        wait_until(store, carts, Position(_EARLIER_CARTS), _PATIENCE_SECONDS)
        for number in range(_CARTS):
            stream = StreamId("cart", f"ana-{number}")
            new = [NewEvent(CartCreated("Ana", "EUR"))]
            new += [NewEvent(ItemAdded(product, 1, _price())) for product in ("socks", "belt", "scarf")]
            answer(store, stream, new)
            shown = pieces_shown(store, stream)
            written = [recorded.id for recorded in store.read(stream)]
            if written != [each.id for each in new]:
                return f"Of the {len(new)} events for {stream}, {len(written)} are in the store when you come back."
            if shown != _PIECES:
                return (
                    f"When your function came back, the view showed {shown or 'nothing'} of {stream}, and not its "
                    f"{_PIECES} pieces. Which position did it wait for? Versions count within one stream."
                )
    return None


PLAN = Plan(
    title="Views",
    exercises=(
        Exercise(
            id="a",
            kind="investigate",
            check=_check_parcel,
            why="Only the carts whose stream is parked are wrong, and they are listed. Had the handler gone on after "
            "the error, the same carts would be wrong and nobody would know which.",
            hints=(
                "What the view could not take is set aside, with its stream: `parked` tells.",
                "A parked stream need not be wrong in the column you look at: compare with `night.folded()`.",
            ),
            solution="answer = night.wrong(parcels)[0]",
        ),
        Exercise(
            id="b",
            kind="modify",
            check=_check_put_back,
            why="A view is a function of events: more of them, or read in another way, is another view. No event had "
            "to be changed for it, and the carts of last year count too.",
            hints=(
                "`QuantityChanged` has `before` and `after`. When did something go back to the shelf?",
                "A customer who types a higher number puts nothing back, and the row stays as it is.",
            ),
            solution="""
def answer(row, recorded):
    pieces, event = row["pieces"] if row else 0, recorded.event
    if isinstance(event, ItemRemoved):
        return {"pieces": pieces + event.quantity}
    return {"pieces": pieces + max(0, event.before - event.after)}
""",
        ),
        Exercise(
            id="c",
            kind="make",
            check=_check_page,
            why="The append knows its positions and the view its checkpoint: nobody has to guess how long to sleep.",
            hints=(
                "`store.append` answers with the `versions` and the `positions` of what it wrote.",
                "Then wait, as `visit(wait=True)` did, for the last of the positions.",
            ),
            solution="""
def answer(store, stream, new):
    written = store.append(stream, new)
    wait_until(store, carts, written.positions[-1])
    return written
""",
        ),
    ),
    recall=(
        Question(
            "A customer changes the address, and the next page shows the old one. What helps?",
            (
                Option("A pause of a second before the page", "Most of the time, and on the bad day not."),
                Option(
                    "Waiting until the view has reached the position of the change",
                    "Yes: as long as it takes and no longer.",
                    right=True,
                ),
                Option("A faster database", "The gap gets smaller. It is still there."),
            ),
            lesson="07",
        ),
        Question(
            "Where may a program look when it decides whether a withdrawal is covered?",
            (
                Option(
                    "At the account's own events, and append with the version it has seen",
                    "Yes: whatever came in between makes the append fail.",
                    right=True,
                ),
                Option("At a view that is less than 10 ms behind", "A withdrawal fits into 10 ms."),
                Option("At a view it has waited for", "It has its own events then, and others go on writing."),
            ),
            lesson="07",
        ),
        Question(
            "What does `evolve` do with an event that the rules of today would refuse?",
            (
                Option("It refuses it", "Then the past could not be loaded any more."),
                Option("It leaves it out", "It happened, so the state has to know."),
                Option("It applies it", "Yes: events are facts, and only `decide` may refuse.", right=True),
            ),
            lesson="02",
        ),
    ),
)
