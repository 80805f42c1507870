from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlab.domain import account, cart
from eventlab.domain.decider import Decider
from eventlab.events.envelope import StreamId
from eventlab.history import as_of

from .stories import ACCOUNT, ANA, CART, CASES, MOMENTS, Story, at, eur, store_of


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
    assert as_of(store, account.decider, ACCOUNT, time=datetime(1999, 1, 1, tzinfo=UTC)) == account.decider.initial


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
        ({"time": at(18), "axis": "system"}, "there is no time axis 'system': choose one of valid, recorded"),
        ({}, "either a version or a time"),
        ({"version": 1, "time": at(18)}, "either a version or a time"),
    ],
)
def test_a_moment_that_cannot_be_is_an_error_in_words(when: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        as_of(store_of(ACCOUNT, ANA), account.decider, ACCOUNT, **when)


@pytest.mark.parametrize("when", [{"version": 1}, {"time": at(18)}])
def test_a_stream_that_is_not_there_is_an_error(when: dict[str, Any]) -> None:
    with pytest.raises(LookupError, match="there is no stream cart-9"):
        as_of(store_of(CART, []), cart.decider, StreamId("cart", "9"), **when)


def test_travelling_changes_nothing() -> None:
    store = store_of(ACCOUNT, ANA)
    before = list(store.read_all())
    as_of(store, account.decider, ACCOUNT, version=2)
    assert list(store.read_all()) == before
