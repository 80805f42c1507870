"""kill -9 of writers, of a subscriber and of PostgreSQL, 200 times in all.

No acknowledged event is lost, none is stored or applied twice, no subscriber misses one, and no checkpoint stands past
work that was not done. The numbers of events, the victims and the delays before the blows come from a seed; where
within an append a blow falls is left to the machine.
"""

import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Event

import pytest
from sqlalchemy import select, true
from tests.views.shop import CARTS, carts, expected, holds
from tests.views.workers import write

from eventlab.cluster import postgres, processes
from eventlab.events.envelope import Position, Recorded
from eventlab.store import BEGINNING, SqlEventStore
from eventlab.views import Projector, Running, create, lag, wait_until
from eventlab.views.bookkeeping import bookkeeping

from .victims import Writer, planned, project, started
from .waiting import PATIENCE_SECONDS, eventually, stubbornly

WRITER_KILLS = 60  # for each of the two databases
SUBSCRIBER_KILLS = 30  # for each of the two databases
SERVER_KILLS = 20
SEED = 4
WRITERS = 2
# Half a minute each on a quiet machine; each of the kills means a start, of which a busy one makes seconds.
pytestmark = pytest.mark.timeout(1200)
BLOW_SECONDS = 0.005  # some appends long, so that a blow falls anywhere in one


def test_two_hundred_kills() -> None:
    assert 2 * WRITER_KILLS + 2 * SUBSCRIBER_KILLS + SERVER_KILLS == 200


@contextmanager
def subscribed(url: str) -> Iterator[list[Recorded]]:
    """What a subscriber sees while the block runs, and until it has seen all. It comes back when the server does."""
    store, seen, stop = SqlEventStore(url), list[Recorded](), Event()

    def follow() -> None:
        for recorded in store.subscribe(seen[-1].position if seen else BEGINNING, idle=0.1):
            seen.append(recorded)

    def run() -> None:
        while not stop.is_set():
            stubbornly(follow)

    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(run)
        try:
            yield seen
            last = list(store.read_all())[-1].position
            eventually(lambda: running.done() or (bool(seen) and seen[-1].position >= last))
        finally:
            stop.set()
        running.result()
    store.close()


def check(store: SqlEventStore, seen: Sequence[Recorded], acknowledged: Sequence[Sequence[Sequence[int]]]) -> None:
    """Everything that was planned, by each of the writers, is there once, in order, where the writer was told."""
    everything = list(store.read_all())
    assert seen == everything
    by_writer, by_stream = defaultdict(list), defaultdict(list)
    for recorded in everything:
        by_writer[recorded.event.product].append(recorded)
        by_stream[recorded.stream].append(recorded.version)
    for writer, told in enumerate(acknowledged):
        stored = by_writer[str(writer)]
        plan = [planned(writer, number) for number in range(len(told))]
        assert [(each.stream, each.id) for each in stored] == [
            (stream, new.id) for stream, batch in plan for new in batch
        ]
        assert [each.position for each in stored] == [position for positions in told for position in positions]
    for versions in by_stream.values():
        assert versions == list(range(1, len(versions) + 1))


def test_writers_are_killed(sql_url: str) -> None:
    random = Random(SEED)
    store = SqlEventStore(sql_url)
    writers = [Writer(sql_url, number) for number in range(WRITERS)]
    with subscribed(sql_url) as seen:
        for _ in range(WRITER_KILLS):
            victim = random.choice(writers)
            enough = len(victim.acknowledged) + random.randint(0, 5)

            def at_work(victim: Writer = victim, enough: int = enough) -> bool:
                for writer in writers:
                    writer.listen()
                return len(victim.acknowledged) >= enough

            eventually(at_work)
            time.sleep(random.uniform(0, BLOW_SECONDS))
            victim.kill()
            victim.start()
        for writer in writers:
            writer.kill()
            # As a writer would that comes back: what was under way is appended again.
            again = store.append(*planned(writer.number, len(writer.acknowledged)))
            writer.acknowledged.append(again.positions)
    check(store, seen, [writer.acknowledged for writer in writers])
    store.close()


