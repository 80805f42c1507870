"""A writer killed in the middle of an append leaves nothing of it, and no lock behind."""

import time
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe

from sqlalchemy import Connection, Engine, event

from eventlab.domain.cart import CartAbandoned
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.store import SqlEventStore

CART = StreamId("cart", "17")
BATCH = 50
PATIENCE_SECONDS = 60.0
ENOUGH_EVENTS = 5 * BATCH


def batch() -> list[NewEvent]:
    return [NewEvent(CartAbandoned("late")) for _ in range(BATCH)]


def stop_before_commit(url: str, pipe: Pipe) -> None:
    store = SqlEventStore(url)
    store.append(CART, batch())

    def stand(connection: Connection) -> None:
        pipe.send("about to commit")
        pipe.recv()

    event.listen(Engine, "commit", stand)
    store.append(CART, batch())


def write_for_ever(url: str) -> None:
    store = SqlEventStore(url)
    while True:
        store.append(CART, batch())


def test_killed_just_before_the_commit(sql_url: str) -> None:
    here, there = get_context("spawn").Pipe()
    writer = get_context("spawn").Process(target=stop_before_commit, args=(sql_url, there), daemon=True)
    writer.start()
    assert here.poll(PATIENCE_SECONDS)
    writer.kill()
    writer.join()
    store = SqlEventStore(sql_url)
    assert len(list(store.read(CART))) == BATCH
    assert store.append(CART, batch()).versions[0] == BATCH + 1


def test_killed_anywhere(sql_url: str) -> None:
    store = SqlEventStore(sql_url)
    writer = get_context("spawn").Process(target=write_for_ever, args=(sql_url,), daemon=True)
    writer.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sum(1 for _ in store.read(CART)) < ENOUGH_EVENTS:
        assert time.monotonic() < deadline
    writer.kill()
    writer.join()
    versions = [recorded.version for recorded in store.read(CART)]
    assert versions == list(range(1, len(versions) + 1))
    assert len(versions) % BATCH == 0
    assert store.append(CART, batch()).versions[0] == len(versions) + 1
