"""kill -9 of a projector and of the database: rows and checkpoint move together, and work goes on."""

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from multiprocessing import get_context
from threading import Event
from types import SimpleNamespace
from typing import TypeVar

import pytest
import sqlalchemy

from eventlab.events.envelope import Position, Recorded
from eventlab.store import SqlEventStore, Unavailable
from eventlab.views import Projector, lag, projector, start, wait_until

from .shop import added, cart, carts, holds, pieces
from .workers import VIEWS, hold_before_commit, process, serve, serve_and_die, write

Result = TypeVar("Result")
PATIENCE_SECONDS = 60.0
KILLS = 10  # for each of the two databases


@pytest.mark.parametrize("lanes", [1, 3])
def test_killed_anywhere_the_view_shows_what_the_events_say(store: SqlEventStore, sql_url: str, lanes: int) -> None:
    view = replace(carts, lanes=lanes)
    Projector(store, view)
    for seed in range(KILLS // 2):
        write(store, seed, appends=40)
        with process(serve_and_die, sql_url, view.name, seed, lanes) as worker:
            worker.join(PATIENCE_SECONDS)
            assert worker.exitcode == -9
    Projector(store, view).catch_up()
    holds(store, [view])
    assert lag(store, view) == (0, 0, 0)


def test_another_takes_over_when_the_holder_is_killed(store: SqlEventStore, sql_url: str) -> None:
    Projector(store, carts)
    with process(serve, sql_url, "carts", 1, 1) as first, process(serve, sql_url, "carts", 1, 1):
        write(store, 1, appends=20)
        wait_until(store, carts, last(store), PATIENCE_SECONDS)
        first.kill()
        write(store, 2, appends=20)
        wait_until(store, carts, last(store), PATIENCE_SECONDS)
    holds(store, [carts])


def last(store: SqlEventStore):
    return max(each.position for each in store.read_all())


def test_killed_while_it_holds_the_lane_it_is_replaced_at_once(store: SqlEventStore, sql_url: str) -> None:
    """The holder dies with the batch applied and not committed; the standby that waits for it applies it."""
    Projector(store, carts)
    here, there = get_context("spawn").Pipe()
    by_itself_ms = 10_000 * int(PATIENCE_SECONDS)  # PostgreSQL would put it out far too late for this test
    with process(hold_before_commit, sql_url, "carts", there, by_itself_ms) as holder:
        write(store, 3, appends=5)
        assert here.poll(PATIENCE_SECONDS)
        with start(store, carts):
            holder.kill()
            wait_until(store, carts, last(store), PATIENCE_SECONDS)
    holds(store, [carts])


def test_a_worker_that_stalls_is_put_out_and_applies_nothing_twice(postgres_url: str) -> None:
    """The holder sleeps inside its transaction (as after SIGSTOP), is replaced, and wakes up."""
    store = SqlEventStore(postgres_url)
    Projector(store, carts)
    here, there = get_context("spawn").Pipe()
    with process(hold_before_commit, postgres_url, "carts", there, 300):
        write(store, 3, appends=5)
        assert here.poll(PATIENCE_SECONDS)
        with start(store, carts):
            wait_until(store, carts, last(store), PATIENCE_SECONDS)
            here.send("wake up")
            write(store, 4, appends=5)
            wait_until(store, carts, last(store), PATIENCE_SECONDS)
    holds(store, [carts])
    store.close()


def test_two_projectors_apply_nothing_twice(store: SqlEventStore, sql_url: str) -> None:
    Projector(store, pieces)
    with process(serve, sql_url, "pieces", 1, 1), start(store, pieces), start(store, pieces):
        write(store, 4, appends=60)
        wait_until(store, pieces, last(store), PATIENCE_SECONDS)
    holds(store, [pieces])


def test_workers_that_share_lanes_apply_everything_once_and_in_order(store: SqlEventStore, sql_url: str) -> None:
    view = replace(VIEWS["carts"], lanes=4)
    Projector(store, view)
    write(store, 5, appends=30)
    with process(serve, sql_url, "carts", 1, 4) as one, process(serve, sql_url, "carts", 1, 4), start(store, view):
        write(store, 6, appends=30)
        one.kill()
        write(store, 7, appends=30)
        wait_until(store, view, last(store), PATIENCE_SECONDS)
    holds(store, [view])


@pytest.fixture
def database_to_crash(postgres_server: str) -> Iterator[str]:
    """A database of the session's server, made and dropped by connections that live no longer than that."""
    engine = sqlalchemy.create_engine(postgres_server, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    name = f"crash_{uuid.uuid4().hex[:12]}"
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0")
    yield sqlalchemy.make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:  # until the server has recovered, for the tests after this one
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        except sqlalchemy.exc.OperationalError:
            assert time.monotonic() < deadline
        else:
            return


def test_the_patience_is_for_one_absence_of_the_database_and_not_for_all(
    store: SqlEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two it was there for longer than the patience, and no event came."""
    projecting, stop, now, follow = Projector(store, carts, patience=60), Event(), 0.0, store.follow
    absences = iter([1.0, 100.0])

    def fail_twice(after: Position, stop: Event) -> Iterator[Sequence[Recorded]]:
        nonlocal now
        if (until := next(absences, None)) is None:
            stop.set()
            return follow(after, stop=stop)
        now = until
        raise Unavailable("the database is away")

    monkeypatch.setattr(projector, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(store, "follow", fail_twice)
    projecting.run(stop)
    assert stop.is_set()


class TestDatabaseGone:
    def test_cut_connections_are_opened_again(self, postgres_url: str) -> None:
        self.survives(
            postgres_url,
            lambda administrator: administrator.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ),
        )

    def test_a_server_that_crashes_recovers_and_the_view_goes_on(self, database_to_crash: str) -> None:
        """kill -9 of one of its processes: PostgreSQL throws all of them out and recovers from its log."""

        def crash(administrator: sqlalchemy.Connection) -> None:
            os.kill(administrator.exec_driver_sql("SELECT pg_backend_pid()").scalar_one(), signal.SIGKILL)

        self.survives(database_to_crash, crash)

    def survives(self, url: str, blow: Callable[[sqlalchemy.Connection], object]) -> None:
        store = SqlEventStore(url)
        administrator = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
        with start(store, carts):
            for number in range(3):
                with administrator.connect() as connection:
                    blow(connection)
                    connection.invalidate()
                position = stubbornly(lambda: store.append(cart(number), [added()]).positions[-1])  # noqa: B023
                stubbornly(lambda: wait_until(store, carts, position, PATIENCE_SECONDS))  # noqa: B023
        holds(store, [carts])
        store.close()

    def test_patience_ends(self, postgres_url: str) -> None:
        store = SqlEventStore(postgres_url)
        projector = Projector(store, carts, patience=0.5)
        url = sqlalchemy.make_url(postgres_url)
        administrator = sqlalchemy.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
        with administrator.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {url.database} WITH (FORCE)")
            with pytest.raises(Unavailable):
                projector.run()
            connection.exec_driver_sql(f"CREATE DATABASE {url.database}")
        administrator.dispose()
        store.close()


def stubbornly(action: Callable[[], Result]) -> Result:
    """Try until the database is back."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return action()
        except Unavailable:
            assert time.monotonic() < deadline
