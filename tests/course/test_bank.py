"""The bank of lesson 03: what an eraser does to statements that were sent, and what a closed month carries forward."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from eventlab.course import bank
from eventlab.domain.account import BalanceBroughtForward, Correct, PeriodClosed, decider
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.inputs.generate import demo_account
from eventlab.store import MemoryEventStore

EURO = Money.of("1.00", "EUR")
ERASER = "UPDATE bookings SET amount_minor = -290 WHERE reference = 'FEE-2026-01'"
ACCOUNTS = bank.accounts(5)
ANA = StreamId("account", "4")
SENT = bank.statements(ACCOUNTS)
JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 1)


def history(seed, months):
    return [new.event for new in demo_account(seed, months)]


def test_the_untouched_table_prints_what_was_sent():
    table = bank.Table(ACCOUNTS)
    assert bank.alike(SENT, table.statements()) == len(SENT) == 15
    assert table.balance() == bank.balance(ACCOUNTS)


def test_the_eraser_rewrites_every_statement_since():
    table = bank.Table(ACCOUNTS)
    before = table.balance()
    assert table.run(ERASER) == 5
    again = table.statements()
    assert bank.alike(SENT, again) == 0
    assert again[ANA, MARCH].lines[0].amount == SENT[ANA, MARCH].lines[0].amount
    assert again[ANA, MARCH].opening - SENT[ANA, MARCH].opening == EURO
    assert table.balance() - before == EURO * 5
    shown = bank.openings_and_closings(ANA, SENT, again).iloc[0]
    assert shown["opening, sent"] == shown["opening, again"]
    assert shown["closing, sent"] != shown["closing, again"]


def test_an_eraser_in_march_leaves_january_alone():
    table = bank.Table(ACCOUNTS)
    table.run(ERASER.replace("2026-01", "2026-03"))
    assert bank.alike(SENT, table.statements()) == 10


def test_a_correction_leaves_every_statement_alone_and_brings_the_same_balance():
    table = bank.Table(ACCOUNTS)
    table.run(ERASER)
    corrected = bank.told(ACCOUNTS, Correct(EURO, date(2026, 4, 2), "the fee of January was 2.90"))
    assert bank.alike(SENT, bank.statements(corrected)) == len(SENT)
    assert bank.balance(corrected) == table.balance()
    with pytest.raises(Refused, match="the books are closed up to 2026-03-31"):
        bank.told(ACCOUNTS, Correct(EURO, date(2026, 1, 31), "the fee of January was 2.90"))


def test_a_page_has_the_lines_between_opening_and_closing():
    page = bank.page(SENT[ANA, JANUARY])
    assert page.rows[0][1:] == ("Opening balance", "", "0.00 EUR")
    assert page.rows[-1][3] == str(SENT[ANA, JANUARY].closing)
    assert len(page.rows) == len(SENT[ANA, JANUARY].lines) + 2
    assert page.end(2).rows == page.rows[-2:]
    assert "Fee: account fee" in repr(page)
    assert "Fee: account fee" in page._repr_html_()


def test_kinds_count_what_the_customer_sees():
    march = bank.between(ACCOUNTS[ANA], MARCH, date(2026, 3, 31))
    table = bank.kinds(march)
    assert table["events"].sum() == len(march)
    on_it = table.loc[table["on the statement"] == "yes", "events"].sum()
    assert on_it == len(SENT[ANA, MARCH].lines)
    assert table.loc["CardAuthorised", "on the statement"] == "no"


def decisive(account):
    """Everything on which a decision of the account depends once its books were closed."""
    return (
        account.status, account.owner, account.currency, account.overdraft_limit, account.balance, dict(account.holds),
        account.available, account.since, account.closed_until,
    )  # fmt: skip


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), months=st.integers(1, 6))
def test_a_month_knows_what_a_life_knows_after_every_event(seed, months):
    life = history(seed, months)
    streams = bank.by_month(life)
    assert [event for month in streams for event in month.happened] == life
    whole = decider.initial
    for month in streams:
        own = decider.fold(month.opening)
        for event in month.happened:
            whole, own = decider.evolve(whole, event), decider.evolve(own, event)
            assert decisive(own) == decisive(whole)


def test_a_month_prints_its_own_statement():
    life = history(4, 6)
    months = bank.by_month(life)
    assert bank.statements_alike(life, months) == 6
    opening = months[3].opening
    balance = next(n for n, event in enumerate(opening) if isinstance(event, BalanceBroughtForward))
    opening[balance] = replace(opening[balance], balance=opening[balance].balance + Money(1, "EUR"))
    assert bank.statements_alike(life, months) == 5, "a cent is noticed"


def test_a_month_that_is_still_open_is_left_out():
    life = history(4, 3)
    assert isinstance(life[-1], PeriodClosed)
    assert [str(month.stream) for month in bank.by_month(life[:-1])] == ["account-ana-2026-01", "account-ana-2026-02"]


def test_loads_grow_in_one_stream_and_not_in_months():
    life = history(4, 24)
    read = bank.loads(bank.by_month(life))
    long, short = (
        list(read.loc[read["kept as"] == way, "events read"]) for way in ("one long stream", "a stream per month")
    )
    assert long == sorted(long)
    assert long[-1] == len(life)
    assert max(short) < 150
    assert f"{len(life):,} in the last; with a stream per month never more than {max(short)}" in bank.picture(read).alt


def test_cost_reads_what_is_there():
    life = history(4, 3)
    store, months = MemoryEventStore(), bank.by_month(life)
    store.append(ANA, [NewEvent(event) for event in life])
    store.append(months[-1].stream, [NewEvent(event) for event in months[-1].events])
    table = bank.cost(store, [ANA, months[-1].stream])
    assert list(table["events read"]) == [len(life), len(months[-1].events)]
    assert table["balance"].nunique() == 1
    assert (table["ms"] > 0).all()
