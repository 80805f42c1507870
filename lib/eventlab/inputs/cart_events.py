"""From orders to carts: created, filled and checked out at the time of the order."""

import json
from uuid import uuid5

from eventlab.domain.cart import AddItem, CheckOut, Command, CreateCart, decider
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.inputs.account_events import NAMESPACE
from eventlab.inputs.orders import Order


def stream(order: Order) -> StreamId:
    """The stream of the order's cart."""
    return StreamId("cart", f"order-{order.key}")


def cart_events(order: Order, file: str) -> list[NewEvent]:
    """The events of the order's cart; the same order gives the same ids, a changed order gives others.

    A cart has one price for a product. Where an order has two, the second carries its price in its name.
    """
    commands: list[Command] = [CreateCart(order.customer, order.lines[0].price.currency)]
    prices: dict[str, int] = {}
    for line in order.lines:
        first = prices.setdefault(line.product, line.price.minor)
        product = line.product if first == line.price.minor else f"{line.product} at {line.price}"
        commands.append(AddItem(product, line.quantity, line.price))
    state, events = decider.initial, []
    for command in [*commands, CheckOut()]:
        decided = decider.decide(command, state)
        state = decider.fold(decided, state)
        events += decided
    target = str(stream(order))
    return [
        NewEvent(
            event,
            uuid5(NAMESPACE, json.dumps([target, order.time.isoformat(), n, repr(event)], ensure_ascii=False)),
            order.time,
            metadata={"file": file},
        )
        for n, event in enumerate(events)
    ]
