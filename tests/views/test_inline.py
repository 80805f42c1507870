"""Inline views: written by the append's own transaction, or nothing is stored at all."""

from dataclasses import replace
from threading import Thread

import pytest

from eventlab.events.envelope import NewEvent
from eventlab.store import SqlEventStore
from eventlab.views import (
    Projector,
    View,
    ViewError,
    attach,
    create,
    inline,
    lag,
    live_version,
    rebuild,
    start,
    switch,
    wait_until,
)

from .shop import ALL, POISON, added, bought, cart, carts, fails_on_poison, holds, pieces, removed
from .workers import write


def opened(url: str, *views: View) -> SqlEventStore:
    return SqlEventStore(url, inline=[inline(view) for view in views])


def quiet(done: int, total: int) -> None:
    """No progress bar."""


def test_readers_see_an_append_as_soon_as_it_is_done(sql_url: str) -> None:
    store = opened(sql_url, *ALL)
    for view in ALL:
        attach(store, view)
    for seed in range(5):
        write(store, seed, appends=5)
        holds(store, ALL)
        assert [lag(store, view) for view in ALL] == [(0, 0, 0)] * len(ALL)
    written = store.append(cart(1), [added()])
    wait_until(store, carts, written.positions[-1], timeout=0)
    store.close()


def test_a_handler_that_raises_refuses_the_append(sql_url: str) -> None:
    store = opened(sql_url, fails_on_poison(carts), pieces)
    attach(store, carts)
    attach(store, pieces)
    store.append(cart(1), [added(), added()])
    before = list(store.read_all())
    poisoned = [added("hat"), added(POISON)]
    with pytest.raises(ViewError, match=r"carts v1 cannot take what was to be appended to cart-1: KeyError: 'poison'"):
        store.append(cart(1), poisoned)
    assert list(store.read_all()) == before
    holds(store, [carts, pieces])
    store.append(cart(1), [added("scarf"), bought()])
    holds(store, [carts, pieces])
    store.close()


def test_the_same_append_again_is_counted_once(sql_url: str) -> None:
    store = opened(sql_url, pieces)
    attach(store, pieces)
    again = [added("hat", 2), added("scarf")]
    for _ in range(3):
        store.append(cart(1), again)
    holds(store, [pieces])
    store.close()


def test_before_it_is_attached_a_projector_does_the_work(sql_url: str) -> None:
    store = opened(sql_url, carts)
    write(store, 1, appends=10)
    with start(store, carts):
        written = store.append(cart(1), [added()])
        wait_until(store, carts, written.positions[-1])
    holds(store, [carts])
    attach(store, carts)
    write(store, 2, appends=10)
    assert Projector(store, carts).catch_up() == 0
    holds(store, [carts])
    store.close()


def hammer(url: str, views: tuple[View, ...], number: int) -> list[BaseException]:
    """Four writers at once, each on carts of its own and on products of all; what they raised."""
    failed: list[BaseException] = []

    def run(writer: int) -> None:
        store = SqlEventStore(url, inline=[inline(*views)])
        try:
            for each in range(number):
                new: list[NewEvent] = [added(f"product {each % 3}"), removed("hat")]
                store.append(cart(writer), new)
        except BaseException as error:
            failed.append(error)
        finally:
            store.close()

    writers = [Thread(target=run, args=[writer]) for writer in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return failed


@pytest.mark.parametrize("view", [pieces, carts], ids=str)
def test_many_writers_change_the_same_rows(sql_url: str, view: View) -> None:
    store = SqlEventStore(sql_url)
    attach(store, view)
    assert hammer(sql_url, (view,), 15) == []
    holds(store, [view])
    store.close()


@pytest.mark.parametrize("view", [pieces, carts], ids=str)
def test_attached_while_others_append(sql_url: str, view: View) -> None:
    store = SqlEventStore(sql_url)
    write(store, 1, appends=20)
    failed: list[BaseException] = []
    writers = Thread(target=lambda: failed.extend(hammer(sql_url, (view,), 20)))
    writers.start()
    attach(store, view)
    writers.join()
    assert failed == []
    holds(store, [view])
    store.close()


@pytest.mark.parametrize("view", [pieces, carts], ids=str)
def test_rebuilt_and_switched_while_others_append(sql_url: str, view: View) -> None:
    store = SqlEventStore(sql_url)
    write(store, 1, appends=20)
    attach(store, view)
    second = replace(view, version=2)
    failed: list[BaseException] = []
    with SqlEventStoreOpen(sql_url, view, second) as both:
        write(both, 2, appends=5)
        writers = Thread(target=lambda: failed.extend(hammer(sql_url, (view, second), 20)))
        writers.start()
        rebuild(both, second, progress=quiet)
        writers.join()
        assert failed == []
        assert live_version(store, view) == 2
        holds(store, [view])
        assert lag(store, second) == (0, 0, 0)
        Projector(store, view).catch_up()
        switch(both, view)
        write(both, 3, appends=5)
        holds(store, [view])
    store.close()


class SqlEventStoreOpen:
    """A store that keeps the given versions of one view, closed at the end of the block."""

    def __init__(self, url: str, *versions: View) -> None:
        self._store = SqlEventStore(url, inline=[inline(*versions)])

    def __enter__(self) -> SqlEventStore:
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()


def test_a_program_that_does_not_know_the_live_version_is_refused(sql_url: str) -> None:
    store = opened(sql_url, carts)
    second = replace(carts, version=2)
    attach(store, carts)
    store.append(cart(1), [added()])
    rebuild(store, second, progress=quiet)
    before = list(store.read_all())
    with pytest.raises(ViewError, match="version 2 of the view carts is live, and this program has only version 1"):
        store.append(cart(1), [added()])
    assert list(store.read_all()) == before
    store.close()


def test_mistakes_are_told(sql_url: str) -> None:
    with pytest.raises(ValueError, match="versions of one view"):
        inline(carts, pieces)
    with pytest.raises(ValueError, match="versions of one view"):
        inline(carts, carts)
    store = opened(sql_url, carts)
    create(store, carts)
    with pytest.raises(ViewError, match="switch to it first"):
        attach(store, replace(carts, version=2))
    store.close()
