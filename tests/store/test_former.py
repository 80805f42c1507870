"""A file that the library wrote before ids and times were bytes and numbers is opened with nothing lost."""

import os
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from uuid import UUID

import pytest

from eventlab.domain.cart import CartAbandoned
from eventlab.events.envelope import NewEvent, Position, StreamId, Version
from eventlab.events.errors import EventError
from eventlab.store import SqlEventStore, former
from eventlab.store.archive import archive
from eventlab.store.rules import StoredEvent

from .former import append, forms, make

CART = StreamId("cart", "17")
TEXT, COMPACT = {("text", "text", "text")}, {("blob", "integer", "integer")}
RECORDED = datetime(2026, 11, 29, 23, 9, 18, 197161, UTC)
# Where a binary fraction would not do, and where text leaves the fraction out.
TIMES = [
    datetime.min.replace(tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2026, 2, 28, 12, 0, 0, 1, UTC),
    RECORDED,
    datetime.max.replace(tzinfo=UTC),
]
MANY = 200


def events(count: int) -> list[NewEvent]:
    return [
        NewEvent(
            CartAbandoned(f"reason {n}"),
            UUID(int=n**9),
            valid_time=TIMES[n % len(TIMES)],
            causation=UUID(int=n) if n % 2 else None,
            correlation=UUID(int=2**127 + n) if n % 3 else None,
            metadata={"user": "Zoë"} if n % 5 else {},
        )
        for n in range(count)
    ]


def written(path: Path, count: int) -> list[StoredEvent]:
    """What is in ``path``, in the form of before."""
    times = (RECORDED + timedelta(microseconds=n) for n in range(count))
    with closing(SqlEventStore(f"sqlite:///{path.with_suffix('.new')}", clock=lambda: next(times))) as store:
        for new in events(count):
            store.append(CART, [new])
        there = list(store.read_stored())
    make(path, there)
    assert forms(path) == TEXT
    return there


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "former.db"


@pytest.fixture
def there(path: Path) -> Sequence[StoredEvent]:
    return written(path, 30)


@pytest.fixture
def store(path: Path, there: Sequence[StoredEvent]) -> Iterator[SqlEventStore]:
    with closing(SqlEventStore(f"sqlite:///{path}")) as store:
        yield store


def test_all_of_it_is_read_as_it_was(store: SqlEventStore, there: Sequence[StoredEvent], path: Path) -> None:
    assert forms(path) == COMPACT
    assert list(store.read_stored()) == there
    assert [each.valid_time for each in there][: len(TIMES)] == TIMES
    assert [each.event for each in store.read_all(since=there[7].recorded_time, before=there[9].recorded_time)] == [
        CartAbandoned("reason 7"),
        CartAbandoned("reason 8"),
    ]
    store.close()
    with closing(SqlEventStore(f"sqlite:///{path}")) as again:
        assert list(again.read_stored()) == there


def test_it_goes_on_and_knows_the_ids_again(store: SqlEventStore, there: Sequence[StoredEvent]) -> None:
    assert store.append(CART, [events(4)[3]]).positions == (4,)
    assert store.append(CART, events(30)).positions == tuple(range(1, 31))
    assert store.append(CART, [NewEvent(CartAbandoned("new"))]).positions == (31,)
    assert list(store.read_stored())[:-1] == there


def test_what_a_program_of_before_appends_to_a_file_of_now_is_rewritten_next_time(
    there: Sequence[StoredEvent], path: Path
) -> None:
    now = path.with_suffix(".new")
    last = there[-1]._replace(id=UUID(int=7), version=Version(31), position=Position(31))
    append(now, [last])
    with closing(SqlEventStore(f"sqlite:///{now}")) as store:
        assert list(store.read_stored()) == [*there, last]
    assert forms(now) == COMPACT


def test_it_is_archived_as_it_was(store: SqlEventStore, there: Sequence[StoredEvent], tmp_path: Path) -> None:
    assert list(archive(store, tmp_path / "archive").read_stored()) == there


@pytest.mark.parametrize("damage", ["id = 'seventeen'", f"id = '{'x' * 32}'", "valid_time = 'yesterday at noon'"])
def test_a_damaged_event_is_named_and_the_others_are_read(
    path: Path, there: Sequence[StoredEvent], damage: str
) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"UPDATE events SET {damage} WHERE position = 5")
    with closing(SqlEventStore(f"sqlite:///{path}")) as store:
        assert list(store.read_stored(until=there[3].position)) == there[:4]
        assert list(store.read_stored(after=there[4].position)) == there[5:]
        with pytest.raises(EventError, match=r"cart-17 version 5 \(position 5\)"):
            list(store.read_all())


def open_and_die(path: Path) -> None:
    """The process that opens the file is killed when it has rewritten half of the events."""
    left = iter(range(MANY // 2))

    def dying(time: object) -> object:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return microseconds(time)

    microseconds, former._microseconds = former._microseconds, dying
    SqlEventStore(f"sqlite:///{path}")


def test_a_program_that_is_killed_meanwhile_has_changed_nothing(path: Path) -> None:
    there = written(path, MANY)
    process = get_context("spawn").Process(target=open_and_die, args=(path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert forms(path) == TEXT
    with closing(SqlEventStore(f"sqlite:///{path}")) as store:
        assert list(store.read_stored()) == there
    assert forms(path) == COMPACT
