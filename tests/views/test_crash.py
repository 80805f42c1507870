"""kill -9 of a projector and of the database: rows and checkpoint move together, and work goes on."""

import time
from dataclasses import replace

import pytest
import sqlalchemy

from eventlab.store import SqlEventStore, Unavailable
from eventlab.views import Projector, lag, start, wait_until

from .shop import added, cart, carts, holds, pieces
from .workers import VIEWS, process, serve, serve_and_die, write

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
    from multiprocessing import get_context

    from .workers import hold_before_commit

    Projector(store, carts)
    here, there = get_context("spawn").Pipe()
    with process(hold_before_commit, sql_url, "carts", there) as holder:
        write(store, 3, appends=5)
        assert here.poll(PATIENCE_SECONDS)
        with start(store, carts):
            holder.kill()
            began = time.monotonic()
            wait_until(store, carts, last(store), PATIENCE_SECONDS)
            assert time.monotonic() - began < 5
    holds(store, [carts])


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


class TestDatabaseGone:
    def test_cut_connections_are_opened_again(self, postgres_url: str) -> None:
        store = SqlEventStore(postgres_url)
        administrator = sqlalchemy.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
        with start(store, carts):
            for number in range(5):
                with administrator.connect() as connection:
                    connection.exec_driver_sql(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                position = append_stubbornly(store, number)
                wait_until_reachable(store, position)
        holds(store, [carts])
        administrator.dispose()
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


def append_stubbornly(store: SqlEventStore, number: int):
    new = [added()]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return store.append(cart(number), new).positions[-1]
        except Unavailable:
            assert time.monotonic() < deadline


def wait_until_reachable(store: SqlEventStore, position: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return wait_until(store, carts, position, PATIENCE_SECONDS)
        except Unavailable:
            assert time.monotonic() < deadline
