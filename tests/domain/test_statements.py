from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from eventlab.domain.account import (
    AccountOpened,
    AuthorisationReleased,
    BalanceBroughtForward,
    Booking,
    CardAuthorised,
    Corrected,
    Deposited,
    Event,
    FeeCharged,
    FraudScored,
    InterestCredited,
    LimitChecked,
    PeriodClosed,
    TransferReceived,
    TransferSent,
    Withdrawn,
    decider,
)
from eventlab.domain.money import Money
from eventlab.domain.statements import StatementLine, statement


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


MARCH = date(2026, 3, 1)
FIRST_DAY = date(2026, 2, 1)
AMOUNTS = st.integers(1, 50_000).map(lambda minor: Money(minor, "EUR"))
DAYS = st.integers(0, 89).map(lambda days: FIRST_DAY + timedelta(days=days))
CHATTER: st.SearchStrategy[Event] = st.one_of(
    st.builds(CardAuthorised, AMOUNTS, st.just("baker"), DAYS),
    st.builds(AuthorisationReleased, AMOUNTS, st.just("baker"), DAYS),
    st.builds(LimitChecked, AMOUNTS, AMOUNTS, DAYS),
    st.builds(FraudScored, st.integers(0, 100), st.just("baker"), DAYS),
)
BOOKINGS: st.SearchStrategy[Event] = st.one_of(
    *(st.builds(kind, AMOUNTS, DAYS) for kind in (Deposited, Withdrawn, TransferSent, FeeCharged, InterestCredited)),
    st.builds(Corrected, AMOUNTS.map(lambda amount: -amount), DAYS, st.just("wrong")),
)
OPENINGS: st.SearchStrategy[Event] = st.one_of(
    st.just(AccountOpened("ana", "EUR", eur("0"), FIRST_DAY)), st.builds(BalanceBroughtForward, AMOUNTS, DAYS)
)
HISTORIES = st.tuples(OPENINGS, st.lists(BOOKINGS | CHATTER, max_size=40)).map(lambda parts: [parts[0], *parts[1]])


def _on(event: Event) -> date:
    return event.last if isinstance(event, PeriodClosed) else event.on


def _begin(history: list[Event]) -> date:
    """The account's first day: what the bank only looks at does not begin it."""
    return min(_on(event) for event in history if not isinstance(event, (LimitChecked, FraudScored)))


@for_all(HISTORIES, DAYS, DAYS)
def test_the_statement_adds_up(history: list[Event], one: date, other: date) -> None:
    first, last = sorted((one, other))
    if last < _begin(history):
        with pytest.raises(ValueError, match="the account begins on"):
            statement(history, first, last)
        return
    report = statement(history, first, last)
    balance = report.opening
    for line in report.lines:
        balance += line.amount
        assert line.balance == balance
        assert first <= line.on <= last
    assert report.closing == balance == decider.fold([e for e in history if _on(e) <= last]).balance
    assert [line.on for line in report.lines] == sorted(line.on for line in report.lines)


@for_all(HISTORIES, DAYS)
def test_one_period_closes_where_the_next_one_opens(history: list[Event], cut: date) -> None:
    first, last = _begin(history), date(2026, 5, 31)
    cut = max(cut, first)
    brought = [event.on for event in history if isinstance(event, BalanceBroughtForward)]
    if brought and brought[0] > cut:
        return  # before its balance was brought forward, the account is not known
    whole, start = statement(history, first, last), statement(history, first, cut)
    rest = statement(history, cut + timedelta(days=1), last)
    assert start.closing == rest.opening
    assert start.lines + rest.lines == whole.lines


@for_all(HISTORIES, st.lists(CHATTER, max_size=10))
def test_chatter_never_shows(history: list[Event], chatter: list[Event]) -> None:
    last = date(2026, 5, 31)
    assert statement([*history, *chatter], FIRST_DAY, last) == statement(history, FIRST_DAY, last)


def test_the_lines_speak_the_words_of_a_statement() -> None:
    history: list[Event] = [
        BalanceBroughtForward(eur("100"), MARCH),
        Deposited(eur("1"), MARCH),
        Deposited(eur("1"), MARCH, "Salary March"),
        Withdrawn(eur("1"), MARCH),
        Withdrawn(eur("1"), MARCH, "Baker", "card-7"),
        TransferSent(eur("1"), MARCH, "Ben", "rent"),
        TransferSent(eur("1"), MARCH, text="rent"),
        TransferReceived(eur("1"), MARCH, "Ben"),
        FeeCharged(eur("1"), MARCH, "card"),
        InterestCredited(eur("1"), MARCH),
        Corrected(eur("-1"), MARCH, "booked twice", "card-7"),
    ]
    report = statement(history, MARCH, MARCH)
    assert [line.text for line in report.lines] == [
        "Deposit",
        "Salary March",
        "Withdrawal",
        "Baker",
        "Transfer to Ben: rent",
        "Transfer sent: rent",
        "Transfer from Ben",
        "Fee: card",
        "Interest",
        "Correction: booked twice",
    ]
    assert report.lines[3] == StatementLine(MARCH, "Baker", eur("-1"), eur("100"), "card-7")
    assert (report.opening, report.closing) == (eur("100"), eur("98"))


def test_a_quiet_month_has_a_statement_without_lines() -> None:
    report = statement([Deposited(eur("5"), MARCH)], date(2026, 4, 1), date(2026, 4, 30))
    assert (report.opening, report.closing, report.lines) == (eur("5"), eur("5"), ())


def test_a_period_that_cannot_be_is_an_error() -> None:
    with pytest.raises(ValueError, match="the period ends on 2026-02-01, before it begins on 2026-03-01"):
        statement([Deposited(eur("5"), MARCH)], MARCH, FIRST_DAY)
    with pytest.raises(ValueError, match="never opened"):
        statement([], FIRST_DAY, MARCH)


@for_all(HISTORIES, st.data())
def test_by_value_dates_it_is_the_statement_of_bookings_booked_on_those_days(
    history: list[Event], data: st.DataObject
) -> None:
    valued = [
        msgspec.structs.replace(event, value_date=data.draw(st.none() | DAYS)) if isinstance(event, Booking) else event
        for event in history
    ]
    as_if = [
        msgspec.structs.replace(event, on=event.value_date or event.on) if isinstance(event, Booking) else event
        for event in valued
    ]
    last = date(2026, 6, 30)
    by_value = statement(valued, MARCH, last, "value")
    assert by_value == statement(as_if, MARCH, last)
    assert by_value.closing == statement(valued, MARCH, last).closing, "in the end both dates have passed"


def test_another_kind_of_date_is_an_error() -> None:
    with pytest.raises(ValueError, match="a booking has no 'entry' date: choose one of booking, value"):
        statement([AccountOpened("ana", "EUR", eur("0"), FIRST_DAY)], MARCH, MARCH, "entry")  # type: ignore[arg-type]
