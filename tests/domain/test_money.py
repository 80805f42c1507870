from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlab.domain.money import NO_CURRENCY, Money

MINORS = st.integers(-(10**12), 10**12)
CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])


@given(MINORS, CURRENCIES)
def test_the_amount_gives_the_same_money_again(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.of(money.amount, currency) == money


@given(MINORS, MINORS)
def test_sums_are_exact(a: int, b: int) -> None:
    total = Money(a, "EUR") + Money(b, "EUR")
    assert total.amount == Decimal(a) / 100 + Decimal(b) / 100
    assert total - Money(b, "EUR") == Money(a, "EUR")


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money.of("1240.5", "EUR"), "1,240.50 EUR"),
        (Money.of("-0.05", "EUR"), "-0.05 EUR"),
        (Money.of(1240, "JPY"), "1,240 JPY"),
        (Money.of("1.234", "KWD"), "1.234 KWD"),
        (Money(0, NO_CURRENCY), "0.00"),
    ],
)
def test_money_is_written_with_the_decimals_of_its_currency(money: Money, text: str) -> None:
    assert str(money) == text


@pytest.mark.parametrize("amount", ["12.405", "twelve", "NaN", "Infinity", ""])
def test_what_is_not_a_whole_number_of_cents_is_no_money(amount: str) -> None:
    with pytest.raises(ValueError, match=r"EUR minor units|not an amount of money"):
        Money.of(amount, "EUR")


@pytest.mark.parametrize("currency", ["eur", "EURO", "E1R", "€€€", ""])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(ValueError, match="three capital letters"):
        Money(1, currency)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="EUR and USD do not mix"):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(ValueError, match="EUR and USD do not mix"):
        assert Money(1, "EUR") < Money(1, "USD")
