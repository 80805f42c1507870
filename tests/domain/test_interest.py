"""Interest by value dates: exact, rounded once, and the same whenever the bank learned of a booking."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlab.domain.account import (
    AccountOpened,
    BalanceBroughtForward,
    Deposited,
    Event,
    FraudScored,
    PeriodClosed,
    Withdrawn,
)
from eventlab.domain.interest import interest
from eventlab.domain.money import Money

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
CREDIT, OVERDRAFT = Decimal("0.02"), Decimal("0.095")
OPENED = AccountOpened("ana", "EUR", Money(0, "EUR"), date(2026, 2, 1))
DAYS = st.integers(0, 75).map(lambda days: OPENED.on + timedelta(days=days))
AMOUNTS = st.integers(1, 500_000).map(lambda minor: Money(minor, "EUR"))
BOOKINGS: st.SearchStrategy[Event] = st.one_of(
    *(st.builds(kind, AMOUNTS, DAYS, value_date=st.none() | DAYS) for kind in (Deposited, Withdrawn)),
)
HISTORIES = st.lists(BOOKINGS, max_size=12).map(lambda bookings: [OPENED, *bookings])


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def by_hand(history: list[Event], above: bool) -> int:
    """The balances of all days above or below zero: every day, every booking."""
    total = 0
    for n in range(31):
        balance = sum(
            event.amount.minor * (1 if isinstance(event, Deposited) else -1)
            for event in history[1:]
            if (event.value_date or event.on) <= FIRST + timedelta(days=n)
        )
        total += abs(balance) if (balance > 0) == above else 0
    return total


@given(HISTORIES)
def test_it_is_the_balance_of_every_day_times_the_rate_rounded_once(history: list[Event]) -> None:
    found = interest(history, FIRST, LAST, CREDIT, OVERDRAFT)
    for paid, rate, above in ((found.credit, CREDIT, True), (found.overdraft, OVERDRAFT, False)):
        exact = by_hand(history, above) * Fraction(rate) / 365
        assert abs(exact - paid.minor) <= Fraction(1, 2)
    assert found.net == found.credit - found.overdraft


@given(HISTORIES, st.randoms(use_true_random=False))
def test_when_the_bank_learned_of_a_booking_makes_no_difference(history: list[Event], random) -> None:
    late = history[1:]
    random.shuffle(late)
    assert interest([OPENED, *late], FIRST, LAST, CREDIT, OVERDRAFT) == interest(
        history, FIRST, LAST, CREDIT, OVERDRAFT
    )


def test_a_backdated_booking_counts_from_its_value_date() -> None:
    late = Deposited(eur("36500"), date(2026, 3, 31), value_date=date(2026, 3, 2))
    in_time = Deposited(eur("36500"), date(2026, 3, 2))
    assert interest([OPENED, late], FIRST, LAST, CREDIT, OVERDRAFT).credit == eur("60")  # 30 days of 2 euros
    assert interest([OPENED, late], FIRST, LAST, CREDIT, OVERDRAFT) == interest(
        [OPENED, in_time], FIRST, LAST, CREDIT, OVERDRAFT
    )


@pytest.mark.parametrize(
    ("balance", "rate", "credit", "overdraft"),
    [
        ("0.50", "0.365", "0.00", "0"),  # 0.05 of a cent
        ("5.00", "0.365", "0.01", "0"),  # half a cent
        ("4.99", "0.365", "0.00", "0"),
        ("-5.00", "0.365", "0", "0.01"),
        ("5.00", "-0.365", "-0.01", "0"),  # a rate below zero: the bank is paid for keeping the money
        ("15.00", "0.365", "0.02", "0"),  # 1.5 cents: up, where "half to even" would also give 2 …
        ("25.00", "0.365", "0.03", "0"),  # … and here 2.5 cents, where it would not
    ],
)
def test_half_a_cent_is_rounded_away_from_zero(balance: str, rate: str, credit: str, overdraft: str) -> None:
    brought = BalanceBroughtForward(eur(balance), FIRST)
    found = interest([brought], FIRST, FIRST, Decimal(rate), Decimal(rate))
    assert (found.credit, found.overdraft) == (eur(credit), eur(overdraft))


def test_what_moves_no_money_bears_no_interest() -> None:
    history = [OPENED, Deposited(eur("100"), OPENED.on)]
    chatter = [FraudScored(7, "baker", FIRST), PeriodClosed(OPENED.on, date(2026, 2, 28), eur("100"))]
    assert interest([*history, *chatter], FIRST, LAST, CREDIT, OVERDRAFT) == interest(
        history, FIRST, LAST, CREDIT, OVERDRAFT
    )


def test_currencies_keep_their_minor_units() -> None:
    yen = BalanceBroughtForward(Money(3_650_000, "JPY"), FIRST)
    assert interest([yen], FIRST, FIRST, Decimal("0.01"), OVERDRAFT).credit == Money(100, "JPY")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([OPENED], LAST, FIRST, CREDIT, OVERDRAFT), "the period ends on 2026-03-01, before it begins on 2026-03-31"),
        (([OPENED], date(2026, 1, 1), date(2026, 1, 31), CREDIT, OVERDRAFT), "the account begins on 2026-02-01"),
        (([], FIRST, LAST, CREDIT, OVERDRAFT), "never opened has neither statement nor interest"),
        (([OPENED], FIRST, LAST, 0.02, OVERDRAFT), r'0\.02 is not an exact rate: write 2 % a year as Decimal\("0\.02"'),
        (([OPENED], FIRST, LAST, CREDIT, Decimal("NaN")), "is not an exact rate"),
    ],
)
def test_interest_that_cannot_be_is_an_error(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        interest(*arguments)
