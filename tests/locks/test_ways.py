"""Each way of locking by itself: it adds what was asked, tells its steps, and leaves nothing behind."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy

from eventlab.cluster import redis
from eventlab.locks import WAYS, Step, Teller, fenced, nobody
from eventlab.store import Unavailable

ON_SQLITE = [name for name, way in WAYS.items() if not way.needs_postgres]


@pytest.fixture(
    params=[*((name, "sqlite") for name in ON_SQLITE), *((name, "postgres") for name in WAYS)], ids="-".join
)
def place(request):
    """A way of locking and what its tellers take."""
    name, database = request.param
    options = {"url": request.getfixturevalue(f"{database}_url"), "name": "ana-and-ben", "redis_url": redis.url()}
    return WAYS[name], {**options, "schema": "bank"} if database == "postgres" else options


@pytest.fixture
def bank(place):
    way, options = place
    teller = Teller(**options)
    way.open(teller)
    yield way, teller
    teller.remove()


def test_a_deposit_is_in_the_balance_that_another_teller_reads(bank, place):
    way, teller = bank
    assert [way.deposit(teller, amount, nobody) for amount in (100, 250, 1)] == [0, 0, 0]
    other = Teller(**place[1])
    assert way.balance(other) == 351
    other.close()


def test_it_tells_what_it_read_and_what_it_wrote(bank):
    way, teller = bank
    way.deposit(teller, 100, nobody)
    steps = []
    way.deposit(teller, 50, lambda *step: steps.append(step))
    assert [step for step in steps if step[0] is not Step.LOCKS] == [(Step.READS, 100), (Step.WRITES, 150)]
    assert [step for step, _ in steps].count(Step.LOCKS) == way.needs_redis


def test_a_writer_that_fails_after_reading_changes_nothing_and_blocks_nobody(bank):
    way, teller = bank

    def fail(step, balance):
        if step is Step.READS:
            raise RuntimeError("planted")

    with pytest.raises(RuntimeError, match="planted"):
        way.deposit(teller, 100, fail)
    assert way.balance(teller) == 0
    assert way.deposit(teller, 100, nobody) == 0
    assert way.balance(teller) == 100


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@pytest.mark.parametrize(
    ("name", "in_vain", "balance"), [("no lock", 0, 100), ("version column", 1, 107), ("event store", 1, 107)]
)
def test_another_deposit_between_reading_and_writing(request, database, name, in_vain, balance):
    """What is not locked lets the other through: the one that read first overwrites it, or sees it and tries again."""
    way = WAYS[name]
    first, second = (Teller(request.getfixturevalue(f"{database}_url"), "ana-and-ben") for _ in range(2))
    way.open(first)
    others = [7]

    def meanwhile(step, _):
        if step is Step.READS and others:
            way.deposit(second, others.pop(), nobody)

    assert way.deposit(first, 100, meanwhile) == in_vain
    assert way.balance(second) == balance
    second.close()
    first.remove()


def test_a_stale_writer_is_refused_as_soon_as_the_next_holder_has_read(postgres_url):
    """Were the token only checked when writing, the stale write would pass here, and then be overwritten."""
    way, options = WAYS["Redis + fence"], {"url": postgres_url, "name": "ana-and-ben", "redis_url": redis.url()}
    stale, next_ = Teller(**options), Teller(**options)
    way.open(stale)
    has_read, may_write, was_refused = (threading.Event() for _ in range(3))
    order = []

    def tell_stale(step, _):
        order.append(("stale", step))
        if step is Step.READS and not has_read.is_set():
            has_read.set()
            assert may_write.wait(30)
        if step is Step.REFUSED:
            was_refused.set()

    def tell_next(step, _):
        order.append(("next", step))
        if step is Step.READS:
            may_write.set()
            assert was_refused.wait(30)

    with ThreadPoolExecutor(1) as pool:
        retries = pool.submit(way.deposit, stale, 100, tell_stale)
        assert has_read.wait(30)
        stale.redis.delete(stale.key)  # its lease is over
        assert way.deposit(next_, 7, tell_next) == 0
        assert retries.result(30) == 1
    assert order.index(("stale", Step.REFUSED)) < order.index(("next", Step.WRITES))
    assert way.balance(next_) == 107
    next_.close()
    stale.remove()


def test_a_counter_of_tokens_that_was_lost_is_told(sqlite_url, monkeypatch):
    monkeypatch.setattr(fenced, "_ATTEMPTS", 3)
    way, teller = WAYS["Redis + fence"], Teller(sqlite_url, "ana-and-ben", redis_url=redis.url())
    way.open(teller)
    for _ in range(5):
        way.deposit(teller, 100, nobody)
    teller.redis.delete(f"{teller.key}:fence")
    with pytest.raises(RuntimeError, match="was Redis emptied"):
        way.deposit(teller, 100, nobody)
    assert way.balance(teller) == 500
    teller.remove()


def test_a_way_with_redis_says_when_it_has_none(sqlite_url):
    teller = Teller(sqlite_url, "ana-and-ben")
    teller.open()
    with pytest.raises(ValueError, match=r"eventlab\.cluster\.redis\.url"):
        WAYS["Redis lock"].deposit(teller, 100, nobody)
    teller.remove()


def test_nothing_is_left_behind(place):
    way, options = place
    teller = Teller(**options)
    way.open(teller)
    way.deposit(teller, 100, nobody)
    teller.remove()
    engine = sqlalchemy.create_engine(options["url"])
    tables = sqlalchemy.inspect(engine).get_table_names(schema=options.get("schema"))
    engine.dispose()
    assert "balances" not in tables
    assert redis.connect().keys("eventlab:*") == []


def test_a_database_that_is_not_there_gets_a_sentence():
    teller = Teller("postgresql+psycopg://ana:secret@127.0.0.1:1/bank", "ana-and-ben")
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1/bank: .*check that the server runs") as raised:
        teller.open()
    assert "secret" not in str(raised.value)
