from datetime import datetime
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlab.domain import account, cart
from eventlab.domain.decider import Decider
from eventlab.events.envelope import StreamId
from eventlab.history import Axis, Change, as_of, diff

from .stories import ACCOUNT, ANA, CART, CASES, MOMENTS, Story, at, eur, store_of


@given(CASES, MOMENTS, MOMENTS, st.sampled_from(["valid", "recorded"]))
def test_the_difference_of_two_times_leads_from_one_state_to_the_other(
    case: tuple[Decider[Any, Any, Any], StreamId, Story], one: datetime, other: datetime, axis: Axis
) -> None:
    decider, stream, story = case
    a, b = sorted((one, other))
    store = store_of(stream, story)
    difference = diff(store, decider, stream, a, b, axis=axis)
    assert difference.before == as_of(store, decider, stream, time=a, axis=axis)
    assert difference.after == as_of(store, decider, stream, time=b, axis=axis)
    assert [r.event for r in difference.events] == [
        event for event, valid, recorded in story if a < (valid if axis == "valid" else recorded) <= b
    ]
    assert bool(difference.changes) == (difference.before != difference.after)


@given(CASES, st.data())
def test_the_difference_of_two_versions_holds_the_events_between(
    case: tuple[Decider[Any, Any, Any], StreamId, Story], data: st.DataObject
) -> None:
    decider, stream, story = case
    a, b = sorted((data.draw(st.integers(0, len(story))), data.draw(st.integers(0, len(story)))))
    difference = diff(store_of(stream, story), decider, stream, a, b)
    assert [recorded.version for recorded in difference.events] == list(range(a + 1, b + 1))
    assert difference.after == decider.fold((r.event for r in difference.events), difference.before)


def test_versions_may_come_out_of_a_data_frame() -> None:
    store = store_of(ACCOUNT, ANA)
    one, two = numpy.arange(1, 3)
    assert diff(store, account.decider, ACCOUNT, one, two) == diff(store, account.decider, ACCOUNT, 1, 2)
    with pytest.raises(ValueError, match="a version is a whole number, not True"):
        diff(store, account.decider, ACCOUNT, 0, True)


def test_ana_sees_the_payment_and_its_correction() -> None:
    difference = diff(store_of(ACCOUNT, ANA), account.decider, ACCOUNT, "2026-03-03T00:00Z", "2026-03-05T00:00Z")
    assert [str(recorded.event) for recorded in difference.events] == [
        "withdrew 12.40 EUR: Baker",
        "corrected by 12.40 EUR: not hers",
    ]
    assert difference.before.balance == difference.after.balance == eur("254.80")


def test_a_difference_may_begin_before_the_first_event() -> None:
    difference = diff(store_of(ACCOUNT, ANA), account.decider, ACCOUNT, at(1, day=1), at(9, day=1))
    assert difference.before == account.decider.initial
    assert difference.after.owner == "ana"


def test_a_difference_says_itself_in_words() -> None:
    story: Story = [(event, at(9), at(9)) for event in (
        cart.CartCreated("ana", "EUR"),
        cart.ItemAdded("trousers", 3, eur("40")),
        cart.ItemAdded("hat", 1, eur("9")),
        cart.ItemRemoved("trousers", 2),
        cart.ItemRemoved("hat", 1),
    )]  # fmt: skip
    store = store_of(CART, story)
    assert str(diff(store, cart.decider, CART, 0, 2)).splitlines() == [
        "version 1: ana began a cart in EUR",
        "version 2: added 3 trousers at 40.00 EUR",
        "status: none → open",
        "customer: nothing → ana",
        "currency: nothing → EUR",
        "lines · trousers: nothing → 3 × 40.00 EUR",
        "total: 0.00 → 120.00 EUR",
    ]
    difference = diff(store, cart.decider, CART, 3, 5)
    assert str(difference).splitlines()[2:] == [
        "lines · trousers: 3 × 40.00 EUR → 1 × 40.00 EUR",
        "lines · hat: 1 × 9.00 EUR → nothing",
        "total: 129.00 EUR → 40.00 EUR",
    ]
    assert difference.changes[-1] == Change("total", eur("129"), eur("40"))
    assert str(diff(store, cart.decider, CART, 3, 3)) == "nothing happened"


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (3, 2, "3 is after 2: give the earlier moment first"),
        (at(18), "2026-03-03T17:59Z", "is after 2026-03-03T17:59Z: give the earlier moment first"),
        (1, at(18), "give two versions or two times"),
        (at(18), 1, "give two versions or two times"),
        (1, 6, "there is no version 6"),
        (-1, 2, "there is no version -1"),
        ("2026-03-03T17:00", at(18), "has no time zone"),
        (at(1, day=1), at(2, day=1), "there was nothing at 2026-03-01 02:00"),
        (at(18), "9999-01-01T00:00Z", "is in the future"),
    ],
)
def test_two_moments_that_cannot_be_compared_are_an_error(a: Any, b: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        diff(store_of(ACCOUNT, ANA), account.decider, ACCOUNT, a, b)


@pytest.mark.parametrize("b", [0, 1])
def test_a_stream_that_is_not_there_is_an_error(b: int) -> None:
    with pytest.raises(LookupError, match="there is no stream cart-9"):
        diff(store_of(CART, []), cart.decider, StreamId("cart", "9"), 0, b)


def test_any_decider_has_a_history() -> None:
    """A learner's own decider may keep a plain number; another may begin with None."""
    counter: Decider[int, object, object] = Decider(0, lambda _command, _state: [], lambda state, _event: state + 1)
    latest: Decider[object, object, object] = Decider(None, lambda _command, _state: [], lambda _state, event: event)
    store = store_of(ACCOUNT, ANA)
    assert str(diff(store, counter, ACCOUNT, 1, 3).changes[0]) == "state: 1 → 3"
    assert diff(store, latest, ACCOUNT, 0, 1).changes == (Change("state", None, ANA[0][0]),)
