"""Positions become visible in their order, whoever commits first: the race of pitfall P35 cannot happen here."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import sqlalchemy
from sqlalchemy import Connection, Engine, event, text

from eventlab.domain.cart import CartAbandoned
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.store import SqlEventStore

SLOW, QUICK = StreamId("cart", "slow"), StreamId("cart", "quick")
PATIENCE_SECONDS = 20.0


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def first_commit_held() -> Iterator[tuple[threading.Event, threading.Event]]:
    """Stops the first transaction that is about to commit: (it stands there, let it go)."""
    standing, go = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        if not standing.is_set():
            standing.set()
            assert go.wait(PATIENCE_SECONDS)

    event.listen(Engine, "commit", hold)
    try:
        yield standing, go
    finally:
        go.set()
        event.remove(Engine, "commit", hold)


def append(url: str, stream: StreamId) -> list[int]:
    return list(SqlEventStore(url).append(stream, [NewEvent(CartAbandoned("late"))]).positions)


def test_a_reader_never_passes_an_append_that_has_not_committed(sql_url: str) -> None:
    reader = SqlEventStore(sql_url)
    with ThreadPoolExecutor(2) as threads, first_commit_held() as (standing, go):
        slow = threads.submit(append, sql_url, SLOW)
        assert standing.wait(PATIENCE_SECONDS)
        quick = threads.submit(append, sql_url, QUICK)
        assert list(reader.subscribe(idle=0.3)) == []
        assert not quick.done()
        go.set()
        assert (slow.result(), quick.result()) == ([1], [2])
    assert [recorded.stream for recorded in reader.read_all()] == [SLOW, QUICK]


def test_readers_do_not_wait_for_an_append(sql_url: str) -> None:
    reader = SqlEventStore(sql_url)
    append(sql_url, QUICK)
    with ThreadPoolExecutor(1) as threads, first_commit_held() as (standing, go):
        slow = threads.submit(append, sql_url, SLOW)
        assert standing.wait(PATIENCE_SECONDS)
        assert [recorded.stream for recorded in reader.read_all()] == [QUICK]
        go.set()
        slow.result()


def test_a_writer_that_takes_no_lock_cannot_break_the_order(postgres_url: str) -> None:
    """The constraints have the last word: the append waits for the other's row, then takes the next position."""
    store = SqlEventStore(postgres_url)
    engine = sqlalchemy.create_engine(postgres_url)
    row = text(
        "INSERT INTO events (stream, version, position, type, schema_version, data, id, valid_time, recorded_time, "
        """metadata) VALUES ('cart-slow', 1, 1, 'CartAbandoned', 1, '{"reason": "late"}', :id, now(), now(), '{}')"""
    )
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with ThreadPoolExecutor(2) as threads, engine.connect() as foreign, engine.connect() as observer:
        observer.execution_options(isolation_level="AUTOCOMMIT")  # within a transaction the view would stand still
        foreign.execute(row, {"id": uuid.uuid4()})
        appends = [threads.submit(append, postgres_url, stream) for stream in (SLOW, QUICK)]
        wait_until(lambda: observer.scalar(waiting) == 2)
        assert list(store.read_all()) == []
        foreign.commit()
        assert sorted(future.result() for future in appends) == [[2], [3]]
    engine.dispose()
    assert [recorded.position for recorded in store.read_all()] == [1, 2, 3]
    assert [recorded.version for recorded in store.read(SLOW)] == [1, 2]
