"""The bank of lesson 09: what lies, what does not, and what a closed month knows."""

import pytest

from eventlab.course import long_lives
from eventlab.course.long_lives import ANA, FRIDAY, TUESDAY, BreakEven, Growth, Remembered
from eventlab.domain import account
from eventlab.store import SqlSnapshots, state


@pytest.fixture(scope="module")
def bank():
    bank = long_lives.Bank()
    yield bank
    bank.close()


def test_remembered_states_are_right_as_long_as_the_fold_stays(bank):
    remembered = Remembered()
    for _ in range(2):
        for stream in bank.streams:
            assert remembered.load(bank.store, FRIDAY, stream) == state(bank.store, FRIDAY, stream)
    assert 0 < len(remembered.rows) < long_lives.ACCOUNTS


def test_remembered_states_lie_about_a_new_question_and_go_on_lying(bank):
    remembered = Remembered()
    for stream in bank.streams:
        remembered.load(bank.store, FRIDAY, stream)
    wrong = long_lives.wrong_fees(bank, lambda stream: remembered.load(bank.store, TUESDAY, stream))
    assert set(wrong["account"]) == set(map(str, remembered.rows))
    assert (wrong["events"] >= 100).all()
    assert set(wrong["the app shows"]) == {"0.00 EUR"}


def test_snapshots_that_know_their_fold_do_not(bank):
    snapshots = SqlSnapshots(bank.store)
    for stream in bank.streams:
        snapshots.load(bank.store, FRIDAY, stream)
    assert snapshots.fold(FRIDAY) != snapshots.fold(TUESDAY)
    assert len(long_lives.wrong_fees(bank, lambda stream: snapshots.load(bank.store, TUESDAY, stream).state)) == 0
    assert snapshots.load(bank.store, TUESDAY, ANA).snapshot == len(bank.life)


def test_after_a_restore_only_the_row_knows_of_the_money(bank):
    told = long_lives.restored(bank)
    assert told.snapshots == told.events == state(bank.store, FRIDAY, ANA).balance
    assert str(told.remembered - told.events) == "500.00 EUR"
    assert "does not go so far" in told.trouble


def test_one_row_was_edited(bank):
    kept = long_lives.edited(bank)
    bad = [stream for stream in bank.streams if kept.verify(bank.store, account.decider, stream).trouble]
    assert len(bad) == 1
    assert "minor=900000" in kept.verify(bank.store, account.decider, bad[0]).trouble


def test_the_break_even_is_read_off_the_lines():
    told = BreakEven(tuple((events, 0.1 + events * 0.01, 0.5) for events in (10, 20, 40, 80)), write=3.0)
    assert told.events == 40
    assert told.paid_after(141) == "after 3 of its loads"
    assert told.paid_after(40) == "never"
    assert told.chart().alt == (
        "Time of a load against the length of the stream, from 10 events to 80. With all events: from 200 ms to "
        "900 ms. From a snapshot: from 500 ms to 500 ms. They cross at 40 events."
    )
    assert "stroke-dasharray" in told.chart().svg
    assert len(told.chart().table) == 8


def test_lines_that_do_not_cross_are_not_said_to():
    chart = BreakEven(tuple((events, 0.6 + events * 0.01, 0.5) for events in (10, 20)), write=3.0).chart()
    assert chart.alt.endswith("They do not cross.")
    assert "stroke-dasharray" not in chart.svg


def test_the_break_even_is_measured(bank):
    told = long_lives.break_even(bank)
    assert [events for events, _, _ in told.points] == list(long_lives._PROBES)
    assert told.write > 0


def test_growth_is_told_in_words():
    growth = Growth(((50, 0.001), (1000, 0.02)))
    assert growth.longest == 20
    assert growth.chart().alt == (
        "Time of a load against the length of the stream: from 1 ms for 50 events to 20 ms for 1,000; "
        "20 times the events take 20 times as long."
    )
    slower = Growth(((50, 0.001), (1000, 0.06)))
    assert "20 times the events take 60 times as long" in slower.chart().alt


def test_a_months_stream_knows_what_all_events_know_and_a_closing_does_not(bank):
    month = long_lives.close_every_month(bank)
    assert str(month) == "account-1-2035-12"
    table = long_lives.ways(bank, month)
    assert table["balance"].nunique() == 1
    available = table["available"]
    assert available["snapshot and tail"] == available["the month's own stream"] == available["all events"]
    assert available["since the last closing"] != available["all events"]
    assert (table["events read"].iloc[1:] < 120).all()
