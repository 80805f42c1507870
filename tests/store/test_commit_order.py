"""Positions become visible in their order, whoever commits first: the race of pitfall P35 cannot happen here."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import sqlalchemy
from sqlalchemy import text

from eventlab.domain.cart import CartAbandoned
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.store import SqlEventStore

SLOW, QUICK = StreamId("cart", "slow"), StreamId("cart", "quick")
PATIENCE_SECONDS = 20.0


@contextmanager
def held_before_its_commit(url: str) -> Iterator[tuple[SqlEventStore, threading.Event, threading.Event]]:
    """A store whose appends stop before they commit: (store, it stands there, let it go)."""
    standing, go = threading.Event(), threading.Event()

    def hold(*_: object) -> None:
        standing.set()
        assert go.wait(PATIENCE_SECONDS)

    try:
        yield SqlEventStore(url, inline=[hold]), standing, go
    finally:
        go.set()


def append(store: SqlEventStore, stream: StreamId) -> list[int]:
    return list(store.append(stream, [NewEvent(CartAbandoned("late"))]).positions)


def test_a_reader_never_passes_an_append_that_has_not_committed(sql_url: str) -> None:
    store = SqlEventStore(sql_url)
    with ThreadPoolExecutor(2) as threads, held_before_its_commit(sql_url) as (held, standing, go):
        slow = threads.submit(append, held, SLOW)
        assert standing.wait(PATIENCE_SECONDS)
        quick = threads.submit(append, store, QUICK)
        if store.engine.dialect.name == "postgresql":  # SQLite lets one append wait for the other
            assert quick.result(PATIENCE_SECONDS) == [2]
        assert list(store.subscribe(idle=0.3)) == []
        go.set()
        assert (slow.result(), quick.result()) == ([1], [2])
    assert [recorded.stream for recorded in store.read_all()] == [SLOW, QUICK]


def test_a_subscriber_that_waits_at_a_gap_gets_both(postgres_url: str) -> None:
    store = SqlEventStore(postgres_url)
    with ThreadPoolExecutor(2) as threads, held_before_its_commit(postgres_url) as (held, standing, go):
        slow = threads.submit(append, held, SLOW)
        assert standing.wait(PATIENCE_SECONDS)
        assert append(store, QUICK) == [2]
        subscription = store.subscribe(idle=PATIENCE_SECONDS)
        both = threads.submit(lambda: [next(subscription).stream, next(subscription).stream])
        go.set()
        assert both.result(PATIENCE_SECONDS) == [SLOW, QUICK]
        slow.result()


def test_readers_do_not_wait_for_an_append(sql_url: str) -> None:
    store = SqlEventStore(sql_url)
    append(store, QUICK)
    with ThreadPoolExecutor(1) as threads, held_before_its_commit(sql_url) as (held, standing, go):
        slow = threads.submit(append, held, SLOW)
        assert standing.wait(PATIENCE_SECONDS)
        assert [recorded.stream for recorded in store.read_all()] == [QUICK]
        assert [recorded.stream for recorded in store.read(QUICK)] == [QUICK]
        go.set()
        slow.result()


def test_a_position_that_was_rolled_back_is_passed(postgres_url: str) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("the view does not take it")

    store = SqlEventStore(postgres_url)
    append(store, QUICK)
    with pytest.raises(RuntimeError):
        append(SqlEventStore(postgres_url, inline=[refuse]), SLOW)
    append(store, QUICK)
    assert [recorded.position for recorded in store.read_all()] == [1, 3]
    assert [recorded.position for recorded in store.subscribe(idle=0.1)] == [1, 3]


def test_others_who_write_elsewhere_hold_nobody_up(postgres_url: str) -> None:
    store = SqlEventStore(postgres_url)
    engine = sqlalchemy.create_engine(postgres_url)
    with engine.connect() as other:
        other.execute(text("CREATE TABLE elsewhere AS SELECT 1 AS one"))
        append(store, QUICK)
        other.execute(text("SELECT nextval('events_position')"))
        append(store, QUICK)
        assert [recorded.position for recorded in store.subscribe(idle=0.1)] == [1, 3]
    engine.dispose()
