"""What lesson 01's notebook has in hand when its exercises come, and plausible wrong answers."""

from eventlab.domain.cart import CartCreated, CheckedOut, ItemAdded, ItemRemoved, QuantityChanged
from eventlab.domain.money import Money

_PRICE = Money.of("49.90", "EUR")
_EVENTS = [
    CartCreated("Ana", "EUR"),
    ItemAdded("trousers", 3, _PRICE),
    ItemRemoved("trousers", 2),
    CheckedOut(_PRICE),
]


def context(request):
    return {"events": _EVENTS, "ItemAdded": ItemAdded, "ItemRemoved": ItemRemoved, "QuantityChanged": QuantityChanged}


def wrong(values):
    return {
        "b": [
            _EVENTS,
            _EVENTS[:2],
            [*_EVENTS[:1], ItemAdded("trousers", 2, _PRICE), ItemRemoved("trousers", 1), _EVENTS[-1]],
            ["trousers"],
            1,
        ],
        "c": [
            lambda events: 0,
            lambda events: sum(event.quantity for event in events if isinstance(event, ItemRemoved)),
            lambda events: sum(isinstance(event, ItemRemoved) for event in events),
            2,
        ],
    }
