"""A difference is found to the cent, and the report says what it most likely is."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.inputs import writers
from tests.inputs.statements import statement, statements

from eventlab.domain.money import Money
from eventlab.inputs import AccountStatement, Balance, Entry, import_file, mismatches
from eventlab.inputs.reconcile import gaps, in_time
from eventlab.store import MemoryEventStore

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def bare(whole: AccountStatement) -> AccountStatement:
    """Without the balance beside each line: only opening and closing are stated."""
    placed = (replace(e, balance=None, where=f"line {n}") for n, e in enumerate(whole.entries, start=1))
    return replace(whole, entries=tuple(placed))


@quick
@given(whole=statements())
def test_a_whole_statement_has_nothing_to_say(whole: AccountStatement) -> None:
    assert mismatches(whole) == mismatches(bare(whole)) == []


@quick
@given(whole=statements(min_size=1), data=st.data())
def test_a_missing_line_is_missed_to_the_cent(whole: AccountStatement, data: st.DataObject) -> None:
    whole = bare(whole)
    gone = data.draw(st.integers(0, len(whole.entries) - 1))
    amount = whole.entries[gone].amount
    rest = replace(whole, entries=whole.entries[:gone] + whole.entries[gone + 1 :])
    assume(all(entry.amount not in (-amount,) and entry.amount * 2 != -amount for entry in rest.entries))
    (reason,) = mismatches(rest)
    assert f"entries of {amount} in all are missing" in reason
    assert ("two figures of an amount are swapped" in reason) == (amount.minor % 9 == 0)


@quick
@given(whole=statements(min_size=1), data=st.data())
def test_a_line_that_is_there_twice_is_named(whole: AccountStatement, data: st.DataObject) -> None:
    whole = bare(whole)
    twice = whole.entries[data.draw(st.integers(0, len(whole.entries) - 1))]
    doubled = replace(whole, entries=(*whole.entries, replace(twice, where="line 99")))
    (reason,) = mismatches(doubled)
    assert f"{twice.amount} too much" in reason
    assert "line 99" in reason
    assert "is one there twice?" in reason


def test_a_wrong_sign_is_named() -> None:
    entry = Entry(date(2026, 3, 2), Money(-1240, "EUR"), "kiosk", where="line 7")
    whole = statement((entry, replace(entry, amount=Money(500, "EUR"), where="line 8")), opening=5000)
    turned = replace(bare(whole), entries=(replace(entry, amount=-entry.amount), whole.entries[1]))
    turned = replace(turned, entries=tuple(replace(e, balance=None) for e in turned.entries))
    (reason,) = mismatches(turned)
    assert "has line 7 the wrong sign?" in reason


def test_a_printed_balance_that_breaks_is_named_with_its_line() -> None:
    entries = [Entry(date(2026, 3, day), Money(-300, "EUR"), "coffee", where=f"line {day}") for day in (2, 3, 4)]
    whole = statement(tuple(entries), opening=1000)
    gone = replace(whole, entries=(whole.entries[0], whole.entries[2]))
    (reason,) = mismatches(gone)
    assert (
        reason == "line 4: 7.00 EUR and -3.00 EUR make 4.00 EUR, not 1.00 EUR: entries of -3.00 EUR in all are missing"
    )


def month(n: int, opening: int, closing: int) -> AccountStatement:
    first, last = date(2026, n, 1), date(2026, n, 28)
    entry = Entry(first, Money(closing - opening, "EUR"))
    return AccountStatement(
        "1", "EUR", (entry,), Balance(Money(opening, "EUR"), first), Balance(Money(closing, "EUR"), last), f"page {n}"
    )


def test_a_missing_statement_is_a_gap() -> None:
    jan, feb, mar = month(1, 100, 200), month(2, 200, 350), month(3, 350, 300)
    assert gaps([jan, feb, mar]) == []
    (gap,) = gaps([jan, mar])
    assert "page 3: begins with 3.50 EUR, but the statement before ends with 2.00 EUR; 1.50 EUR in between" in gap


def test_statements_in_any_order_are_put_in_time() -> None:
    months = [month(1, 100, 200), month(2, 200, 350), month(3, 350, 300)]
    assert in_time(months[::-1]) == months
    assert in_time([months[1], months[2], months[0]]) == months


def test_a_statement_that_does_not_add_up_is_stored_and_said_so(tmp_path: Path) -> None:
    whole = statement(tuple(Entry(date(2026, 3, day), Money(-300, "EUR"), "coffee") for day in (2, 3, 4)), opening=1000)
    lines = writers.mt940(whole).decode().split("\r\n")
    cut = [line for n, line in enumerate(lines) if n not in (6, 7)]
    path = tmp_path / "march.sta"
    path.write_text("\r\n".join(cut))
    report = import_file(path, MemoryEventStore())
    assert (report.read, report.stored, report.reconciles) == (2, 2, False)
    (reason,) = report.reasons
    assert "entries of -3.00 EUR in all are missing" in reason
    assert "march.sta" in str(report)
    assert "reconciles  no" in str(report)
    assert "<th" in report._repr_html_()
    assert "are missing" in report._repr_html_()
