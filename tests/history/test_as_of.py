from datetime import date, datetime, timedelta, timezone
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlab.domain import account, cart
from eventlab.domain.decider import Decider
from eventlab.events.envelope import NewEvent, Position, StreamId
from eventlab.history import as_of
from eventlab.history.moments import instant
from eventlab.store import MemoryEventStore

from .stories import ACCOUNT, ANA, CART, CASES, MOMENTS, START, Story, at, eur, store_of


@given(CASES, st.data())
def test_as_of_version_n_is_the_fold_of_the_first_n(
    case: tuple[Decider[Any, Any, Any], StreamId, Story], data: st.DataObject
) -> None:
    decider, stream, story = case
    version = data.draw(st.integers(0, len(story)))
    assert as_of(store_of(stream, story), decider, stream, version=version) == decider.fold(
        event for event, _, _ in story[:version]
    )


@given(CASES, MOMENTS)
def test_as_of_a_time_is_the_fold_of_what_had_happened_or_been_recorded(
    case: tuple[Decider[Any, Any, Any], StreamId, Story], moment: datetime
) -> None:
    decider, stream, story = case
    store = store_of(stream, story)
    assert as_of(store, decider, stream, time=moment) == decider.fold(e for e, valid, _ in story if valid <= moment)
    assert as_of(store, decider, stream, time=moment, axis="recorded") == decider.fold(
        e for e, _, recorded in story if recorded <= moment
    )


@given(CASES, st.integers(1, 4), st.data())
def test_as_of_a_position_is_the_fold_of_what_stands_up_to_it(
    case: tuple[Decider[Any, Any, Any], StreamId, Story], others: int, data: st.DataObject
) -> None:
    decider, stream, story = case
    store = MemoryEventStore(clock=lambda: START)
    for event, valid, _ in story:
        store.append(stream, [NewEvent(event, valid_time=valid)])
        store.append(StreamId("other", "1"), [NewEvent(event) for _ in range(others)])
    position = data.draw(st.integers(0, store.head()))
    first = [r.event for r in store.read_all(until=Position(position)) if r.stream == stream]
    assert as_of(store, decider, stream, position=position) == decider.fold(first)


def test_what_was_on_the_account_and_what_the_app_showed() -> None:
    store = store_of(ACCOUNT, ANA)
    evening = at(18)
    assert as_of(store, account.decider, ACCOUNT, time=evening).balance == eur("242.40")
    assert as_of(store, account.decider, ACCOUNT, time=evening, axis="recorded").balance == eur("212.40")


def test_the_moment_itself_is_included_and_zones_are_one_time() -> None:
    store = store_of(ACCOUNT, ANA)
    berlin = timezone(timedelta(hours=1))
    for moment in (at(17), "2026-03-03T17:00Z", datetime(2026, 3, 3, 18, tzinfo=berlin), "2026-03-03T18:00+01:00"):
        state = as_of(store, account.decider, ACCOUNT, time=moment, axis="recorded")
        assert state.balance == eur("212.40")
    just_before = at(17) - timedelta(microseconds=1)
    assert as_of(store, account.decider, ACCOUNT, time=just_before, axis="recorded").balance == eur("224.80")


def test_between_two_events_of_one_time_lies_no_time_but_a_version() -> None:
    story: Story = [(cart.CartCreated("ana", "EUR"), at(9), at(9))]
    story += [(cart.ItemAdded("hat", 1, eur("9")), at(10), at(10)), (cart.ItemRemoved("hat", 1), at(10), at(10))]
    store = store_of(CART, story)
    assert as_of(store, cart.decider, CART, time=at(10)).lines == {}
    assert as_of(store, cart.decider, CART, version=2).quantity("hat") == 1


def test_before_the_first_event_there_is_the_initial_state() -> None:
    store = store_of(ACCOUNT, ANA)
    assert as_of(store, account.decider, ACCOUNT, version=0) == account.decider.initial
    assert as_of(store, account.decider, ACCOUNT, position=0) == account.decider.initial


