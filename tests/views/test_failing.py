"""A handler that raises stops the view or parks the stream, and no event is passed over (P36)."""

from dataclasses import replace
from typing import Literal

import pytest
from tests.store.waiting import eventually

from eventlab.domain.cart import ItemAdded
from eventlab.events.envelope import Position
from eventlab.events.errors import UnknownEventType
from eventlab.events.registry import TypeRegistry
from eventlab.store import SqlEventStore
from eventlab.views import (
    HandlerFailed,
    Projector,
    ViewError,
    lag,
    parked,
    rebuild,
    retry_parked,
    start,
    switch,
    wait_until,
)

from .shop import POISON, added, cart, carts, expected, fails_on_poison, holds, removed, shown


def history(store: SqlEventStore) -> None:
    """Poison stands at position 3, in the middle of cart-1; cart-2 goes on around it."""
    store.append(cart(1), [added(), added("hat")])
    store.append(cart(1), [added(POISON)])
    store.append(cart(2), [added(), removed()])
    store.append(cart(1), [added("coat")])
    store.append(cart(2), [added("scarf")])


class TestStop:
    def test_it_stops_before_the_event_and_says_where(self, store: SqlEventStore) -> None:
        history(store)
        projector = Projector(store, fails_on_poison(carts))
        for _ in range(2):
            with pytest.raises(HandlerFailed, match=r"cart-1 version 3 \(position 3\), ItemAdded.*KeyError: 'poison'"):
                projector.catch_up()
            assert lag(store, carts).events == 5
            assert shown(store, carts) == expected(carts, store.read_all(until=Position(2)))

    def test_mended_it_goes_on_where_it_stopped(self, store: SqlEventStore) -> None:
        history(store)
        with pytest.raises(HandlerFailed):
            Projector(store, fails_on_poison(carts)).catch_up()
        assert Projector(store, carts).catch_up() == 5
        holds(store, [carts])

    def test_a_live_projector_raises_where_it_is_stopped(self, store: SqlEventStore) -> None:
        running = start(store, fails_on_poison(carts))
        history(store)
        eventually(lambda: isinstance(running.failed, HandlerFailed))
        with pytest.raises(TimeoutError):
            wait_until(store, carts, Position(3), timeout=0)
        with pytest.raises(HandlerFailed):
            running.stop()

    def test_a_rebuild_that_fails_leaves_readers_alone(self, store: SqlEventStore) -> None:
        history(store)
        Projector(store, carts).catch_up()
        with pytest.raises(HandlerFailed):
            rebuild(store, replace(fails_on_poison(carts), version=2), progress=lambda done, total: None)
        holds(store, [carts])

    def test_a_switch_that_fails_leaves_readers_alone(self, store: SqlEventStore) -> None:
        Projector(store, carts).catch_up()
        Projector(store, second := replace(fails_on_poison(carts), version=2)).catch_up()
        history(store)
        Projector(store, carts).catch_up()
        with pytest.raises(HandlerFailed):
            switch(store, second)
        holds(store, [carts])

    def test_a_statement_that_the_database_refuses_is_the_handlers_fault(self, store: SqlEventStore) -> None:
        store.append(cart(1), [added(), added()])
        twice = replace(carts, handlers={type(added().event): lambda rows, _: rows.add(carts.tables[0], {"cart": "x"})})
        with pytest.raises(HandlerFailed, match="position 2") as caught:
            Projector(store, twice).catch_up()
        assert caught.value.recorded.position == 2
        assert shown(store, carts) == [("x", None, None)]


class TestPark:
    @pytest.mark.parametrize("lanes", [1, 3])
    def test_the_stream_is_set_aside_and_the_others_go_on(self, store: SqlEventStore, lanes: int) -> None:
        view = replace(carts, lanes=lanes)
        history(store)
        Projector(store, fails_on_poison(view), on_failure="park").catch_up()
        assert [(each.stream, each.position) for each in parked(store, view)] == [("cart-1", 3), ("cart-1", 6)]
        assert "KeyError: 'poison'" in parked(store, view)[0].error
        assert "position 3" in parked(store, view)[1].error
        assert lag(store, view) == (0, 0, 2)
        everything = list(store.read_all())
        aside = {each.position for each in parked(store, view)}
        assert shown(store, view) == expected(view, [each for each in everything if each.position not in aside])

    def test_mended_they_are_applied_in_order(self, store: SqlEventStore) -> None:
        history(store)
        broken = Projector(store, fails_on_poison(carts), on_failure="park")
        broken.catch_up()
        assert retry_parked(store, fails_on_poison(carts)) == 0
        assert len(parked(store, carts)) == 2
        store.append(cart(1), [removed("coat")])
        broken.catch_up()
        assert len(parked(store, carts)) == 3
        assert retry_parked(store, carts) == 3
        assert parked(store, carts) == []
        holds(store, [carts])
        store.append(cart(1), [added("scarf")])
        Projector(store, carts).catch_up()
        holds(store, [carts])

    def test_a_stream_that_fails_again_keeps_what_was_applied(self, store: SqlEventStore) -> None:
        history(store)
        store.append(cart(1), [added("curse"), added("scarf")])
        Projector(store, fails_on_poison(carts), on_failure="park").catch_up()
        cursed = replace(carts, handlers={**carts.handlers})
        original = cursed.handlers[type(added().event)]

        def no_curse(rows, recorded):
            assert recorded.event.product != "curse"
            original(rows, recorded)

        assert retry_parked(store, replace(carts, handlers={**carts.handlers, type(added().event): no_curse})) == 2
        assert [each.position for each in parked(store, carts)] == [8, 9]
        assert "AssertionError" in parked(store, carts)[0].error
        assert retry_parked(store, carts) == 2
        holds(store, [carts])

    def test_whoever_waits_for_a_parked_event_is_told(self, store: SqlEventStore) -> None:
        history(store)
        Projector(store, fails_on_poison(carts), on_failure="park").catch_up()
        wait_until(store, carts, Position(2))
        with pytest.raises(ViewError, match="parked"):
            wait_until(store, carts, Position(5))

    def test_readers_are_not_switched_to_a_view_with_holes(self, store: SqlEventStore) -> None:
        history(store)
        Projector(store, carts).catch_up()
        second = replace(carts, version=2)
        Projector(store, fails_on_poison(second), on_failure="park").catch_up()
        with pytest.raises(ViewError, match="parked"):
            switch(store, second)
        retry_parked(store, second)
        switch(store, second)
        holds(store, [carts])


def test_an_unknown_policy_is_refused(store: SqlEventStore) -> None:
    with pytest.raises(ValueError, match="'stop' or 'park'"):
        Projector(store, carts, on_failure="skip")


@pytest.mark.parametrize("on_failure", ["stop", "park"])
def test_an_event_that_cannot_be_decoded_stops_the_view_behind_those_before_it(
    sql_url: str, on_failure: Literal["stop", "park"]
) -> None:
    store = SqlEventStore(sql_url)
    store.append(cart(1), [added(), added(), removed(), added()])
    old = SqlEventStore(sql_url, registry=TypeRegistry([ItemAdded]))
    projector = Projector(old, carts, on_failure=on_failure)
    for _ in range(2):
        with pytest.raises(UnknownEventType, match="cart-1 version 3"):
            projector.catch_up()
        assert shown(old, carts) == expected(carts, store.read_all(until=Position(2)))
    Projector(store, carts).catch_up()
    holds(store, [carts])
    old.close()
    store.close()
