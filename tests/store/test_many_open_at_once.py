"""Eight processes that open a new database at the same moment all succeed, and find one store; or an old file."""

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from eventlab.domain.cart import CartAbandoned
from eventlab.events.envelope import NewEvent, StreamId, Version
from eventlab.store import NoStream, SqlEventStore

from .former import forms, make

OPENERS = 8
ROUNDS = 5
FORMER_FILES = 2
PATIENCE_SECONDS = 60.0

_start: Barrier  # a barrier reaches the processes of a pool only while they are made


def _know(start: Barrier) -> None:
    global _start
    _start = start


def open_and_write(url: str, schema: str | None, number: int) -> Version:
    _start.wait(PATIENCE_SECONDS)
    store = SqlEventStore(url, schema=schema)
    appended = store.append(StreamId("cart", str(number)), [NewEvent(CartAbandoned("late"))], NoStream)
    store.close()
    return appended.versions[-1]


@pytest.fixture(scope="module")
def openers() -> Iterator[Executor]:
    """Processes that wait for each other before each task, so that no two tasks go to the same one."""
    context = get_context("spawn")
    start = context.Barrier(OPENERS)
    with ProcessPoolExecutor(OPENERS, context, initializer=_know, initargs=(start,)) as processes:
        yield processes


def check(openers: Executor, url: str, schema: str | None) -> None:
    numbers = range(OPENERS)
    assert list(openers.map(open_and_write, [url] * OPENERS, [schema] * OPENERS, numbers)) == [1] * OPENERS
    store = SqlEventStore(url, schema=schema)
    assert sorted(recorded.stream.key for recorded in store.read_all()) == [str(number) for number in numbers]
    store.close()


def test_sqlite(openers: Executor, tmp_path: Path) -> None:
    for number in range(ROUNDS):
        check(openers, f"sqlite:///{tmp_path / f'{number}.db'}", None)


def test_postgres(openers: Executor, postgres_url: str) -> None:
    """First the database as it comes, then schemas that have to be made as well."""
    for schema in (None, *(f"learner {number}" for number in range(1, ROUNDS))):
        check(openers, postgres_url, schema)


def test_a_file_of_before(openers: Executor, tmp_path: Path) -> None:
    """One of them rewrites it, the others wait for that; all append, and nothing is lost."""
    with closing(SqlEventStore(f"sqlite:///{tmp_path / 'source.db'}")) as source:
        source.append(StreamId("order", "1"), [NewEvent(CartAbandoned("late")) for _ in range(2_000)])
        there = list(source.read_stored())
    for number in range(FORMER_FILES):
        path = tmp_path / f"{number}.db"
        make(path, there)
        url = f"sqlite:///{path}"
        assert list(openers.map(open_and_write, [url] * OPENERS, [None] * OPENERS, range(OPENERS))) == [1] * OPENERS
        with closing(SqlEventStore(url)) as store:
            assert list(store.read_stored())[:-OPENERS] == there
            assert store.head() == len(there) + OPENERS
        assert forms(path) == {("blob", "integer", "integer")}
