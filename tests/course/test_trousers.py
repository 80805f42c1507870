"""Lesson 01's shop: its tables agree with the events, and its chart says what it counts."""

import pandas as pd

from eventlab.course import trousers
from eventlab.domain.cart import CartAbandoned, CartCreated, ItemAdded, ItemRemoved, decider
from eventlab.domain.money import Money
from eventlab.inputs.generate import demo_carts

PRICE = Money.of("49.90", "EUR")


def test_the_tables_hold_the_same_carts_as_the_events():
    shop, carts = trousers.Tables(), demo_carts(seed=3, n=60)
    for cart, events in carts.items():
        shop.keep(str(cart), [new.event for new in events])
    rows = shop.rows()
    for cart, events in carts.items():
        state = decider.fold(new.event for new in events)
        row = rows.loc[str(cart)]
        assert (row["customer"], row["status"]) == (state.customer, state.status)
        contents = ", ".join(f"{line.quantity} {product}" for product, line in sorted(state.lines.items()))
        assert row["contents"] == (contents or "nothing")


def test_an_empty_cart_is_a_row_too():
    shop = trousers.Tables()
    story = [CartCreated("Ana", "EUR"), ItemAdded("socks", 1, PRICE), ItemRemoved("socks", 1), CartAbandoned("late")]
    shop.keep("cart-1", story)
    assert shop.rows().loc["cart-1"].to_dict() == {"customer": "Ana", "status": "abandoned", "contents": "nothing"}


def test_shares_count_carts_not_pieces():
    log = pd.DataFrame(
        [
            ("cart-1", "ItemAdded", "trousers"),
            ("cart-1", "ItemRemoved", "trousers"),
            ("cart-1", "ItemRemoved", "trousers"),
            ("cart-2", "ItemAdded", "trousers"),
            ("cart-2", "ItemAdded", "trousers"),
            ("cart-2", "ItemAdded", "socks"),
            ("cart-2", "CheckedOut", None),
        ],
        columns=["stream", "type", "product"],
    )
    figure = trousers.put_back(log)
    assert figure.table.to_dict("records") == [
        {"product": "trousers", "put back, % of carts": 50.0, "put back": 1, "carts that held it": 2},
        {"product": "socks", "put back, % of carts": 0.0, "put back": 0, "carts that held it": 1},
    ]
    assert "most often trousers, 50.0 %; least often socks, 0.0 %" in figure.alt
