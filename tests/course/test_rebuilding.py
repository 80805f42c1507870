"""The shop of lesson 08: the bug, and the two ways to bring in a mended view, on both databases."""

import pytest
import sqlalchemy

from eventlab import views
from eventlab.course import rebuilding
from eventlab.course.rebuilding import BUGGY, MENDED, PATCHED, Timing

CARTS = 300  # enough for several batches of a rebuild


@pytest.fixture
def shop(sql_url):
    shop = rebuilding.Shop(sql_url, carts=CARTS)
    yield shop
    shop.close()


def test_the_bug_makes_some_carts_wrong_and_the_patch_leaves_them_so(shop):
    wrong = shop.wrong()
    assert 0 < len(wrong) < CARTS
    assert (wrong["the view says"] > wrong["the events say"]).all()
    views.Projector(shop.store, PATCHED).catch_up()
    assert shop.wrong().equals(wrong)


def test_in_place_readers_find_it_empty_and_half_until_it_is_right(shop):
    with shop.open() as seen:
        rebuilding.in_place(shop.store, PATCHED)
    assert seen.count("empty") > 0
    assert seen.count("half") > 0
    assert seen.torn > 0
    assert seen.looks[-1].found == "whole, right"
    assert len(shop.wrong()) == 0


def test_beside_readers_find_the_old_one_and_then_the_new_one_while_customers_come(shop):
    before = len(list(shop.store.read_all()))
    with shop.open() as seen, views.start(shop.store, BUGGY):
        rebuilt = views.rebuild(shop.store, MENDED)
    assert rebuilt.events >= before
    assert seen.torn == 0
    found = [look.found for look in seen.looks]
    switched = found.index("whole, right")
    assert set(found[:switched]) == {"whole, wrong"}
    assert set(found[switched:]) == {"whole, right"}
    rows = [look.rows for look in seen.looks]
    assert rows == sorted(rows), "nobody who came while the view was rebuilt is missing after the switch"
    views.Projector(shop.store, MENDED).catch_up()
    assert len(shop.wrong()) == 0
    assert len(list(shop.store.read_all())) > before


def test_a_timed_build_leaves_nothing_behind(shop):
    timing = rebuilding.timed(shop.store, MENDED)
    assert timing.points[-1][0] == len(list(shop.store.read_all()))
    assert views.live_version(shop.store, MENDED) == 1
    assert timing.rate > 0
    again = rebuilding.timed(shop.store, MENDED)
    assert again.points[-1][0] == timing.points[-1][0]


def test_the_time_for_more_events_is_read_off_the_line():
    timing = Timing(((0, 0.0), (1000, 0.5), (2000, 1.0)))
    assert (timing.rate, timing.seconds(10_000)) == (2000, 5)
    assert "0 to 2,000 events and 1.00 seconds: 2,000 events per second" in timing.chart().alt
    assert timing.table().values.tolist() == [[0, 0.0], [1000, 0.5], [2000, 1.0]]


def test_a_shop_takes_its_schema_with_it(postgres_url):
    shop = rebuilding.Shop(postgres_url, carts=20)
    schema = shop.store.schema
    engine = sqlalchemy.create_engine(postgres_url)
    assert sqlalchemy.inspect(engine).has_schema(schema)
    shop.close()
    assert not sqlalchemy.inspect(engine).has_schema(schema)
    engine.dispose()
