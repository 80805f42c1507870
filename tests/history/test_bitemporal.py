"""Both times at once: what was believed when, about when; what was learned in between; days and their ends."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlab.domain import account, cart
from eventlab.domain.decider import Decider
from eventlab.events.envelope import StreamId
from eventlab.history import as_believed, as_of, bitemporal, learned, on_record
from eventlab.history.bitemporal import MOST_MOMENTS
from eventlab.history.moments import Moment

from .stories import ACCOUNT, ANA, CART, CASES, START, Story, at, eur, store_of

HOURS = st.integers(0, 21).map(lambda hours: START + timedelta(hours=hours))
MINUTES = st.integers(0, 13).map(lambda minutes: START + timedelta(minutes=minutes))
Case = tuple[Decider[Any, Any, Any], StreamId, Story]


def by_hand(decider: Decider[Any, Any, Any], story: Story, time: datetime, known_at: datetime) -> object:
    """The log, filtered by both of its times and folded."""
    return decider.fold(event for event, valid, recorded in story if valid <= time and recorded <= known_at)


def shuffled(case: Case, data: st.DataObject) -> Case:
    """The case as it would be if clocks went back between appends."""
    decider, stream, story = case
    times = data.draw(st.permutations([recorded for _, _, recorded in story]))
    return decider, stream, [(event, valid, time) for (event, valid, _), time in zip(story, times, strict=True)]


@given(CASES, HOURS, MINUTES, st.data())
def test_what_was_believed_is_the_log_filtered_by_both_times(
    case: Case, time: datetime, known_at: datetime, data: st.DataObject
) -> None:
    for decider, stream, story in (case, shuffled(case, data)):
        believed = as_believed(store_of(stream, story), decider, stream, time=time, known_at=known_at)
        assert believed == by_hand(decider, story, time, known_at)


@given(CASES, HOURS, st.data())
def test_known_at_a_version_is_what_the_first_events_say(case: Case, time: datetime, data: st.DataObject) -> None:
    decider, stream, story = case
    version = data.draw(st.integers(0, len(story)))
    believed = as_believed(store_of(stream, story), decider, stream, time=time, known_at=version)
    assert believed == decider.fold(event for event, valid, _ in story[:version] if valid <= time)


@given(CASES, HOURS)
def test_known_at_the_end_is_the_valid_axis_alone(case: Case, time: datetime) -> None:
    decider, stream, story = case
    store = store_of(stream, story)
    assert as_believed(store, decider, stream, time=time, known_at=story[-1][2]) == as_of(
        store, decider, stream, time=time
    )


@given(CASES, HOURS, MINUTES, st.data())
def test_the_picture_of_both_times_is_what_as_of_says_at_every_point(
    case: Case, time: datetime, known_at: datetime, data: st.DataObject
) -> None:
    for decider, stream, story in (case, shuffled(case, data)):
        both = bitemporal(store_of(stream, story), decider, stream)
        assert (len(both.states), {len(row) for row in both.states}) == (len(both.recorded), {len(both.valid)})
        assert both.at(time, known_at) == by_hand(decider, story, time, known_at)


@given(CASES, st.data())
def test_a_part_of_the_picture_is_cut_out_of_the_whole(case: Case, data: st.DataObject) -> None:
    decider, stream, story = case
    since, until = sorted(data.draw(st.sampled_from([valid for _, valid, _ in story])) for _ in range(2))
    both = bitemporal(store_of(stream, story), decider, stream, since, until)
    assert both.valid == tuple(sorted({valid for _, valid, _ in story if since <= valid <= until}))
    for r, known_at in enumerate(both.recorded):
        assert both.states[r] == tuple(by_hand(decider, story, time, known_at) for time in both.valid)
    learned = {recorded for _, valid, recorded in story if since <= valid <= until}
    assert learned <= set(both.recorded), "nothing about that time is missed"


def test_what_we_believed_on_tuesday_about_monday() -> None:
    store = store_of(ACCOUNT, ANA)
    monday, tuesday, thursday = at(23, day=2), at(23, day=3), at(23, day=5)
    assert as_believed(store, account.decider, ACCOUNT, time=monday, known_at=tuesday).balance == eur("224.80")
    assert as_believed(store, account.decider, ACCOUNT, time=monday, known_at=thursday).balance == eur("254.80")
    new = learned(store, account.decider, ACCOUNT, tuesday, thursday, about=monday)
    assert [str(recorded.event) for recorded in new.events] == ["deposited 30.00 EUR: Cash"]
    assert list(map(str, new.changes)) == [
        "balance: 224.80 EUR → 254.80 EUR",
        "booked until: 2026-03-02 → 2026-03-05",
        "available: 324.80 EUR → 354.80 EUR",
    ]
    assert [event.version for event in bitemporal(store, account.decider, ACCOUNT).late] == [5]


@given(CASES, MINUTES)
def test_what_was_on_record_is_the_log_up_to_then(case: Case, known_at: datetime) -> None:
    _, stream, story = case
    expected = [event for event, _, recorded in story if recorded <= known_at]
    assert on_record(store_of(stream, story), stream, known_at) == expected


def test_what_will_be_on_record_nobody_knows() -> None:
    with pytest.raises(ValueError, match="is in the future"):
        on_record(store_of(ACCOUNT, ANA), ACCOUNT, FUTURE)


@given(CASES, MINUTES, MINUTES, HOURS)
def test_what_was_learned_about_a_time_leads_from_one_belief_to_the_other(
    case: Case, one: datetime, other: datetime, about: datetime
) -> None:
    decider, stream, story = case
    a, b = sorted((one, other))
    new = learned(store_of(stream, story), decider, stream, a, b, about=about)
    assert [r.event for r in new.events] == [
        event for event, valid, recorded in story if a < recorded <= b and valid <= about
    ]
    assert new.before == by_hand(decider, story, about, a)
    assert new.after == by_hand(decider, story, about, b)
    assert bool(new.changes) == (new.before != new.after)


def test_nothing_is_learned_backwards() -> None:
    with pytest.raises(ValueError, match=r"at 5 more was known about .* than at 2: give the earlier moment first"):
        learned(store_of(ACCOUNT, ANA), account.decider, ACCOUNT, 5, 2, about=at(9, day=3))


def test_what_has_not_happened_yet_can_be_expected() -> None:
    """A standing order of next year is on record today."""
    far = datetime.now(UTC) + timedelta(days=365)
    story: Story = [*ANA, (account.TransferSent(eur("10"), far.date(), "Ben"), far, at(9, day=6))]
    store = store_of(ACCOUNT, story)
    assert as_of(store, account.decider, ACCOUNT, time=far).balance == eur("244.80")
    assert as_believed(store, account.decider, ACCOUNT, time=far, known_at=at(8, day=6)).balance == eur("254.80")


def test_a_clock_ahead_of_ours_may_have_recorded_in_our_future() -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    story: Story = [*ANA, (account.Deposited(eur("5"), ahead.date()), at(9, day=6), ahead)]
    assert as_believed(store_of(ACCOUNT, story), account.decider, ACCOUNT, time=ahead, known_at=ahead).balance == eur(
        "259.80"
    )


FUTURE = datetime.now(UTC) + timedelta(days=3650)


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({"time": at(18), "known_at": FUTURE}, "is in the future"),
        ({"time": FUTURE, "known_at": at(18)}, "is in the future"),
        ({"time": at(18), "known_at": at(8, day=1)}, "there was nothing at 2026-03-01 08:00.*: account-ana begins at"),
        ({"time": at(8, day=1), "known_at": at(18)}, "there was nothing at 2026-03-01 08:00.*: account-ana begins at"),
        ({"time": at(18), "known_at": datetime(2026, 3, 3, 18)}, "has no time zone"),  # noqa: DTZ001
        ({"time": datetime(2026, 3, 3, 18), "known_at": at(18)}, "has no time zone"),  # noqa: DTZ001
        ({"time": at(18), "known_at": "2026-03-03T18:00 Europe/Nowhere"}, "there is no time zone 'Europe/Nowhere'"),
        ({"time": "2026-03-03T18:00[CEST]", "known_at": at(18)}, "there is no time zone 'CEST'"),
        ({"time": 3, "known_at": at(18)}, "3 is no time but int"),
        ({"time": at(18), "known_at": "Tuesday"}, "'Tuesday' is not a time"),
        ({"time": at(18), "known_at": date(2026, 3, 3)}, "2026-03-03 is a whole day"),
        ({"time": at(18), "known_at": 6}, "there is no version 6: account-ana ends at version 5"),
    ],
)
def test_two_times_that_cannot_be_are_an_error_in_words(when: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        as_believed(store_of(ACCOUNT, ANA), account.decider, ACCOUNT, **when)


@pytest.mark.parametrize(
    ("since", "until", "message"),
    [
        ("2027-01-01T00:00Z", None, "nothing happened to account-ana from 2027-01-01T00:00Z to its end"),
        (None, "2020-01-01T00:00Z", "nothing happened to account-ana from its beginning to 2020"),
        ("2026-03-04T00:00", None, "has no time zone"),
        ("Monday", None, "'Monday' is not a time"),
    ],
)
def test_a_picture_of_nothing_is_an_error(since: str | None, until: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bitemporal(store_of(ACCOUNT, ANA), account.decider, ACCOUNT, since, until)


def test_a_moment_before_the_picture_is_an_error() -> None:
    both = bitemporal(store_of(ACCOUNT, ANA), account.decider, ACCOUNT)
    with pytest.raises(ValueError, match="is before 2026-03-01 09:00:00"):
        both.at(at(8, day=1), at(9, day=5))
    with pytest.raises(ValueError, match="is before 2026-03-01 09:00:00"):
        both.at(at(9, day=5), at(8, day=1))


def test_a_picture_says_nothing_about_the_future() -> None:
    both = bitemporal(store_of(ACCOUNT, ANA), account.decider, ACCOUNT)
    for time, known_at in ((FUTURE, at(9, day=5)), (at(9, day=5), FUTURE)):
        with pytest.raises(ValueError, match="is in the future: what will have happened then, nobody knows yet"):
            both.at(time, known_at)


def test_a_picture_shows_what_is_expected() -> None:
    """As far as an order of next year that is on record today."""
    far = datetime.now(UTC) + timedelta(days=365)
    story: Story = [*ANA, (account.TransferSent(eur("10"), far.date(), "Ben"), far, at(9, day=6))]
    assert bitemporal(store_of(ACCOUNT, story), account.decider, ACCOUNT).at(far, at(9, day=6)).balance == eur("244.80")


@pytest.mark.parametrize("known_at", [0, 1, at(9)])
def test_what_was_on_record_of_a_stream_that_is_not_there_is_an_error(known_at: Moment) -> None:
    with pytest.raises(LookupError, match="there is no stream cart-9"):
        on_record(store_of(CART, []), StreamId("cart", "9"), known_at)


def test_a_stream_that_is_not_there_is_an_error() -> None:
    with pytest.raises(LookupError, match="there is no stream cart-9"):
        bitemporal(store_of(CART, []), cart.decider, StreamId("cart", "9"))


def test_a_long_history_asks_for_a_part_of_it() -> None:
    minutes = [at(9) + timedelta(minutes=n) for n in range(MOST_MOMENTS + 1)]
    story: Story = [(account.Deposited(eur("1"), date(2026, 3, 3)), minute, minute) for minute in minutes]
    store = store_of(ACCOUNT, story)
    with pytest.raises(ValueError, match="account-ana has 201 valid times there, more than 200: give since="):
        bitemporal(store, account.decider, ACCOUNT)
    part = bitemporal(store, account.decider, ACCOUNT, since=minutes[1])
    assert part.at(minutes[-1], minutes[-1]).balance == eur("201")
