"""A statement sent and the one that replaces it: every line of either, and what became of it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlab.domain.account import AccountOpened, Corrected, Deposited, Event, TransferSent, Withdrawn
from eventlab.domain.money import Money
from eventlab.domain.reissue import reissue
from eventlab.domain.statements import statement

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
OPENED = AccountOpened("ana", "EUR", Money(0, "EUR"), date(2026, 2, 1))
DAYS = st.integers(0, 75).map(lambda days: OPENED.on + timedelta(days=days))
# Few amounts and texts: lines that look the same are the hard case.
BOOKINGS: st.SearchStrategy[Event] = st.one_of(
    *(
        st.builds(kind, st.sampled_from([100, 250]).map(lambda minor: Money(minor, "EUR")), DAYS, value_date=DAYS)
        for kind in (Deposited, Withdrawn)
    )
)
SUBSETS = st.lists(st.tuples(BOOKINGS, st.booleans(), st.booleans()), max_size=15)


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


@given(SUBSETS)
def test_both_statements_can_be_read_off_the_reissue(parts: list[tuple[Event, bool, bool]]) -> None:
    before = statement([OPENED, *(event for event, sent, _ in parts if sent)], FIRST, LAST, "value")
    after = statement([OPENED, *(event for event, _, known in parts if known)], FIRST, LAST, "value")
    found = reissue(before, after)
    for each, balances in (
        (before, [(r.line, r.before) for r in found.lines]),
        (after, [(r.line, r.after) for r in found.lines]),
    ):
        read = [(line.on, line.text, line.amount, balance) for line, balance in balances if balance is not None]
        assert read == [(line.on, line.text, line.amount, line.balance) for line in each.lines]
    assert (str(found) == "nothing differs") == (before == after)


@given(st.lists(st.tuples(BOOKINGS, st.booleans()), max_size=15))
def test_when_only_bookings_were_added_no_line_is_gone(parts: list[tuple[Event, bool]]) -> None:
    before = statement([OPENED, *(event for event, late in parts if not late)], FIRST, LAST, "value")
    after = statement([OPENED, *(event for event, _ in parts)], FIRST, LAST, "value")
    found = reissue(before, after)
    assert {change.change for change in found.changes} <= {"new", "balance"}
    added = [change for change in found.changes if change.change == "new"]
    assert len(added) == len(after.lines) - len(before.lines)


def test_it_says_itself_line_by_line() -> None:
    sent = [
        OPENED,
        Deposited(eur("500"), date(2026, 3, 1), "Salary"),
        TransferSent(eur("200"), date(2026, 3, 2), "Nord", "rent"),
        Withdrawn(eur("210"), date(2026, 3, 10), "Cash"),
    ]
    correction = Corrected(eur("90"), date(2026, 4, 8), "it was 120", value_date=date(2026, 3, 10))
    coffee = Withdrawn(eur("5"), date(2026, 4, 8), "Café Rosa", value_date=date(2026, 3, 1))
    before = statement(sent, FIRST, LAST, "value")
    after = statement([*sent, correction, coffee], FIRST, LAST, "value")
    assert str(reissue(before, after)).splitlines() == [
        "2026-03-01 Café Rosa, -5.00 EUR: new",
        "2026-03-02 Transfer to Nord: rent, -200.00 EUR: balance 300.00 EUR → 295.00 EUR",
        "2026-03-10 Cash, -210.00 EUR: balance 90.00 EUR → 85.00 EUR",
        "2026-03-10 Correction: it was 120, 90.00 EUR: new",
        "closing: 90.00 EUR → 175.00 EUR",
    ]
    assert [str(line) for line in reissue(after, before).lines][-1].endswith("90.00 EUR: gone")
    assert str(reissue(before, before)) == "nothing differs"


def test_what_lies_before_the_period_moves_the_opening() -> None:
    late = Deposited(eur("30"), date(2026, 4, 8), "Cash", value_date=date(2026, 2, 20))
    before, after = (statement(events, FIRST, LAST, "value") for events in ([OPENED], [OPENED, late]))
    assert str(reissue(before, after)) == "opening: 0.00 EUR → 30.00 EUR\nclosing: 0.00 EUR → 30.00 EUR"


def test_statements_of_two_periods_or_currencies_are_not_compared() -> None:
    march = statement([OPENED], FIRST, LAST)
    with pytest.raises(ValueError, match="compare two of the same period"):
        reissue(march, statement([OPENED], FIRST, date(2026, 4, 30)))
    dollars = AccountOpened("ana", "USD", Money(0, "USD"), OPENED.on)
    with pytest.raises(ValueError, match="one statement is in EUR, the other in USD"):
        reissue(march, statement([dollars], FIRST, LAST))
