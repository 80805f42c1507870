"""What cannot be stored or read is refused with an error that says what and where, the same in every store.

An append of which a part is wrong stores nothing of its other parts. Trouble of the database itself is in
``test_sql_trouble.py``.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy
from msgspec import Struct
from sqlalchemy import event

from eventlab.domain.cart import CartAbandoned
from eventlab.events.envelope import NewEvent, Position, StreamId, Version
from eventlab.events.errors import EventError
from eventlab.store import (
    Append,
    EventStore,
    MemoryEventStore,
    NoStream,
    SqlEventStore,
    StoreError,
    Unavailable,
    WrongExpectedVersion,
)

CART, OTHER = StreamId("cart", "17"), StreamId("cart", "4")
HUGE = 64_000_000
LONG = "".join(chr(ord("a") + number * number % 23) for number in range(10_000))
BEYOND = 2**70  # what no database holds as an integer


class Unheard(Struct, frozen=True):
    """An event that nobody registered."""


def abandoned(reason: str = "late", **envelope: Any) -> NewEvent:
    return NewEvent(CartAbandoned(reason), **envelope)


Open = Callable[..., EventStore]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def open_store(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Each store in turn, empty; with what its constructor takes."""
    opened: list[EventStore] = []
    url = None if request.param == "memory" else str(request.getfixturevalue(f"{request.param}_url"))

    def open_(**options: Any) -> EventStore:
        opened.append(MemoryEventStore(**options) if url is None else SqlEventStore(url, **options))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Open) -> EventStore:
    return open_store()


def test_an_event_of_64_megabytes_is_stored_with_its_companions(store: EventStore) -> None:
    store.append(CART, [abandoned("before"), abandoned("x" * HUGE), abandoned("after")])
    assert [len(event.reason) for event in store.load(CART)[0]] == [6, HUGE, 5]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        pytest.param(Append(OTHER, []), "empty", id="nothing"),
        pytest.param(Append(OTHER, [NewEvent(Unheard())]), "Unheard", id="unknown type"),
        pytest.param(Append(OTHER, [abandoned("a\0b")]), "NUL", id="NUL in a text"),
        pytest.param(Append(OTHER, [abandoned("\ud800")]), "surrogate", id="half a letter in a text"),
        pytest.param(Append(StreamId("cart", "a\0b"), [abandoned()]), "stream.*NUL", id="NUL in a stream"),
        pytest.param(Append(StreamId("cart", "\ud800"), [abandoned()]), "stream.*surrogate", id="half a letter"),
        pytest.param(Append(StreamId("cart", LONG), [abandoned()]), "stream.*long", id="long stream"),
        pytest.param(Append(OTHER, [abandoned(metadata={"user": "\ud800"})]), "metadata.*surrogate", id="metadata"),
        pytest.param(
            Append(OTHER, [abandoned(valid_time=datetime.min.replace(tzinfo=timezone(timedelta(hours=2))))]),
            "0001-01-01",
            id="before the first year",
        ),
        pytest.param(
            Append(OTHER, [abandoned(valid_time=datetime.max.replace(tzinfo=timezone(-timedelta(hours=2))))]),
            "9999-12-31",
            id="after the last year",
        ),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_whole_append(store: EventStore, bad: Append, says: str) -> None:
    with pytest.raises((ValueError, EventError), match=says):
        store.append_all([Append(CART, [abandoned()]), bad])
    assert list(store.read_all()) == []
    assert store.load(CART) == ([], 0)


MISTAKEN: dict[str, tuple[Callable[[EventStore], object], str]] = {
    "a stream's name": (lambda store: store.append("cart-17", [abandoned()]), "a stream is a StreamId, not 'cart-17'"),
    "a name that is none": (lambda store: store.append("17", [abandoned()]), "a stream is a StreamId, not '17'"),
    "nothing expected": (lambda store: store.append(CART, [abandoned()], None), "expected is a Version.* not None"),
    "a truth": (lambda store: store.append(CART, [abandoned()], True), "expected is a Version.* not True"),
    "a fraction": (lambda store: store.append(CART, [abandoned()], 0.5), "expected is a Version.* not 0.5"),
    "an event alone": (
        lambda store: store.append(CART, abandoned()),
        "the events for cart-17 are a list, not NewEvent",
    ),
    "a generator": (lambda store: store.append(CART, (abandoned() for _ in "12")), "are a list, not <generator"),
    "a bare event": (lambda store: store.append(CART, [CartAbandoned("late")]), "NewEvents, not CartAbandoned"),
    "appends to come": (lambda store: store.append_all(Append(CART, [abandoned()]) for _ in "1"), "are a list"),
    "reading a name": (lambda store: store.read("cart-17"), "a stream is a StreamId, not 'cart-17'"),
    "a day": (lambda store: store.read_all(since="2026-11-23"), "a time is a datetime with a zone, not '2026-11-23'"),
}


