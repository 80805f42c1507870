"""The office of lesson 28: its table goes wrong as the lesson says, its books do not."""

import pandas as pd

from eventlab.course import reconcile
from eventlab.domain import account
from eventlab.domain.money import Money
from eventlab.history import steps
from eventlab.inputs import import_file, sample
from eventlab.store import MemoryEventStore

OPENING = Money.of("1234.56", "EUR")
WEEK = ("sparkasse-2026-03.csv", "sparkasse-2026-03.csv", "sparkasse-2026-04-overlapping.csv")


def test_the_table_counts_again_what_it_is_given_again():
    table = reconcile.Table(OPENING)
    table.load(WEEK[0])
    once = table.balance
    table.load(WEEK[1])
    assert round(table.balance - once, 2) == round(once - 1234.56, 2)
    assert len(table.rows) == 28


def test_the_books_stand_where_the_bank_stands():
    books = reconcile.books(OPENING)
    assert [import_file(sample(name), books).stored for name in WEEK] == [14, 0, 3]
    assert reconcile.balance(books) == Money.of("783.75", "EUR")


def test_a_lookalike_is_a_real_coffee():
    entries = reconcile.entries("sparkasse-2026-03.sta")
    assert len(entries) - len(reconcile.without_lookalikes(entries)) == 1


def test_side_by_side_has_a_row_per_file():
    frame = reconcile.side_by_side(["sparkasse-2026-03.sta", "sparkasse-2026-03.ofx"])
    assert list(frame["balance"]) == ["1,741.85 EUR", "1,741.85 EUR"]
    assert list(frame["reconciles"]) == ["yes", "cannot be told"]


def test_days_without_a_booking_keep_the_balance():
    store = MemoryEventStore()
    report = import_file(sample("sparkasse-2026-03.sta"), store)
    daily = reconcile.days(steps(store, account.decider, report.stream))
    assert len(daily) == 32
    assert daily["day"].is_monotonic_increasing
    on = daily.set_index("day")["balance_minor"]
    assert on[pd.Timestamp("2026-03-18", tz="UTC")] == on[pd.Timestamp("2026-03-16", tz="UTC")] == -3369
    assert on.iloc[-1] == 174185
    assert (on < 0).sum() == 9
    assert "lowest -52.39 on 20 March, highest 2,297.61 on 25 March" in repr(reconcile.picture(daily))


def test_the_slope_has_a_row_per_size():
    frame = reconcile.slope([10, 20])
    assert list(frame["entries"]) == [10, 20]
    assert (frame["seconds"] >= 0).all()
