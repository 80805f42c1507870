"""Values in words: what a person reads instead of a Python repr."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from types import MappingProxyType

import pytest

from eventlab.domain import account, cart
from eventlab.domain.money import Money
from eventlab.history.changes import changes
from eventlab.show import words


class Colour(Enum):
    RED = "red"


@dataclass
class Card:
    holder: str
    last_used: date | None
    note: str = ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        ("", "–"),
        (0, "0"),
        (True, "yes"),
        (Colour.RED, "red"),
        (Money.of("1234.5", "EUR"), "1,234.50 EUR"),
        (date(2026, 3, 3), "2026-03-03"),
        (datetime(2026, 3, 3, 18, tzinfo=UTC), "2026-03-03 18:00:00 UTC"),
        (datetime(2026, 3, 3, 18, 0, 0, 120_000, tzinfo=timezone(timedelta(hours=1))), "2026-03-03 17:00:00.12 UTC"),
        (cart.Line(2, Money.of("49.90", "EUR")), "2 × 49.90 EUR"),
        (Card("Ana", date(2026, 3, 3)), "holder Ana, last used 2026-03-03"),
        ({"socks": 1, "belt": 2}, "socks: 1; belt: 2"),
        ({}, "–"),
        ((1, "a"), "1, a"),
    ],
)
def test_a_value(value, text):
    assert words.value(value) == text


def test_a_cart_is_rows_with_a_row_per_product_and_its_total():
    state = cart.Cart("open", "Ana", "EUR", MappingProxyType({"socks": cart.Line(2, Money.of("4.50", "EUR"))}))
    assert words.rows(state) == [
        ("status", "open"),
        ("customer", "Ana"),
        ("currency", "EUR"),
        ("lines · socks", "2 × 4.50 EUR"),
        ("total", "9.00 EUR"),
    ]


def test_what_is_empty_still_has_its_row():
    assert ("lines", "–") in words.rows(cart.Cart())


def test_a_state_that_is_no_dataclass():
    assert words.rows({"a": 1}) == [("a", "1")]
    assert words.rows(7) == [("", "7")]


def test_rows_and_changes_use_the_same_names():
    day = date(2026, 3, 3)
    before = account.Account()
    after = account.decider.fold(
        [account.Deposited(Money(100, "EUR"), day), account.CardAuthorised(Money(5, "EUR"), "Rosa", day)]
    )
    assert {change.field for change in changes(before, after)} <= {name for name, _ in words.rows(after)}