def checkpoint(store: SqlEventStore) -> int:
    checkpoints = bookkeeping(store.schema).checkpoints.c
    with store.engine.connect() as connection:
        return connection.execute(select(checkpoints.position).where(checkpoints.view == carts.name)).scalar_one()


def holds_at_its_checkpoint(store: SqlEventStore) -> None:
    """The view's rows are those of the events up to its checkpoint, no fewer and no more."""
    checkpoints = bookkeeping(store.schema).checkpoints
    both = select(checkpoints.c.position, CARTS).join_from(checkpoints, CARTS, true(), isouter=True)
    with store.engine.connect() as connection:  # one statement: both as of the same moment
        found = connection.execute(both.where(checkpoints.c.view == carts.name)).all()
    rows = sorted(tuple(row[1:]) for row in found if row[1] is not None)
    assert rows == expected(carts, store.read_all(until=Position(found[0][0])))


def test_a_subscriber_is_killed(sql_url: str) -> None:
    random = Random(SEED)
    store = SqlEventStore(sql_url)
    create(store, carts)
    for number in range(SUBSCRIBER_KILLS):
        before = checkpoint(store)
        projector = started(project, sql_url)
        write(store, number, appends=5)
        eventually(lambda: checkpoint(store) > before)  # noqa: B023 (called at once)
        write(store, -number - 1, appends=random.randint(0, 20))
        time.sleep(random.uniform(0, BLOW_SECONDS))
        projector.kill()
        projector.join()
        assert projector.exitcode == -9
        holds_at_its_checkpoint(store)
    Projector(store, carts).catch_up()
    holds(store, [carts])
    assert lag(store, carts) == (0, 0, 0)
    store.close()


class Server:
    """A PostgreSQL of the test's own."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._mark = directory, f"crash-{uuid.uuid4().hex}"
        self._running = self._start(None)
        self.url = postgres.url(self._running.port, self._running.password)

    def _start(self, port: int | None) -> postgres.RunningPostgres:
        return postgres.start(self._directory / "postgres", self._directory / "logs", self._mark, port)

    def kill(self) -> None:
        """All of its processes."""
        self._running.process.kill()
        assert processes.wait_until_dead([self._running.process], PATIENCE_SECONDS) == []

    def start_again(self) -> None:
        self._running = self._start(self._running.port)
        assert postgres.url(self._running.port, self._running.password) == self.url


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.kill()


def test_postgres_is_killed(server: Server) -> None:
    random = Random(SEED)
    store, stop = SqlEventStore(server.url), Event()
    acknowledged: list[list[Sequence[int]]] = [[] for _ in range(WRITERS)]

    def append_for_ever(writer: int) -> None:
        own = SqlEventStore(server.url)
        told = acknowledged[writer]
        while not stop.is_set():
            plan = planned(writer, len(told))
            told.append(stubbornly(lambda: own.append(*plan).positions))  # noqa: B023 (called at once)
        own.close()

    def appended() -> int:
        return sum(map(len, acknowledged))

    # On a busy machine the server may be killed again and again before the projector got anything done.
    patient = Projector(store, carts, patience=20 * PATIENCE_SECONDS)
    with subscribed(server.url) as seen, Running([patient]), ThreadPoolExecutor(WRITERS) as threads:
        writing = [threads.submit(append_for_ever, writer) for writer in range(WRITERS)]
        try:
            for _ in range(SERVER_KILLS):
                enough = appended() + random.randint(1, 20)
                eventually(lambda: appended() >= enough or any(each.done() for each in writing))  # noqa: B023
                time.sleep(random.uniform(0, BLOW_SECONDS))
                server.kill()
                server.start_again()
        finally:
            stop.set()
        for each in writing:
            each.result()
        wait_until(store, carts, list(store.read_all())[-1].position, PATIENCE_SECONDS)
    check(store, seen, acknowledged)
    holds(store, [carts])
    store.close()
