"""What surrounds an event comes back as it went in, in every store."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest

from eventlab.domain.account import AccountOpened
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.store import EventStore

from .backends import Backend
from .samples import CART, FEW_AND_MANY, added

NOW = datetime(2026, 3, 3, 17, 59, 59, 123456, tzinfo=UTC)


def test_the_event_its_type_and_its_id_come_back(store: EventStore) -> None:
    new = added(3)
    store.append(CART, [new])
    [recorded] = store.read(CART)
    assert (recorded.stream, recorded.event, recorded.id) == (CART, new.event, new.id)
    assert (recorded.type, recorded.schema_version) == ("ItemAdded", 1)


def test_the_recorded_time_is_the_clocks_and_the_valid_time_too_unless_given(backend: Backend) -> None:
    store = backend.open(clock=lambda: NOW)
    earlier = datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC)
    store.append(CART, [added(1), NewEvent(added(2).event, valid_time=earlier)])
    without, given = store.read(CART)
    assert (without.recorded_time, without.valid_time) == (NOW, NOW)
    assert (given.recorded_time, given.valid_time) == (NOW, earlier)


@pytest.mark.parametrize("many", FEW_AND_MANY)
def test_every_letter_and_all_that_surrounds_an_event_come_back(store: EventStore, many: int) -> None:
    text = 'a tab\t, a line\n\r, "quotes", a backslash \\ and \\n, \\N, \\., null, {}, a snowman \N{SNOWMAN}'
    stream = StreamId("cart", text)
    new = [
        NewEvent(added(n, text).event, valid_time=NOW - timedelta(seconds=n), causation=uuid4(), correlation=uuid4(),
                 metadata={text: text, "n": str(n)})
        for n in range(many)
    ]  # fmt: skip
    store.append(stream, new)
    assert [
        NewEvent(each.event, each.id, each.valid_time, each.causation, each.correlation, each.metadata)
        for each in store.read(stream)
    ] == new
    assert {each.stream for each in store.read(stream)} == {stream}


@pytest.mark.parametrize("hours", [-11, 0, 5.5, 14])
def test_times_are_utc_with_their_zone_whatever_came_in(backend: Backend, hours: float) -> None:
    there = NOW.astimezone(timezone(timedelta(hours=hours)))
    store = backend.open(clock=lambda: there)
    store.append(CART, [NewEvent(added(1).event, valid_time=there)])
    [recorded] = store.read(CART)
    for moment in (recorded.valid_time, recorded.recorded_time):
        assert moment == NOW
        assert moment.utcoffset() == timedelta(0)


def test_a_moment_far_from_now_keeps_its_microsecond(store: EventStore) -> None:
    moments = [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1, 1, 2, tzinfo=UTC),
        datetime(9999, 12, 30, 23, 59, 59, 999999, UTC),
    ]
    store.append(CART, [NewEvent(added(1).event, valid_time=moment) for moment in moments])
    assert [recorded.valid_time for recorded in store.read(CART)] == moments


def test_the_default_clock_tells_the_time(store: EventStore) -> None:
    before = datetime.now(UTC)
    store.append(CART, [added(1)])
    [recorded] = store.read(CART)
    assert before <= recorded.recorded_time <= datetime.now(UTC)


def test_causation_correlation_and_metadata_come_back(store: EventStore) -> None:
    cause, conversation = uuid4(), uuid4()
    metadata = {"user": "Ana", "reason": "ä \"quoted\" 'text' 🧺"}
    store.append(
        CART, [NewEvent(added(1).event, causation=cause, correlation=conversation, metadata=metadata), added(2)]
    )
    full, bare = store.read(CART)
    assert (full.causation, full.correlation, full.metadata) == (cause, conversation, metadata)
    assert (bare.causation, bare.correlation, bare.metadata) == (None, None, {})


@pytest.mark.parametrize(
    "owner", ["", "Ana", 'O\'Hara \\ "x"', "ß 漢字 🧺 ـ", "\u2028\x7f\x01", "%s :name $1 ?", "\\u0000"]
)
def test_text_comes_back_to_the_letter(store: EventStore, owner: str) -> None:
    opened = AccountOpened(owner, "EUR", Money(2**70, "EUR"), NOW.date())
    store.append(StreamId("account", "1"), [NewEvent(opened)])
    [recorded] = store.read(StreamId("account", "1"))
    assert recorded.event == opened
