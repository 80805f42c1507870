"""The contract: what keeps it goes out and comes back, what breaks it does not go out."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlab.services import contract
from eventlab.services.contract import Broken, OrderLine, OrderPlaced

lines = st.lists(st.builds(OrderLine, st.just("socks"), st.integers(1, 9), st.integers(0, 9_999)), min_size=1)
SOCKS = OrderLine("socks", 2, 450)


@given(lines)
def test_an_order_that_keeps_it_comes_back(bought):
    order = OrderPlaced("cart-1", "ana", "EUR", bought, sum(line.pieces * line.cents for line in bought))
    assert contract.decode(contract.encode(order)) == order


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (OrderPlaced("cart-1", "", "EUR", [SOCKS], 900), r"\$\.customer"),
        (OrderPlaced("cart-1", "ana", "euro", [SOCKS], 900), r"\$\.currency"),
        (OrderPlaced("cart-1", "ana", "EUR", [], 0), r"\$\.lines"),
        (OrderPlaced("cart-1", "ana", "EUR", [OrderLine("socks", 0, 450)], 0), r"\$\.lines\[0\]\.pieces"),
        (OrderPlaced("cart-1", "ana", "EUR", [OrderLine("socks", 2, 4.5)], 9), r"\$\.lines\[0\]\.cents"),
        (OrderPlaced("cart-1", "ana", "EUR", [SOCKS], 901), "not the sum"),
    ],
)
def test_one_that_breaks_it_is_not_published_and_the_message_names_the_field(broken, named):
    with pytest.raises(Broken, match=named):
        contract.encode(broken)


def test_a_reader_does_not_mind_a_field_that_it_does_not_know():
    order = OrderPlaced("cart-1", "ana", "EUR", [SOCKS], 900)
    more = {**msgspec.json.decode(contract.encode(order)), "coupon": "SPRING"}
    assert contract.decode(msgspec.json.encode(more)) == order


def test_an_internal_event_is_none():
    with pytest.raises(Broken, match="OrderPlaced"):
        contract.decode(b'{"product": "socks", "quantity": 2, "price": {"minor": 450, "currency": "EUR"}}')
