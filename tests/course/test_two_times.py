"""The bank of lesson 05: three ways of keeping one account, and what each of them can say."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError

from eventlab.course.two_times import (
    ANA,
    CREDIT,
    MARCH,
    OVERDRAFT,
    SENT,
    Bank,
    Sheet,
    evenings,
    late,
    pairs,
    questions,
    score,
)
from eventlab.domain.account import Booking, decider
from eventlab.domain.interest import interest
from eventlab.domain.reissue import reissue
from eventlab.domain.statements import statement
from eventlab.history import as_believed, on_record

BANK = Bank()
EVENTS = [recorded.event for recorded in BANK.events]
MONDAY, TUESDAY = datetime(2026, 3, 2, 20, tzinfo=UTC), datetime(2026, 3, 3, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def scored():
    return score(BANK)


def test_the_letter_was_right_when_it_was_written_and_wrong():
    def balance(known_at):
        return as_believed(BANK.store, decider, ANA, time=MONDAY, known_at=known_at).balance.minor

    assert balance(TUESDAY) < 0 < balance(TUESDAY + timedelta(days=3))


def test_every_time_the_bank_was_told_of_is_that_of_the_events():
    told = [recorded.recorded_time for recorded in BANK.events]
    assert told == sorted(told)
    for recorded in BANK.events:
        if isinstance(recorded.event, Booking):
            assert recorded.event.on == recorded.recorded_time.date()
            assert (recorded.event.value_date or recorded.event.on) == recorded.valid_time.date()


def test_all_ways_agree_on_the_balance_of_today():
    now = BANK.events[-1].recorded_time
    assert len(set(BANK.believed([(now, now)])[0].values())) == 1


def test_every_evening_is_asked_about_itself_and_those_before():
    days = len(evenings())
    assert len(pairs()) == days * (days + 1) // 2
    assert evenings()[0].isoformat() == "2026-03-01T20:00:00+00:00"
    assert evenings()[-1].date() == BANK.events[-1].recorded_time.date()


def test_the_audit_table_answers_less_than_half_and_both_bitemporal_ways_everything(scored):
    right, asked = scored["answered right"], scored["questions"]
    assert (right.filter(like="audit") < asked.filter(like="audit") / 2).all()
    assert right["the row"] < right.filter(like="audit").min()
    assert right["audit, at the time in question"] == right.filter(like="audit").max(), "the lesson says so"
    assert right["events"] == right["bitemporal table"] == len(pairs())


def test_late_events_are_those_with_two_times_apart():
    table = late(BANK.events)
    apart = [str(recorded.event) for recorded in BANK.events if recorded.valid_time != recorded.recorded_time]
    assert list(table["event"]) == apart
    assert table["days late"].max() > 30
    assert table["event"].str.len().max() < 50, "a data frame cuts what is longer"


def test_no_line_on_paper_is_still_right_and_none_is_gone():
    sent = statement(on_record(BANK.store, ANA, SENT), *MARCH, "value")
    now = statement(EVENTS, *MARCH, "value")
    sheet = Sheet(reissue(sent, now))
    assert sheet.still_right == 0
    assert {line.change for line in sheet.reissued.lines} == {"balance", "new"}
    assert Sheet(reissue(now, now)).still_right == len(now.lines)
    page = sheet._repr_html_()
    assert "Restaurant Fischmarkt" in page
    assert "Closing balance" in page
    assert len(sheet.rows) == len(now.lines) + 2


def test_the_last_event_books_the_difference_of_the_interest():
    before, after = (
        interest(on_record(BANK.store, ANA, known_at), *MARCH, CREDIT, OVERDRAFT)
        for known_at in (SENT, BANK.events[-1].recorded_time)
    )
    assert EVENTS[-1].amount == after.net - before.net
    assert before.overdraft.minor > 0 == after.overdraft.minor


def test_the_bitemporal_table_pays_when_it_is_written():
    assert len(BANK.rows_written) == sum(isinstance(event, Booking) for event in EVENTS)
    assert max(BANK.rows_written) > 20
    rows = BANK.bitemporal()
    assert (rows["recorded_to"] == "9999-12-31 00:00").sum() < len(rows) / 2


def test_the_questions_say_what_each_way_cannot():
    table = questions(BANK)
    cannot = (table == "–").sum()
    assert (cannot["row"], cannot["audit table"], cannot["bitemporal table"], cannot["events"]) == (6, 5, 2, 0)
    assert (table["bitemporal table"] == table["events"])[table["bitemporal table"] != "–"].all()


def test_a_query_may_use_either_time_and_its_mistakes_are_the_databases():
    assert BANK.ask("SELECT count(*) FROM bitemporal_accounts", MONDAY, TUESDAY) == [(1,)]
    query = "SELECT count(*) FROM bitemporal_balances WHERE recorded_from <= :known_at"
    assert BANK.ask(query, MONDAY, MONDAY) < BANK.ask(query, MONDAY, TUESDAY)
    with pytest.raises(OperationalError, match="no such table"):
        BANK.ask("SELECT * FROM balances", MONDAY, TUESDAY)
