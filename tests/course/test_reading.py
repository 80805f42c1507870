"""A reader of a view, and what it calls what it finds."""

import time

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, create_engine, delete, insert, update
from sqlalchemy.exc import DBAPIError

from eventlab.course.reading import Look, Reading, reading

STOCK = Table("stock", MetaData(), Column("product", Text, primary_key=True), Column("pieces", Integer))
PATIENCE_SECONDS = 20


@pytest.fixture
def engine(sqlite_url):
    engine = create_engine(sqlite_url)
    STOCK.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(STOCK), [{"product": name, "pieces": 1} for name in ("socks", "belt")])
    yield engine
    engine.dispose()


def do(engine, seen, statement):
    """Run it, and wait until the reader has looked twice more: the second look began after it."""
    with engine.begin() as connection:
        connection.execute(statement)
    looks, deadline = len(seen.looks), time.monotonic() + PATIENCE_SECONDS
    while len(seen.looks) < looks + 2:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_it_finds_the_view_whole_half_and_empty(engine):
    with reading(engine, STOCK, "pieces", "socks", right=3) as seen:
        do(engine, seen, delete(STOCK).where(STOCK.c.product == "belt"))
        do(engine, seen, delete(STOCK))
        do(engine, seen, insert(STOCK).values([{"product": "belt", "pieces": 1}, {"product": "socks", "pieces": 2}]))
        do(engine, seen, update(STOCK).where(STOCK.c.product == "socks").values(pieces=3))
        do(engine, seen, insert(STOCK).values(product="scarf", pieces=9))
    table = seen.table()
    assert table["found"].tolist() == [
        "whole, wrong", "half", "empty", "whole, wrong", "whole, right", "whole, right",
    ]  # fmt: skip
    assert table["rows"].tolist() == [2, 1, 0, 2, 2, 3]
    assert table["looks"].sum() == len(seen.looks)
    assert table["looks"].iloc[0] >= 10 <= table["looks"].iloc[-1], "how it was, and how it is"
    assert table["until"].tolist()[:-1] == table["from"].tolist()[1:]


def test_what_the_query_raises_is_raised_at_the_end(engine):
    gone = Table("gone", MetaData(), Column("product", Text, primary_key=True), Column("pieces", Integer))
    with pytest.raises(DBAPIError, match="gone"), reading(engine, gone, "pieces", "socks", right=3):
        pass


def test_a_reader_that_fails_later_does_not_hang(engine):
    with pytest.raises(DBAPIError, match="stock"), reading(engine, STOCK, "pieces", "socks", right=3):
        STOCK.drop(engine)


def test_it_says_how_much_was_torn():
    found = ["whole, wrong", "empty", "half", "whole, right"]
    seen = Reading(5, [Look(number / 10, 5, each) for number, each in enumerate(found)])
    assert seen.torn == 50
    assert repr(seen) == "4 looks: 1 empty, 1 half, 1 whole, wrong, 1 whole, right"
    assert "of 4 looks 1 empty, 1 half, 1 whole, wrong, 1 whole, right" in seen.picture().alt