def test_a_number_may_come_out_of_a_data_frame() -> None:
    store = store_of(ACCOUNT, ANA)
    two = numpy.int64(2)
    for when in ({"version": two}, {"position": two}):
        assert as_of(store, account.decider, ACCOUNT, **when) == as_of(store, account.decider, ACCOUNT, version=2)


@pytest.mark.parametrize(
    "moment", ["2026-03-03T18:00 Europe/Berlin", "2026-03-03T18:00[Europe/Berlin]", "2026-03-03 17:00 UTC"]
)
def test_a_zone_may_be_named(moment: str) -> None:
    assert instant(moment) == at(17)


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({"version": 6}, "there is no version 6: account-ana ends at version 5"),
        ({"version": -1}, "there is no version -1: versions begin at 1"),
        ({"time": datetime(2026, 3, 3, 18)}, "has no time zone, so it is not one moment"),  # noqa: DTZ001
        ({"time": "2026-03-03T18:00"}, r"add one: 2026-03-03T18:00:00\+00:00 is UTC"),
        ({"time": "last Tuesday"}, "'last Tuesday' is not a time; write it as 2026-03-03T18:00"),
        ({"time": date(2026, 3, 3)}, "2026-03-03 is a whole day; give one moment"),
        ({"time": 12.5}, r"12\.5 is no time but float"),
        ({"time": 3}, "3 is no time but int"),
        ({"version": at(18)}, "a version is a whole number, not datetime"),
        ({"version": "3"}, "a version is a whole number, not '3'"),
        ({"version": True}, "a version is a whole number, not True"),
        ({"position": "3"}, "a position is a whole number, not '3'"),
        ({"time": at(18), "axis": "system"}, "there is no time axis 'system': choose one of valid, recorded"),
        (
            {"time": at(8, day=1)},
            r"there was nothing at 2026-03-01 08:00:00\+00:00: account-ana begins at 2026-03-01 09",
        ),
        ({"time": "9999-01-01T00:00Z"}, "is in the future: what will have happened then, nobody knows yet"),
        ({"time": "9999-01-01T00:00Z", "axis": "recorded"}, "9999-01-01 00:00:00.* is in the future"),
        ({"time": "2026-03-03T18:00 Europe/Berln"}, "no time zone 'Europe/Berln': did you mean Europe/Berlin?"),
        ({"time": "2026-03-03T18:00 Europe"}, "there is no time zone 'Europe'"),
        ({"time": "2026-03-03T18:00 nowhere-at-all"}, "'nowhere-at-all': zones are written as Europe/Berlin"),
        ({"time": "2026-03-03T18:00+01:00[Europe/Berlin]"}, "has an offset and a zone; give one of them"),
        ({"time": "2026-10-25T02:30 Europe/Berlin"}, "is not one moment, because the clocks change there"),
        ({"time": "2026-03-29T02:30 Europe/Berlin"}, "is not one moment, because the clocks change there"),
        ({"position": 6}, "there is no position 6: the last event has position 5"),
        ({"position": -1}, "there is no position -1: positions begin at 1"),
        ({}, "either a version or a time or a position"),
        ({"version": 1, "time": at(18)}, "either a version or a time or a position"),
    ],
)
def test_a_moment_that_cannot_be_is_an_error_in_words(when: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        as_of(store_of(ACCOUNT, ANA), account.decider, ACCOUNT, **when)


@pytest.mark.parametrize("when", [{"version": 0}, {"version": 1}, {"time": at(18)}, {"position": 0}])
def test_a_stream_that_is_not_there_is_an_error(when: dict[str, Any]) -> None:
    with pytest.raises(LookupError, match="there is no stream cart-9"):
        as_of(store_of(CART, []), cart.decider, StreamId("cart", "9"), **when)


def test_travelling_changes_nothing() -> None:
    store = store_of(ACCOUNT, ANA)
    before = list(store.read_all())
    as_of(store, account.decider, ACCOUNT, version=2)
    assert list(store.read_all()) == before
