"""What the customer sees: the statement of a period, one line per booking, none of the bank's chatter."""

from collections.abc import Iterable
from datetime import date
from itertools import accumulate

from msgspec import Struct

from eventlab.domain.account import (
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


class StatementLine(Struct, frozen=True, gc=False):
    """One booking: ``amount`` with its sign, ``balance`` after it."""

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


def statement(events: Iterable[Event], first: date, last: date) -> Statement:
    """The statement over the booking dates from ``first`` to ``last``, both included.

    ``events`` are those of one account, from its beginning, in the order of their versions; lines of the same day
    keep that order. A balance brought forward is part of the opening balance: it stands before the first booking.
    Raises ValueError when the period is upside down or ends before the account begins.
    """
    if last < first:
        raise ValueError(f"the period ends on {last}, before it begins on {first}")
    history = list(events)
    account = decider.fold(history)
    if account.since is None:
        raise ValueError("there are no events: an account that was never opened has no statement")
    if last < account.since:
        raise ValueError(f"the period ends on {last}, but the account begins on {account.since}")
    nothing = Money(0, account.currency)
    brought = [event.balance for event in history if isinstance(event, BalanceBroughtForward) and event.on <= last]
    bookings = sorted((event for event in history if isinstance(event, Booking)), key=lambda booking: booking.on)
    before = [signed(booking) for booking in bookings if booking.on < first]
    within = [booking for booking in bookings if first <= booking.on <= last]
    opening = sum(brought + before, nothing)
    balances = list(accumulate((signed(booking) for booking in within), initial=opening))
    lines = tuple(
        StatementLine(booking.on, line_text(booking), signed(booking), balance, booking.reference)
        for booking, balance in zip(within, balances[1:], strict=True)
    )
    return Statement(first, last, opening, balances[-1], lines)