@pytest.mark.parametrize("mistake", MISTAKEN)
def test_what_is_of_another_type_is_refused_the_same_in_every_store(store: EventStore, mistake: str) -> None:
    call, says = MISTAKEN[mistake]
    with pytest.raises(TypeError, match=says):
        call(store)
    assert list(store.read_all()) == []
    assert store.append(CART, [abandoned()], NoStream).versions == (1,)


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"id": "seventeen"}, "the id of an event is a UUID, not 'seventeen'"),
        ({"id": None}, "the id of an event is a UUID, not None"),
        ({"causation": "seventeen"}, "the causation of an event is a UUID, not 'seventeen'"),
        ({"correlation": 17}, "the correlation of an event is a UUID, not 17"),
        ({"valid_time": "2026-11-23"}, "the valid time of an event is a datetime, not '2026-11-23'"),
        ({"metadata": None}, "the metadata of an event are text by text.*, not None"),
        ({"metadata": ["ana"]}, "the metadata of an event are text by text.*, not \\['ana'\\]"),
    ],
)
def test_an_envelope_with_parts_of_another_type_is_refused(part: dict[str, Any], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        abandoned(**part)


def test_a_type_is_asked_for_by_its_class(store: EventStore) -> None:
    with pytest.raises(EventError, match="'CartAbandoned' is not registered"):
        store.read_all(types=["CartAbandoned"])


def test_a_naive_valid_time_is_refused() -> None:
    with pytest.raises(ValueError, match="2026-11-23 12:00:00 has no time zone"):
        abandoned(valid_time=datetime(2026, 11, 23, 12))  # noqa: DTZ001 (that is the point)


def test_a_clock_without_a_zone_is_refused(open_store: Open) -> None:
    store = open_store(clock=lambda: datetime(2026, 11, 23, 12))  # noqa: DTZ001 (that is the point)
    with pytest.raises(ValueError, match="2026-11-23 12:00:00 has no time zone"):
        store.append(CART, [abandoned()])
    assert list(store.read_all()) == []


@pytest.mark.parametrize("bound", ["since", "before"])
def test_times_without_a_zone_are_refused(store: EventStore, bound: str) -> None:
    naive = {bound: datetime(2026, 11, 23, 12)}  # noqa: DTZ001 (that is the point)
    with pytest.raises(ValueError, match="2026-11-23 12:00:00 has no time zone"):
        store.read_all(**naive)
    with pytest.raises(ValueError, match="2026-11-23 12:00:00 has no time zone"):
        store.read(CART, **naive)


@pytest.mark.parametrize("version", [-1, BEYOND])
def test_a_version_that_no_stream_can_have_is_a_wrong_one(store: EventStore, version: int) -> None:
    store.append(CART, [abandoned()])
    with pytest.raises(WrongExpectedVersion, match=str(version)) as caught:
        store.append(CART, [abandoned()], expected=Version(version))
    assert caught.value.actual == 1
    assert len(list(store.read(CART))) == 1


def test_bounds_far_outside_are_no_bounds(store: EventStore) -> None:
    store.append(CART, [abandoned("one"), abandoned("two")])
    everything = list(store.read(CART))
    for least, most in ((-1, BEYOND), (-BEYOND, 2**63)):
        assert list(store.read(CART, Version(least), Version(most))) == everything
        assert list(store.read_all(Position(least), Position(most))) == everything
        assert list(store.read(CART, after=Version(most))) == list(store.read_all(after=Position(most))) == []
        assert list(store.read(CART, until=Version(least))) == list(store.read_all(until=Position(least))) == []
        assert list(store.subscribe(Position(least), idle=0)) == everything


def fill(store: EventStore) -> None:
    """Three events, of which somebody is going to change the second. On PostgreSQL there is a gap before them."""
    other = abandoned()
    for _ in range(2):
        store.append(OTHER, [other])
    store.append(CART, [abandoned("one"), abandoned("two"), abandoned("three")])


@pytest.fixture
def three(sql_url: str) -> Iterator[SqlEventStore]:
    store = SqlEventStore(sql_url)
    fill(store)
    yield store
    store.close()


def corrupt(store: SqlEventStore, column: str, value: object) -> None:
    json = store.engine.dialect.name == "postgresql" and column in ("data", "metadata")
    to = "CAST(:value AS jsonb)" if json else ":value"
    with store.engine.begin() as connection:
        connection.execute(sqlalchemy.text(f"UPDATE events SET {column} = {to} WHERE version = 2"), {"value": value})


def is_named(store: SqlEventStore) -> None:
    """However it is read, the event before it comes, then an error that says which one it is."""
    says = r"cart-17 version 2 \(position \d\)"
    [other] = store.read(OTHER)
    for events in (store.read(CART), store.read_all(other.position), store.subscribe(other.position, idle=0)):
        assert next(events).event == CartAbandoned("one")
        with pytest.raises(EventError, match=says):
            next(events)
    assert [each.version for each in store.read(CART, after=Version(2))] == [3]


CORRUPT = {
    "other JSON": ("data", '["late"]'),
    "nothing": ("data", "null"),
    "a field of another type": ("data", '{"reason": 3}'),
    "a field that is missing": ("data", "{}"),
    "metadata that is no object": ("metadata", "[1]"),
    "metadata that is not text": ("metadata", '{"user": 3}'),
    "an unknown type": ("type", "Nonsense"),
    "another schema version": ("schema_version", 99),
}
# PostgreSQL itself refuses these; a column of SQLite takes anything.
CORRUPT_IN_SQLITE = {
    "half of the JSON": ("data", '{"reason": "l'),
    "metadata that is no JSON": ("metadata", "{oops"),
    "a time that is none": ("valid_time", "yesterday at noon"),
    "an id that is none": ("id", "seventeen"),
}


@pytest.mark.parametrize("damage", CORRUPT)
def test_an_event_that_was_damaged_is_named(three: SqlEventStore, damage: str) -> None:
    corrupt(three, *CORRUPT[damage])
    is_named(three)
    if CORRUPT[damage][0] != "metadata":  # which is not loaded
        with pytest.raises(EventError, match=r"cart-17 version 2 \(position \d\)"):
            three.load(CART)


@pytest.mark.parametrize("damage", CORRUPT_IN_SQLITE)
def test_an_event_that_was_damaged_in_a_file_is_named(sqlite_url: str, damage: str) -> None:
    store = SqlEventStore(sqlite_url)
    fill(store)
    corrupt(store, *CORRUPT_IN_SQLITE[damage])
    is_named(store)
    store.close()


def test_more_than_the_database_can_hold(sqlite_url: str) -> None:
    """SQLite takes a gigabyte; with a lower limit it says the same sooner."""
    store = SqlEventStore(sqlite_url)
    store.append(CART, [abandoned("x" * 200_000)])
    store.close()
    event.listen(store.engine, "connect", lambda made, _: made.setlimit(0, 100_000))  # SQLITE_LIMIT_LENGTH
    with pytest.raises((StoreError, EventError, ValueError), match=r"cart-17.*too (big|large|long)"):
        store.append(CART, [abandoned(), abandoned("x" * 200_000)])
    store.close()
    assert len(list(SqlEventStore(sqlite_url).read_all(after=Position(1)))) == 0


@contextmanager
def closed_to_all(server: str, url: str) -> Iterator[None]:
    """Nobody has or gets a connection to the database of ``url``."""
    database = sqlalchemy.make_url(url).database
    administrator = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
        connection.exec_driver_sql(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
        )
        try:
            yield
        finally:
            connection.exec_driver_sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
    administrator.dispose()


CALLS: dict[str, Callable[[SqlEventStore], object]] = {
    "append": lambda store: store.append(CART, [abandoned()]),
    "read": lambda store: store.read(CART),
    "read_all": lambda store: store.read_all(),
    "load": lambda store: store.load(CART),
    "head": lambda store: store.head(),
    "subscribe": lambda store: list(store.subscribe(idle=0)),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_database_that_lets_nobody_in_any_more(postgres_server: str, postgres_url: str, call: str) -> None:
    store = SqlEventStore(postgres_url)
    store.append(CART, [abandoned()])
    with closed_to_all(postgres_server, postgres_url):
        for _ in range(2):  # on the connection that was cut, and on none
            with pytest.raises(Unavailable, match=postgres_url.rpartition("/")[2]):
                CALLS[call](store)
    store.close()
    assert len(list(store.read_all())) == 1


def test_a_subscriber_whose_connection_is_cut_while_it_waits(postgres_server: str, postgres_url: str) -> None:
    store = SqlEventStore(postgres_url)
    store.append(CART, [abandoned()])
    subscription = store.subscribe()
    assert next(subscription).version == 1
    with closed_to_all(postgres_server, postgres_url), pytest.raises(Unavailable):
        next(subscription)
    first = store.append(OTHER, [abandoned()])
    assert [each.position for each in store.subscribe(Position(1), idle=0)] == list(first.positions)
    store.close()


def test_a_damaged_clock_leaves_nothing_behind(open_store: Open) -> None:
    """Whatever breaks in the middle of an append over two streams, neither has anything of it."""
    times = iter([datetime(2026, 11, 23, tzinfo=UTC)])
    store = open_store(clock=lambda: next(times))
    appends = [Append(CART, [abandoned()]), Append(OTHER, [abandoned()])]
    try:
        store.append_all(appends)
    except StopIteration:
        assert list(store.read_all()) == []
    else:
        assert len(list(store.read_all())) == 2
