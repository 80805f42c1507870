"""What the customer sees: the statement of a period, one line per booking, none of the bank's chatter."""

from collections.abc import Iterable
from datetime import date
from itertools import accumulate
from operator import attrgetter
from typing import Literal, get_args

from msgspec import Struct

from eventlab.domain.account import (
    Account,
    BalanceBroughtForward,
    Booking,
    Corrected,
    Deposited,
    Event,
    FeeCharged,
    InterestCredited,
    TransferReceived,
    TransferSent,
    decider,
    signed,
)
from eventlab.domain.money import Money

Dates = Literal["booking", "value"]
"""By which of its dates a booking stands on a statement: the day on which the bank booked it, or the day from which it
counts (for interest, for the court that asks what was on the account that day)."""


class StatementLine(Struct, frozen=True, gc=False):
    """One booking: ``on`` its day, ``amount`` with its sign, ``balance`` after it."""

    on: date
    text: str
    amount: Money
    balance: Money
    reference: str


class Statement(Struct, frozen=True, gc=False):
    """The period from ``first`` to ``last``, both included: opening plus the amounts of all lines is closing."""

    first: date
    last: date
    opening: Money
    closing: Money
    lines: tuple[StatementLine, ...]


def line_text(booking: Booking) -> str:
    """The booking in the words of a statement: "Transfer to Ben: rent", or the bank's own text for cash and cards."""
    match booking:
        case TransferSent(_, _, to, text):
            parts = [f"Transfer to {to}" if to else "Transfer sent", text]
        case TransferReceived(_, _, sender, text):
            parts = [f"Transfer from {sender}" if sender else "Transfer received", text]
        case FeeCharged(_, _, text):
            parts = ["Fee", text]
        case InterestCredited(_, _, text):
            parts = ["Interest", text]
        case Corrected(_, _, reason):
            parts = ["Correction", reason]
        case Deposited(_, _, text):
            parts = [text or "Deposit"]
        case _:
            parts = [booking.text or "Withdrawal"]
    return ": ".join(part for part in parts if part)


def value_day(booking: Booking) -> date:
    """The day from which the booking counts."""
    return booking.value_date or booking.on


def check_period(account: Account, first: date, last: date) -> None:
    """Raises ValueError when the period is upside down or ends before the account begins."""
    if last < first:
        raise ValueError(f"the period ends on {last}, before it begins on {first}")
    if account.since is None:
        raise ValueError("there are no events: an account that was never opened has neither statement nor interest")
    if last < account.since:
        raise ValueError(f"the period ends on {last}, but the account begins on {account.since}")


def statement(events: Iterable[Event], first: date, last: date, dates: Dates = "booking") -> Statement:
    """The statement over the days from ``first`` to ``last``, both included; by booking dates, or by value dates.

    ``events`` are those of one account, from its beginning, in the order of their versions; lines of the same day
    keep that order. A balance brought forward is part of the opening balance: it stands before the first booking.
    Raises ValueError when the period is upside down or ends before the account begins.
    """
    if dates not in get_args(Dates):
        raise ValueError(f"a booking has no {dates!r} date: choose one of {', '.join(get_args(Dates))}")
    history = list(events)
    account = decider.fold(history)
    check_period(account, first, last)
    day = value_day if dates == "value" else attrgetter("on")
    nothing = Money(0, account.currency)
    brought = [event.balance for event in history if isinstance(event, BalanceBroughtForward) and event.on <= last]
    bookings = sorted((event for event in history if isinstance(event, Booking)), key=day)
    before = [signed(booking) for booking in bookings if day(booking) < first]
    within = [booking for booking in bookings if first <= day(booking) <= last]
    opening = sum(brought + before, nothing)
    balances = list(accumulate((signed(booking) for booking in within), initial=opening))
    lines = tuple(
        StatementLine(day(booking), line_text(booking), signed(booking), balance, booking.reference)
        for booking, balance in zip(within, balances[1:], strict=True)
    )
    return Statement(first, last, opening, balances[-1], lines)
