"""What lesson 02's notebook has in hand when its exercises come, and plausible wrong answers."""

from eventlab.course.sales import in_place
from eventlab.domain.cart import (
    Abandon,
    AddItem,
    CartAbandoned,
    CartCreated,
    ChangeQuantity,
    CheckOut,
    ItemAdded,
    ItemRemoved,
    RemoveItem,
    decider,
)
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money

_PRICE = Money.of("49.90", "EUR")


def context(request):
    story = [CartCreated("Ana", "EUR"), ItemAdded("trousers", 3, _PRICE), ItemRemoved("trousers", 2)]
    return {
        "basket": decider.fold(story),
        "ChangeQuantity": ChangeQuantity,
        "ItemAdded": ItemAdded,
        "ItemRemoved": ItemRemoved,
    }


def only_added(held, event):
    return (
        {**held, event.product: held.get(event.product, 0) + event.quantity} if isinstance(event, ItemAdded) else held
    )


def overwrites(held, event):
    return {**held, event.product: event.quantity} if isinstance(event, ItemAdded) else held


def removed(cart):
    return [ItemRemoved(product, line.quantity) for product, line in cart.lines.items()]


def if_open(events):
    def answer(cart):
        if cart.status != "open":
            raise Refused("not open")
        return events(cart)

    return answer


def refuses_an_empty_cart(cart):
    if cart.status != "open" or not cart.lines:
        raise Refused("nothing in it")
    return removed(cart)


def wrong(values):
    return {
        "a": [
            RemoveItem("trousers", 1),
            RemoveItem("trousers", 0),
            ChangeQuantity("trousers", 0),
            ChangeQuantity("socks", 0),
            AddItem("trousers", 0, _PRICE),
            CheckOut(),
            Abandon("none"),
            ItemRemoved("trousers", 1),
            "nothing",
        ],
        "b": [in_place, only_added, overwrites, lambda held, event: dict(held), lambda held, event: [], {}],
        "c": [
            removed,
            refuses_an_empty_cart,
            if_open(lambda cart: [CartAbandoned("emptied")]),
            if_open(lambda cart: removed(cart)[:1]),
            if_open(lambda cart: [ItemRemoved(product, 1) for product in cart.lines]),
            if_open(lambda cart: removed(cart) * 2),
            if_open(lambda cart: [ItemRemoved("trousers", 99), ItemRemoved("socks", 99)]),
            if_open(lambda cart: None),
            [],
        ],
    }
