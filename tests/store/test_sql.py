import subprocess
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random

import pytest
import sqlalchemy

from eventlab.domain.cart import EVENTS, CartAbandoned, ItemAdded
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId, Version
from eventlab.events.errors import UnknownEventType, Unreadable
from eventlab.events.registry import TypeRegistry
from eventlab.store import NoStream, SqlEventStore, StoreError, WrongExpectedVersion, postgresql
from eventlab.store.driver import PART

from .waiting import PATIENCE_SECONDS, await_no_client

CART = StreamId("cart", "17")
OPENERS = 6


def abandoned(reason: str) -> NewEvent:
    return NewEvent(CartAbandoned(reason))


def test_events_outlive_the_store_that_wrote_them(sql_url: str) -> None:
    store = SqlEventStore(sql_url)
    store.append(CART, [abandoned("late")])
    written = list(store.read_all())
    store.close()
    again = SqlEventStore(sql_url)
    assert list(again.read_all()) == written
    with pytest.raises(WrongExpectedVersion):
        again.append(CART, [abandoned("later")], expected=NoStream)


def test_a_closed_store_serves_again_and_closes_twice(sql_url: str) -> None:
    store = SqlEventStore(sql_url)
    store.close()
    store.close()
    assert list(store.read_all()) == []


def test_threads_open_a_new_database_at_once(sql_url: str) -> None:
    start = threading.Barrier(OPENERS)
    schema = None if sql_url.startswith("sqlite") else "ana"

    def work(number: int) -> None:
        start.wait()
        SqlEventStore(sql_url, schema=schema).append(StreamId("cart", str(number)), [abandoned("late")], NoStream)

    with ThreadPoolExecutor(OPENERS) as threads:
        list(threads.map(work, range(OPENERS)))
    assert len(list(SqlEventStore(sql_url, schema=schema).read_all())) == OPENERS


def test_opening_waits_for_one_who_is_making_the_same_file(sqlite_url: str) -> None:
    """SQLite refuses the change to a write-ahead log at once while another writes, whatever the busy timeout."""
    maker = sqlalchemy.create_engine(sqlite_url)
    with maker.connect() as connection, ThreadPoolExecutor(1) as threads:
        connection.exec_driver_sql("CREATE TABLE other (id integer)")
        connection.commit()
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        opening = threads.submit(SqlEventStore, sqlite_url)
        with pytest.raises(TimeoutError):
            opening.result(timeout=0.5)
        connection.exec_driver_sql("COMMIT")
        assert list(opening.result().read_all()) == []


