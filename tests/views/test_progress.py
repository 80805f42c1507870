"""Read your writes, and how far each view is behind."""

import time
from dataclasses import replace
from threading import Thread

import pytest
from sqlalchemy.event import listen

from eventlab.events.envelope import Position
from eventlab.store import SqlEventStore
from eventlab.views import (
    NotReached,
    Projector,
    ViewError,
    create,
    drop,
    keeping_up,
    lag,
    parked,
    retry_parked,
    start,
    switch,
    wait_until,
)

from .shop import POISON, added, additions, cart, carts, expected, fails_on_poison, gone, holds, shown

MANY = 50
PATIENCE_SECONDS = 60.0
IDLE_SECONDS = 1.0  # a view looks four times in it whether it shall stop


def test_whoever_waits_for_their_position_reads_their_writes(store: SqlEventStore) -> None:
    with start(store, carts, additions):
        for number in range(MANY):
            written = store.append(cart(number), [added(quantity=number + 1), added()])
            for view in (carts, additions):
                wait_until(store, view, written.positions[-1], PATIENCE_SECONDS)
            assert {row[0]: row[1] for row in shown(store, carts)}[str(cart(number))] == number + 2
            assert len(shown(store, additions)) == 2 * (number + 1)


def test_a_view_without_news_keeps_its_connection(store: SqlEventStore) -> None:
    opened: list[object] = []
    with start(store, carts):
        written = store.append(cart(1), [added()])
        wait_until(store, carts, written.positions[-1], PATIENCE_SECONDS)
        listen(store.engine, "connect", lambda made, _: opened.append(made))
        time.sleep(IDLE_SECONDS)
        assert opened == []
        later = store.append(cart(1), [added()])
        wait_until(store, carts, later.positions[-1], PATIENCE_SECONDS)


def test_waiting_ends_with_the_timeout_and_says_how_far_the_view_is(store: SqlEventStore) -> None:
    written = store.append(cart(1), [added(), added()])
    Projector(store, carts).catch_up()
    later = store.append(cart(1), [added()])
    wait_until(store, carts, written.positions[-1], timeout=0)
    began = time.monotonic()
    with pytest.raises(NotReached, match=r"carts is at position 2 and did not reach 3 within 0\.2 s") as caught:
        wait_until(store, carts, later.positions[-1], timeout=0.2)
    assert time.monotonic() - began >= 0.2
    assert (caught.value.wanted, caught.value.at) == (3, 2)


def test_waiting_follows_the_version_that_readers_see(store: SqlEventStore) -> None:
    second = replace(carts, version=2)
    create(store, carts)
    Projector(store, second).catch_up()
    switch(store, second)
    written = store.append(cart(1), [added()])
    Projector(store, second).catch_up()
    wait_until(store, carts, written.positions[-1], timeout=0)
    switch(store, carts)
    drop(store, second)
    wait_until(store, second, written.positions[-1], timeout=0)


def test_the_lag_of_each_view_by_itself(store: SqlEventStore) -> None:
    Projector(store, carts)
    Projector(store, additions)
    assert lag(store, carts) == (0, 0, 0)
    store.append(cart(1), [added(), added(), gone()])
    assert lag(store, carts) == (3, 3, 0)
    Projector(store, carts).catch_up()
    assert lag(store, carts) == (0, 0, 0)
    assert lag(store, additions) == (3, 3, 0)


@pytest.mark.parametrize("lanes", [1, 4])
def test_events_that_concern_no_handler_count_as_seen(store: SqlEventStore, lanes: int) -> None:
    view = replace(additions, lanes=lanes)
    written = store.append(cart(1), [gone(), gone()])
    Projector(store, view).catch_up()
    wait_until(store, view, written.positions[-1], timeout=0)
    assert lag(store, view) == (0, 0, 0)


def test_a_view_that_is_not_there_is_told_apart_from_one_that_is_late(store: SqlEventStore) -> None:
    for ask in (
        lambda: wait_until(store, carts, Position(1)),
        lambda: lag(store, carts),
        lambda: parked(store, carts),
        lambda: retry_parked(store, carts),
    ):
        with pytest.raises(ViewError, match="no view carts"):
            ask()
    create(store, carts)
    with pytest.raises(ViewError, match="carts v2"):
        lag(store, replace(carts, version=2))


class TestLatency:
    """No bound in seconds: on a loaded machine everything takes longer, an append too.

    The bound of the project, 10 ms, is measured on a quiet one (``benchmarks/view_latency.py``).
    """

    def test_a_view_follows_an_append_at_once(self, store: SqlEventStore) -> None:
        """The median of many, against an append on the same machine in the same minute; not the slowest of them."""
        appends, delays = [], []
        with start(store, carts):
            for number in range(MANY):
                began = time.monotonic()
                written = store.append(cart(number), [added()])
                appended = time.monotonic()
                wait_until(store, carts, written.positions[-1], PATIENCE_SECONDS)
                appends.append(appended - began)
                delays.append(time.monotonic() - appended)
        assert sorted(delays)[MANY // 2] < max(0.1, 20 * sorted(appends)[MANY // 2])


def test_appends_of_many_writers_are_all_seen(store: SqlEventStore) -> None:
    def write(writer: int) -> None:
        for _ in range(20):
            store.append(cart(writer), [added(), added()])

    writers = [Thread(target=write, args=[writer]) for writer in range(4)]
    with start(store, carts, additions):
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        last = max(each.position for each in store.read_all())
        wait_until(store, carts, last, PATIENCE_SECONDS)
        wait_until(store, additions, last, PATIENCE_SECONDS)
    holds(store, [carts, additions])
    assert len(expected(additions, store.read_all())) == 4 * 20 * 2


def test_a_view_that_nobody_serves_does_not_keep_up(store: SqlEventStore) -> None:
    create(store, carts)
    store.append(cart(1), [added()])
    pace = keeping_up(store, carts, seconds=0.05)
    assert (pace.lag, pace.done_per_second, pace.there_in) == (1, 0, None)
    assert not pace.keeps_up()
    assert pace.keeps_up(allowed=1)
    Projector(store, carts).catch_up()
    assert keeping_up(store, carts, seconds=0.05).keeps_up()


def test_a_view_that_catches_up_says_when_it_is_there(store: SqlEventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    projector = Projector(store, carts)
    store.append(cart(1), [added() for _ in range(2 * MANY)])

    def meanwhile(_: float) -> None:
        projector.catch_up()
        store.append(cart(2), [added() for _ in range(MANY)])

    monkeypatch.setattr(time, "sleep", meanwhile)
    pace = keeping_up(store, carts)
    assert pace.lag == MANY
    assert pace.done_per_second * pace.seconds == pytest.approx(2 * MANY)
    assert pace.new_per_second * pace.seconds == pytest.approx(MANY)
    assert pace.there_in == pytest.approx(pace.seconds)
    assert pace.keeps_up()


def test_a_view_with_parked_events_does_not_keep_up(store: SqlEventStore) -> None:
    store.append(cart(1), [added(POISON)])
    Projector(store, fails_on_poison(carts), on_failure="park").catch_up()
    pace = keeping_up(store, carts, seconds=0.05)
    assert (pace.lag, pace.aside) == (0, 1)
    assert not pace.keeps_up()
