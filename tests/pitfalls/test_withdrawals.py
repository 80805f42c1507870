from datetime import UTC, datetime
from uuid import uuid4

import pytest

from eventlab.domain.account import Account, Withdrawn
from eventlab.domain.money import Money
from eventlab.events.envelope import Position, Recorded, StreamId, Version
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.systems.no_expected_version import PITFALL
from eventlab.pitfalls.withdrawals import (
    ACCOUNTS,
    LIMIT,
    OPENED,
    TODAY,
    Answer,
    account,
    fact,
    openings,
    record,
    result,
    wishes,
)

TELLERS = ("Ben", "Cleo")


@pytest.mark.parametrize("seed", range(20))
def test_every_account_can_bear_one_of_its_two_withdrawals_whichever_it_is_and_not_both(seed):
    opened = openings(seed)
    asked = wishes(opened, TELLERS, seed)
    assert [wish.teller for wish in asked] == [TELLERS[0]] * ACCOUNTS + [TELLERS[1]] * ACCOUNTS
    for stream, events in opened.items():
        assert len(events) == OPENED
        available = account(each.event for each in events).available
        first, second = (wish.amount for wish in asked if wish.stream == stream)
        assert max(first, second) < available < first + second


def test_the_workload_repeats_with_its_seed():
    def amounts(seed):
        return [wish.amount for wish in wishes(openings(seed), TELLERS, seed)]

    assert amounts(3) == amounts(3) != amounts(4)


def recorded(position, event, metadata):
    now = datetime.now(UTC)
    stream = StreamId("account", "1")
    return Recorded(stream, Version(7), Position(position), "Withdrawn", 1, event, uuid4(), now, now, metadata=metadata)


def test_a_record_has_the_version_that_its_writer_gave_it_where_it_gave_one():
    event = Withdrawn(Money(5_00, "EUR"), TODAY, "at Ben")
    claimed = record(0, recorded(9, event, {"version": "6", "teller": "Ben"}))
    assert (claimed.version, claimed.offset, claimed.fact) == (6, 8, fact(StreamId("account", "1"), 6, event, "Ben"))
    assert record(0, recorded(9, event, {})).version == 7


def test_the_result_knows_who_is_overdrawn_and_what_was_answered():
    opened = openings(7)
    stream, events = next(iter(opened.items()))
    first, second = (wish for wish in wishes(opened, TELLERS, 7) if wish.stream == stream)
    booked = [Withdrawn(wish.amount, TODAY) for wish in (first, second)]
    read = [recorded(at, each.event, {"version": str(at)}) for at, each in enumerate(events, start=1)]
    read += [recorded(5 + at, event, {"version": "6", "teller": str(at)}) for at, event in enumerate(booked, start=1)]
    sent = [Sent(fact(stream, 6, booked[0], "1"), "ok")]
    answers = [Answer(first, 5, LIMIT, "booked"), Answer(second, 5, LIMIT, "booked")]
    found = result(PITFALL, read, sent, answers)
    assert repr(found) == "1 of 1 accounts have two events of the same version"
    assert found.overdrawn == ["account-1"]
    assert isinstance(found.accounts["account-1"], Account)
    assert found.decisions()["wants"].tolist() == [str(first.amount), str(second.amount)]
    assert found.workload == [first, second]
    picture = found.picture()
    assert "Below the limit: 1 of 1." in picture.alt
    assert picture.table["verdict"].tolist() == ["overdrawn"]


def test_an_account_within_its_limit_is_not_overdrawn():
    events = next(iter(openings(7).values()))
    read = [recorded(at, each.event, {"version": str(at)}) for at, each in enumerate(events, start=1)]
    found = result(PITFALL, read, (), ())
    assert (found.count, found.overdrawn) == (0, [])
    assert found.balances()["verdict"].tolist() == ["within its limit"]
