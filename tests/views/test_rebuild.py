"""Blue/green: the next version is built beside the live one, and readers see one or the other, whole."""

from collections.abc import Callable
from dataclasses import replace
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, inspect, select, text

from eventlab.domain.cart import ItemAdded
from eventlab.events.envelope import Recorded
from eventlab.store import SqlEventStore
from eventlab.views import (
    Projector,
    Rows,
    View,
    ViewError,
    create,
    drop,
    lag,
    live_version,
    rebuild,
    start,
    switch,
    wait_until,
)

from .shop import ALL, added, bought, cart, carts, holds, pieces, shown
from .workers import write

VERSION = Table("totals", MetaData(), Column("id", Integer, primary_key=True), Column("events", Integer))
SIDE = Table("totals_side", VERSION.metadata, Column("id", Integer, primary_key=True), Column("events", Integer))


def quiet(done: int, total: int) -> None:
    """No progress bar."""


def _total(factor: int) -> Callable[[Rows, Recorded], None]:
    """Counts events into two tables; version 2 counts in tens, so that a reader can tell the versions apart."""

    def count(rows: Rows, recorded: Recorded) -> None:
        for table in (VERSION, SIDE):
            row = rows.get(table, 1) or {"id": 1, "events": 0}
            rows.put(table, {**row, "events": row["events"] + factor})

    return count


def totals(version: int) -> View:
    return View("totals", (VERSION, SIDE), {ItemAdded: _total(10 if version == 2 else 1)}, version=version)


