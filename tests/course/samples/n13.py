"""What lesson 13's notebook has in hand when its exercises come, and plausible wrong answers."""

from collections import Counter

from eventlab.services import cart_team, contract, translator
from eventlab.services.cart_team import PaymentConfirmed
from eventlab.services.shop import Shop

CARTS = 40


def context(request):
    kafka = request.getfixturevalue("kafka")
    with Shop(kafka) as shop, Shop(kafka, listen="published") as market:
        shop.start()
        shop.release()
        shop.sell(CARTS)
        shop.wait()
        friday = shop.audit()
        market.start("translator")
        market.sell(CARTS)
        market.wait()
        orders = [contract.decode(event.data) for event in market.orders()]
    return {
        "friday": friday,
        "orders": orders,
        "cart_team": cart_team,
        "translator": translator,
        "PaymentConfirmed": PaymentConfirmed,
    }


def wrong(values):
    table = values["friday"]["stock"].table()
    closest = table["stock"][(table["true"] - table["says"]).idxmin()]
    return {
        "a": [closest, "umbrella", "stock", 17],
        "b": [
            translator.translate,
            lambda order, story: None,
            _whenever_it_is_paid,
            lambda order, story: story[-1] if isinstance(story[-1], PaymentConfirmed) else None,
            _of_the_first_events,
            "PaymentConfirmed",
        ],
        "c": [
            _every_arrival,
            lambda orders: dict(Counter(order.customer for order in orders)),
            lambda orders: _every_arrival({(order.customer, order.total): order for order in orders}.values()),
            lambda orders: sum(order.total for order in orders),
            {},
        ],
    }


def _whenever_it_is_paid(order, story):
    paid = any(isinstance(event, PaymentConfirmed) for event in story)
    return translator.placed(order, cart_team.decider.fold(story)) if paid else None


def _of_the_first_events(order, story):
    paid = isinstance(story[-1], PaymentConfirmed)
    return translator.placed(order, cart_team.decider.fold(story[:2])) if paid else None


def _every_arrival(orders):
    spent = Counter()
    for order in orders:
        spent[order.customer] += order.total
    return dict(spent)
