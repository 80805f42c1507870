"""After any history, worked through in any portions, every view shows what the events say."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, UniqueConstraint

from eventlab.domain.cart import EVENTS, ItemAdded
from eventlab.events.envelope import NewEvent
from eventlab.events.registry import TypeRegistry
from eventlab.store import SqlEventStore
from eventlab.views import (
    HandlerFailed,
    Projector,
    Rows,
    View,
    ViewError,
    create,
    rebuild,
    row_per_stream,
    with_parts,
)

from .shop import ALL, CARTS, POISON, added, bought, cart, carts, fails_on_poison, gone, holds, pieces, removed, shown

products = st.sampled_from(["socks", "trousers", "Hüte"])
events = st.one_of(
    st.builds(added, products, st.integers(1, 5)),
    st.builds(removed, products, st.integers(1, 5)),
    st.builds(bought),
    st.builds(gone),
)
# Appends, each with the number of its stream, and None where the projectors get a turn.
histories = st.lists(st.none() | st.tuples(st.integers(1, 3), st.lists(events, min_size=1, max_size=4)), max_size=20)


def check(store: SqlEventStore, history: list[tuple[int, list[NewEvent]] | None], lanes: int) -> None:
    views = [replace(view, lanes=1 if view is pieces else lanes) for view in ALL]
    projectors = [Projector(store, view) for view in views]
    for entry in [*history, None]:
        if entry is None:
            for projector in projectors:
                projector.catch_up()
            holds(store, views)
        else:
            stream, batch = entry
            store.append(cart(stream), batch)
    for view in views:
        rebuild(store, replace(view, version=2), progress=lambda done, total: None)
    holds(store, views)


@settings(max_examples=30, deadline=None)
@given(histories, st.integers(1, 3))
def test_sqlite(history: list[tuple[int, list[NewEvent]] | None], lanes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = SqlEventStore(f"sqlite:///{Path(folder) / 'events.db'}")
        try:
            check(store, history, lanes)
        finally:
            store.close()


def test_both_databases(store: SqlEventStore) -> None:
    def batch() -> list[NewEvent]:
        return [added("socks", 2), added("hat"), removed("socks"), gone()]

    check(store, [(1, batch()), (2, batch()), None, (1, [bought(), added("hat", 3)]), None, (2, batch())], lanes=2)


def test_a_history_of_several_pages(store: SqlEventStore) -> None:
    for number in range(25):
        store.append(cart(number % 5), [added(f"product {each % 7}") for each in range(100)])
    told: list[tuple[int, int]] = []
    done = Projector(store, carts).catch_up(lambda done, total: told.append((done, total)))
    assert done == 2_500
    assert told[0] == (0, 2_500)
    assert told[-1] == (2_500, 2_500)
    assert len(told) > 3
    assert told == sorted(told)
    holds(store, [carts])


def test_names_of_indexes_and_constraints_do_not_collide_between_versions(store: SqlEventStore) -> None:
    table = Table(
        "named",
        MetaData(),
        Column("stream", Text, primary_key=True),
        Column("n", Integer),
        UniqueConstraint("stream", "n", name="one"),
        Index("by_n", "n"),
    )
    view = View("named", (table,), row_per_stream(table, {ItemAdded: lambda row, recorded: {"n": recorded.version}}))
    store.append(cart(1), [added(), added()])
    Projector(store, view).catch_up()
    rebuild(store, replace(view, version=2), progress=lambda done, total: None)
    assert shown(store, view) == [("cart-1", 2)]


class TestRows:
    """What a custom handler can rely on."""

    def test_statements_of_its_own_see_what_was_put(self, store: SqlEventStore) -> None:
        seen = []

        def handler(rows: Rows, recorded: object) -> None:
            rows.put(CARTS, {"cart": "a", "pieces": 1})
            rows.add(CARTS, {"cart": "b", "pieces": 2})
            table = rows[CARTS]
            rows.execute(table.update().values(pieces=table.c.pieces * 10))
            seen.append((rows.get(CARTS, "a"), rows.get(CARTS, "b"), rows.get(CARTS, "c")))
            rows.delete(CARTS, "b")
            rows.delete(CARTS, "c")

        store.append(cart(1), [added()])
        Projector(store, View("own", (CARTS,), {ItemAdded: handler})).catch_up()
        assert seen == [({"cart": "a", "pieces": 10, "trail": None}, {"cart": "b", "pieces": 20, "trail": None}, None)]
        assert shown(store, carts) == [("a", 10, None)]

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            (lambda rows, _: rows.add(CARTS, {"card": "a"}), "no column card"),
            (lambda rows, _: rows.delete(CARTS), "primary key of carts has 1 columns, not 0"),
            (lambda rows, _: rows.get(CARTS, "a", "b"), "primary key of carts has 1 columns, not 2"),
        ],
    )
    def test_mistakes_are_told(self, store: SqlEventStore, wrong: object, said: str) -> None:
        store.append(cart(1), [added()])
        with pytest.raises(ViewError, match=said):
            Projector(store, View("own", (CARTS,), {ItemAdded: wrong})).catch_up()


class TestDefinition:
    def test_what_cannot_be_a_view_is_refused(self) -> None:
        for wrong in (
            lambda: View("", (CARTS,), {}),
            lambda: View("none", (), {}),
            lambda: View("twice", (CARTS, CARTS), {}),
            lambda: replace(carts, version=0),
            lambda: replace(carts, lanes=0),
        ):
            with pytest.raises(ValueError, match="view"):
                wrong()

    def test_a_table_of_that_name_is_not_taken_over(self, store: SqlEventStore) -> None:
        with store.engine.begin() as connection:
            CARTS.create(connection)
        with pytest.raises(ViewError, match="a table or view 'carts' already"):
            create(store, carts)
        with store.engine.begin() as connection:
            CARTS.drop(connection)
        create(store, carts)

    def test_other_columns_or_lanes_need_another_version(self, store: SqlEventStore) -> None:
        create(store, carts)
        other = Table("carts", MetaData(), Column("cart", Text, primary_key=True), Column("total", Integer))
        with pytest.raises(ViewError, match="other columns"):
            create(store, replace(carts, tables=(other,)))
        with pytest.raises(ViewError, match="1 lanes, not 2"):
            create(store, replace(carts, lanes=2))
        create(store, replace(carts, lanes=2, version=2))

    def test_a_row_per_stream_needs_a_key_for_it(self) -> None:
        keyless = Table("keyless", MetaData(), Column("cart", Text))
        with pytest.raises(ValueError, match="primary key of one column"):
            row_per_stream(keyless, {})


class Swapped(Struct, frozen=True):
    """Out with one product, in with another, in one event."""

    out: str
    into: str


def test_an_event_that_stands_for_two_goes_to_the_handlers_of_both_in_one_transaction(sql_url: str) -> None:
    def parts(event: Swapped) -> list[object]:
        return [removed(event.out).event, added(event.into).event, gone().event]  # of the last one no view hears

    views = [replace(view, handlers=with_parts(view.handlers, Swapped, parts)) for view in ALL]
    store = SqlEventStore(sql_url, TypeRegistry([*EVENTS, Swapped]))
    store.append(cart(1), [added("socks"), NewEvent(Swapped("socks", "trousers")), added("hat")])
    for view in views:
        Projector(store, view).catch_up()

    of_additions, of_carts, of_pieces = (shown(store, view) for view in views)
    assert [row[2] for row in of_additions] == ["socks", "trousers", "hat"]
    assert of_carts == [("cart-1", 2, " 1 2 2 3")]
    assert of_pieces == [("hat", 1), ("socks", 1), ("trousers", 1)]

    picky = replace(carts, handlers=with_parts(fails_on_poison(carts).handlers, Swapped, parts))
    store.append(cart(1), [NewEvent(Swapped("hat", POISON))])
    with pytest.raises(HandlerFailed):
        Projector(store, picky).catch_up()
    assert shown(store, carts) == of_carts, "the first part is not kept without the second"
    store.close()