def test_readers_see_the_old_or_the_new_version_whole(store: SqlEventStore) -> None:
    """A reader that never rests: the same number in both tables, never less than before, never empty, no error."""
    for _ in range(20):
        store.append(cart(1), [added() for _ in range(20)])
    Projector(store, totals(1)).catch_up()
    seen: list[tuple[int, int]] = []
    failed: list[BaseException] = []
    done = Event()
    joined = select(VERSION.c.events, SIDE.c.events).join(SIDE, VERSION.c.id == SIDE.c.id)

    def read() -> None:
        try:
            while not done.is_set():
                with store.engine.connect() as connection:
                    seen.extend((first, second) for first, second in connection.execute(joined).all())
        except BaseException as error:
            failed.append(error)

    readers = [Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    with start(store, totals(1)):
        for _ in range(20):
            store.append(cart(2), [added() for _ in range(5)])
        result = rebuild(store, totals(2), progress=quiet)
    done.set()
    for reader in readers:
        reader.join()
    assert failed == []
    assert live_version(store, totals(1)) == 2
    assert result.position == max(each.position for each in store.read_all())
    assert {first == second for first, second in seen} == {True}
    assert seen
    assert all(first >= 400 for first, _ in seen)
    assert shown(store, replace(totals(2), tables=(VERSION,))) == [(1, 5_000)]
    assert result.events >= 400, "the switch itself had only the last ones to apply"


def test_versions_go_on_side_by_side_and_back(store: SqlEventStore) -> None:
    write(store, 1, appends=30)
    views = [replace(carts, version=number) for number in (1, 2)]
    Projector(store, views[0]).catch_up()
    rebuild(store, views[1], progress=quiet)
    write(store, 2, appends=10)
    with start(store, *views):
        position = store.append(cart(1), [added()]).positions[-1]
        wait_until(store, carts, position)
        holds(store, [carts])
    switch(store, views[0])
    assert live_version(store, carts) == 1
    holds(store, [carts])


def test_a_switch_never_goes_back_behind_what_readers_saw(store: SqlEventStore) -> None:
    """The new version is far behind when it is switched to: the switch itself applies what is left."""
    Projector(store, second := replace(carts, version=2))
    create(store, carts)
    switch(store, carts)
    write(store, 1, appends=50)
    Projector(store, carts).catch_up()
    assert lag(store, second).events > 0
    switch(store, second)
    assert lag(store, second) == (0, 0, 0)
    holds(store, [carts])


def test_an_interrupted_rebuild_goes_on_from_its_checkpoint(store: SqlEventStore) -> None:
    for number in range(25):
        store.append(cart(number), [added() for _ in range(100)])
    Projector(store, carts).catch_up()
    second = replace(carts, version=2)

    def interrupt(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(store, second, progress=interrupt)
    assert live_version(store, carts) == 1
    holds(store, [carts])
    assert 0 < rebuild(store, second, progress=quiet).events < 2_500
    holds(store, [carts])


def test_new_columns_reach_readers_with_the_switch(store: SqlEventStore) -> None:
    store.append(cart(1), [added("socks", 3), added("hat", 2), bought()])
    Projector(store, pieces).catch_up()
    wider = Table(
        "pieces",
        MetaData(),
        Column("product", Text, primary_key=True),
        Column("added", Integer),
        Column("additions", Integer),
    )

    def count(rows: Rows, recorded: Recorded) -> None:
        row: dict[str, Any] = {"product": recorded.event.product, "added": recorded.event.quantity, "additions": 1}
        rows.put(wider, row)

    rebuild(store, View("pieces", (wider,), {ItemAdded: count}, version=2), progress=quiet)
    with store.engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM pieces ORDER BY product")).mappings().all()
    assert rows == [{"product": "hat", "added": 2, "additions": 1}, {"product": "socks", "added": 3, "additions": 1}]


def test_the_old_version_is_dropped_afterwards_and_not_before(store: SqlEventStore) -> None:
    write(store, 1, appends=5)
    Projector(store, carts).catch_up()
    with pytest.raises(ViewError, match="switch to another version"):
        drop(store, carts)
    rebuild(store, replace(carts, version=2), progress=quiet)
    stale = Projector(store, carts)
    drop(store, carts)
    assert not inspect(store.engine).has_table("carts_v1")
    holds(store, [carts])
    with pytest.raises(ViewError, match="dropped"):
        stale.catch_up()


def test_what_was_never_made_cannot_be_switched_to_or_asked(store: SqlEventStore) -> None:
    with pytest.raises(ViewError, match="no view carts"):
        switch(store, carts)
    create(store, carts)
    with pytest.raises(ViewError, match="carts v2"):
        switch(store, replace(carts, version=2))
    assert live_version(store, pieces) is None


def test_a_long_reader_does_not_block_the_others(postgres_url: str) -> None:
    """PostgreSQL queues readers behind a switch that waits: it gives way, and comes again when the reader is gone."""
    store = SqlEventStore(postgres_url)
    write(store, 1, appends=5)
    Projector(store, carts).catch_up()
    switched = Event()

    def switcher() -> None:
        rebuild(store, replace(carts, version=2), progress=quiet)
        switched.set()

    with store.engine.connect() as long_reader:
        long_reader.execute(select(carts.tables[0]))
        thread = Thread(target=switcher)
        thread.start()
        for _ in range(20):
            with store.engine.connect() as connection:
                connection.execute(text("SET lock_timeout = '2s'"))
                connection.execute(select(carts.tables[0]))
                connection.rollback()
        assert not switched.is_set()
        assert live_version(store, carts) == 1
    thread.join()
    assert switched.is_set()
    holds(store, [carts])
    store.close()


def test_the_bar_shows_how_far_it_is(store: SqlEventStore, capsys: pytest.CaptureFixture[str]) -> None:
    store.append(cart(1), [added() for _ in range(7)])
    rebuild(store, carts)
    assert "carts v1" in (said := capsys.readouterr().out)
    assert "7/7" in said


def test_many_programs_make_the_same_views_at_once(store: SqlEventStore) -> None:
    failed = []

    def make() -> None:
        try:
            for view in ALL:
                create(store, view)
        except BaseException as error:
            failed.append(error)

    threads = [Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