def test_a_subscriber_that_sleeps_is_woken(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By NOTIFY alone: by itself it would not look again within this test."""
    asleep = threading.Event()
    wait = postgresql.News.wait

    def fall_asleep(news: postgresql.News, seconds: float) -> None:
        asleep.set()
        wait(news, seconds)

    monkeypatch.setattr(postgresql.News, "wait", fall_asleep)
    monkeypatch.setattr(postgresql, "_AWAKE_SECONDS", 0)
    monkeypatch.setattr(postgresql, "_ASLEEP_SECONDS", 10 * PATIENCE_SECONDS)
    store, seen = SqlEventStore(postgres_url), []
    subscription = store.subscribe(idle=10 * PATIENCE_SECONDS)
    subscriber = threading.Thread(target=lambda: seen.append(next(subscription)), daemon=True)
    subscriber.start()
    assert asleep.wait(PATIENCE_SECONDS)
    store.append(CART, [abandoned("late")])
    subscriber.join(PATIENCE_SECONDS)
    assert seen == list(store.read_all())
    store.close()


def test_a_closed_subscription_lets_go_of_its_connection(postgres_url: str) -> None:
    store = SqlEventStore(postgres_url)
    store.append(CART, [abandoned("late")])
    subscription = store.subscribe()
    next(subscription)
    subscription.close()
    store.close()
    await_no_client(postgres_url)
    assert next(subscription, None) is None  # it is held up to here: nothing was left to the garbage collector


FORKING = """
import signal
import sys
from multiprocessing import get_context
from eventlab.domain.cart import CartAbandoned
from eventlab.events.envelope import NewEvent, StreamId, Version
from eventlab.store import SqlEventStore

def write(number):
    signal.alarm(60)  # who waits for an answer that another process got waits for ever
    for _ in range(50):
        store.append(StreamId("cart", str(number)), [NewEvent(CartAbandoned("late"))])
    return len(store.load(StreamId("cart", str(number)))[0])

store = SqlEventStore(sys.argv[1])
assert write(0) == 50
with get_context("fork").Pool(3) as pool:
    children = pool.map_async(write, [1, 2, 3], chunksize=1)
    print(write(4), children.get(60))
"""


def test_a_store_serves_in_processes_that_were_forked_from_its_own(sql_url: str) -> None:
    """As multiprocessing does on Linux; a connection that two processes share mixes up their answers."""
    done = subprocess.run([sys.executable, "-c", FORKING, sql_url], capture_output=True, text=True, check=False)
    assert done.stdout == "50 [50, 50, 50]\n", done.stderr
    assert len(list(SqlEventStore(sql_url).read_all())) == 250


@pytest.mark.parametrize("events", [PART - 1, PART, PART + 1, 2 * PART + 1])
def test_a_long_stream_is_loaded_whole(sql_url: str, events: int) -> None:
    with closing(SqlEventStore(sql_url)) as store:
        store.append(CART, [abandoned(str(n)) for n in range(events)])
        assert store.load(CART) == ([CartAbandoned(str(n)) for n in range(events)], events)
        assert store.load(CART, Version(events - 1)) == ([CartAbandoned(str(events - 1))], events)


def test_an_event_that_cannot_be_read_late_in_a_long_stream_is_named_and_blocks_nothing(sql_url: str) -> None:
    with closing(SqlEventStore(sql_url)) as store:
        store.append(CART, [abandoned(str(n)) for n in range(3 * PART)])
        with store.engine.begin() as connection:
            wrong = "UPDATE events SET data = '[]' WHERE version = :version"
            connection.execute(sqlalchemy.text(wrong), {"version": PART + 2})
        for _ in range(20):  # more often than there are connections
            with pytest.raises(Unreadable, match=f"version {PART + 2}"):
                store.load(CART)
        assert store.load(CART, Version(PART + 2))[1] == 3 * PART


def test_a_young_table_is_read_along_its_indexes(postgres_url: str) -> None:
    """PostgreSQL knows nothing yet of how much is in it, and would sort the whole table for each page."""
    administrator = sqlalchemy.create_engine(postgres_url, poolclass=sqlalchemy.NullPool)
    store = SqlEventStore(postgres_url)
    with administrator.begin() as connection:
        connection.execute(sqlalchemy.text("ALTER TABLE events SET (autovacuum_enabled = false)"))

    def scans() -> int:
        store.close()
        await_no_client(postgres_url)  # a connection tells what it did when it ends
        query = sqlalchemy.text("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'events'")
        with administrator.connect() as connection:
            return int(connection.execute(query).scalar_one())

    for number in range(5):  # large ones: they lie beside the table, which then looks small
        store.append(CART, [abandoned(Random(f"{number} {n}").randbytes(1_500).hex()) for n in range(300)])
    before = scans()
    assert len(list(store.read_all())) == len(list(store.subscribe(idle=0))) == 1_500
    assert len(list(store.read(CART))) == len(store.load(CART)[0]) == 1_500
    assert scans() == before


def test_schemas_keep_learners_apart(postgres_url: str) -> None:
    ana, bob, nobody = (SqlEventStore(postgres_url, schema=schema) for schema in ("ana", "Bob's", None))
    ana.append(CART, [abandoned("ana's")], expected=NoStream)
    bob.append(CART, [abandoned("bob's")], expected=NoStream)
    assert [recorded.event for recorded in ana.read_all()] == [CartAbandoned("ana's")]
    assert [recorded.event for recorded in bob.read(CART)] == [CartAbandoned("bob's")]
    assert list(nobody.read_all()) == []


def test_data_can_be_queried_as_json_by_others(sql_url: str) -> None:
    SqlEventStore(sql_url).append(CART, [NewEvent(ItemAdded("trousers", 3, Money.of("49.90", "EUR")))])
    price = "data -> 'price' ->> 'minor'"
    with sqlalchemy.create_engine(sql_url).connect() as connection:
        found = connection.execute(sqlalchemy.text(f"SELECT stream, type, {price} FROM events")).one()
    assert (found[0], found[1], int(found[2])) == ("cart-17", "ItemAdded", 4990)


def test_an_event_of_a_type_that_this_program_does_not_know_is_named(sql_url: str) -> None:
    SqlEventStore(sql_url).append(CART, [abandoned("late")])
    store = SqlEventStore(sql_url, TypeRegistry(set(EVENTS) - {CartAbandoned}))
    with pytest.raises(UnknownEventType, match=r"cart-17 version 1 \(position 1\).*'CartAbandoned'"):
        list(store.read(CART))


def test_an_event_that_someone_changed_is_named(sql_url: str) -> None:
    store = SqlEventStore(sql_url)
    store.append(CART, [abandoned("late"), abandoned("later")])
    with sqlalchemy.create_engine(sql_url).begin() as connection:
        connection.execute(sqlalchemy.text("""UPDATE events SET data = '{"reason": 3}' WHERE version = 2"""))
    events = store.read(CART)
    assert next(events).event == CartAbandoned("late")
    with pytest.raises(Unreadable, match=r"cart-17 version 2 \(position 2\).*`\$\.reason`"):
        next(events)


def test_another_programs_table_is_left_alone(sql_url: str) -> None:
    engine = sqlalchemy.create_engine(sql_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE events (id integer, title text)"))
    with pytest.raises(StoreError, match=r"a table events that is not an event store's.*version"):
        SqlEventStore(sql_url)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("not a url", "not the URL of a database"),
        ("mysql://localhost/shop", "not"),
        ("oracle+nonsense://localhost/shop", "not the URL of a database"),
        ("sqlite://", "MemoryEventStore"),
        ("sqlite:///:memory:", "MemoryEventStore"),
    ],
)
def test_a_url_that_cannot_serve_is_refused(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        SqlEventStore(url)


def test_sqlite_has_no_schemas(sqlite_url: str) -> None:
    with pytest.raises(ValueError, match="one file for each"):
        SqlEventStore(sqlite_url, schema=f"s{uuid.uuid4().hex}")
