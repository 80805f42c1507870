"""Interest of a period: computed from the events that are known: a backdated booking is only one more."""

import math
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct

from eventlab.domain.account import BalanceBroughtForward, Booking, Event, decider, signed
from eventlab.domain.money import Money
from eventlab.domain.statements import check_period, value_day

_DAYS_PER_YEAR = 365  # day count "actual/365 (fixed)", ISDA 2006 Definitions, section 4.16(d)


class Interest(Struct, frozen=True, gc=False):
    """What the bank pays for the days above zero (``credit``) and takes for the days below (``overdraft``)."""

    first: date
    last: date
    credit: Money
    overdraft: Money

    @property
    def net(self) -> Money:
        """What is paid in all; negative when the bank takes more than it pays."""
        return self.credit - self.overdraft


def interest(events: Iterable[Event], first: date, last: date, credit: Decimal, overdraft: Decimal) -> Interest:
    """The interest of the days from ``first`` to ``last``, both included, at yearly rates: ``Decimal("0.02")`` is 2 %.

    Each day counts with the balance at its end, by value dates: a booking that became known late counts from the
    day on which it should have been there. The balances of all days in minor units, times the rate, divided by 365, are
    one exact number; it is rounded once, to the nearest minor unit, and half a unit away from zero.
    ``events`` are those of one account from its beginning, or as many of them as were on record at some moment.
    Raises ValueError when the period is upside down or ends before the account begins, or a rate is not exact.
    """
    history = list(events)
    account = decider.fold(history)
    check_period(account, first, last)
    balances = _daily_balances(history, first, last)
    above = sum(balance for balance in balances if balance > 0)
    below = sum(-balance for balance in balances if balance < 0)
    paid, taken = _rounded(above, credit), _rounded(below, overdraft)
    return Interest(first, last, Money(paid, account.currency), Money(taken, account.currency))


def _daily_balances(history: list[Event], first: date, last: date) -> list[int]:
    """The balance at the end of each day, in minor units."""
    moved: dict[date, int] = {}
    for event in history:
        if isinstance(event, BalanceBroughtForward):
            moved[event.on] = moved.get(event.on, 0) + event.balance.minor
        elif isinstance(event, Booking):
            moved[value_day(event)] = moved.get(value_day(event), 0) + signed(event).minor
    balance = sum(minor for day, minor in moved.items() if day < first)
    balances = []
    for n in range((last - first).days + 1):
        balance += moved.get(first + timedelta(days=n), 0)
        balances.append(balance)
    return balances


def _rounded(minor_days: int, rate: Decimal) -> int:
    if not isinstance(rate, Decimal) or not rate.is_finite():
        raise ValueError(f'{rate!r} is not an exact rate: write 2 % a year as Decimal("0.02")')
    exact = Fraction(minor_days) * Fraction(rate) / _DAYS_PER_YEAR
    return int(math.copysign(1, exact)) * math.floor(abs(exact) + Fraction(1, 2))
