"""What lesson 01's notebook has in hand when its exercises come, and plausible wrong answers."""

from eventlab.course import trousers
from eventlab.domain.cart import CartCreated, CheckedOut, ItemAdded, ItemRemoved
from eventlab.domain.money import Money
from eventlab.inputs.generate import demo_carts

_PRICE = Money.of("49.90", "EUR")
_STORY = [
    CartCreated("Ana", "EUR"),
    ItemAdded("trousers", 3, _PRICE),
    ItemRemoved("trousers", 2),
    CheckedOut(_PRICE),
]


def context(request):
    carts = demo_carts(seed=1, n=200)
    shop = trousers.Tables()
    for cart, events in carts.items():
        shop.keep(str(cart), [new.event for new in events])
    removed = {
        str(cart): [new.event for new in events if isinstance(new.event, ItemRemoved)] for cart, events in carts.items()
    }
    back = [cart for cart, events in removed.items() if any(event.product == "trousers" for event in events)]
    return {
        "rows": shop.rows(),
        "back": back,
        "story": _STORY,
        "price": _PRICE,
        "ItemAdded": ItemAdded,
        "ItemRemoved": ItemRemoved,
    }


def wrong(values):
    rows, back = values["rows"], values["back"]
    empty = rows.index[(rows["status"] == "abandoned") & (rows["contents"] == "nothing")]
    never = [cart for cart in rows.index if cart not in back]
    return {
        "a": [
            "cart-1",
            ("cart-1", "cart-1"),
            ("cart-1", "cart-999"),
            (back[0], never[0]),
            tuple(empty[empty.isin(back)][:2]),
            (1, 2),
        ],
        "b": [
            _STORY,
            _STORY[:2],
            [*_STORY[:1], ItemAdded("trousers", 2, _PRICE), ItemRemoved("trousers", 1), _STORY[-1]],
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
