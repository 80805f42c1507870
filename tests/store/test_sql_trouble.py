"""A database that cannot serve says so as Unavailable, with what to do, and without its password."""

import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
import sqlalchemy
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import IntegrityError

from eventlab.domain.cart import CartAbandoned
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.store import SqlEventStore, StoreError, Unavailable, sql, tables

CART = StreamId("cart", "17")
PATIENCE_SECONDS = 20


def abandoned(reason: str = "late") -> NewEvent:
    return NewEvent(CartAbandoned(reason))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "PATIENCE_SECONDS", 1)
    monkeypatch.setattr(sql, "PATIENCE_SECONDS", 1)


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Engine]:
    """What the administrator holds."""
    engine = sqlalchemy.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


def run(engine: Engine, *statements: str) -> None:
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


def on_insert(engine: Engine, action: str) -> None:
    """Let the server itself fail while it stores an event."""
    run(
        engine,
        f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {action}; RETURN NEW; END $$",
        "CREATE TRIGGER fail BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION fail()",
    )


def test_no_server() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql+psycopg://lab:secret@127.0.0.1:{taken.getsockname()[1]}/shop"
        with pytest.raises(Unavailable, match="check that the server runs") as caught:
            SqlEventStore(url)
    assert "secret" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


def test_no_such_database(postgres_url: str) -> None:
    url = sqlalchemy.make_url(postgres_url).set(database="nowhere")
    with pytest.raises(Unavailable, match=r'check .* that the address is right .*"nowhere" does not exist'):
        SqlEventStore(url)


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="make sure that its folder exists"):
        SqlEventStore(f"sqlite:///{tmp_path / 'nowhere' / 'events.db'}")


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear Ana, " * 500)
    with pytest.raises(Unavailable, match="not an SQLite database"):
        SqlEventStore(f"sqlite:///{path}")
    assert path.read_text() == "Dear Ana, " * 500


def test_a_read_only_file_is_read_but_not_written(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    SqlEventStore(f"sqlite:///{path}").append(CART, [abandoned()])
    store = SqlEventStore(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert [recorded.event for recorded in store.read(CART)] == [CartAbandoned("late")]
    with pytest.raises(Unavailable, match="make the file and its folder writable"):
        store.append(CART, [abandoned()])


def test_a_locked_file(sqlite_url: str, impatient: None) -> None:
    store = SqlEventStore(sqlite_url)
    other = sqlalchemy.create_engine(sqlite_url)
    with other.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="another program kept it locked"):
            store.append(CART, [abandoned()])
        assert list(store.read_all()) == []
    other.dispose()
    assert store.append(CART, [abandoned()]).versions == (1,)


def test_a_full_disk(sqlite_url: str) -> None:
    store = SqlEventStore(sqlite_url)
    store.append(CART, [abandoned()])
    store.close()
    limit = lambda connection, _: connection.execute("PRAGMA max_page_count = 20")  # noqa: E731
    event.listen(Engine, "connect", limit)
    try:
        with pytest.raises(Unavailable, match="the disk is full, nothing was stored"):
            store.append(CART, [abandoned("x" * 1_000) for _ in range(100)])
        assert len(list(store.read_all())) == 1
    finally:
        event.remove(Engine, "connect", limit)
    store.close()
    assert store.append(CART, [abandoned("x" * 1_000) for _ in range(100)]).versions[-1] == 101


def test_a_writer_that_does_not_finish(postgres_url: str, postgres: Engine, impatient: None) -> None:
    store = SqlEventStore(postgres_url)
    go, standing = Event(), Event()

    def stop(*_: object) -> None:
        standing.set()
        go.wait()

    with ThreadPoolExecutor(1) as threads:
        stopped = threads.submit(SqlEventStore(postgres_url, inline=[stop]).append, CART, [abandoned()])
        try:
            assert standing.wait(PATIENCE_SECONDS)
            with pytest.raises(Unavailable, match="another writer did not finish"):
                store.append(CART, [abandoned()])
            store.append(StreamId("cart", "other"), [abandoned()])
            with pytest.raises(Unavailable, match="another writer did not finish"):
                store.read_all()
        finally:
            go.set()
        stopped.result()
    assert store.append(CART, [abandoned()]).versions == (2,)


def test_what_a_view_within_the_append_raises_refuses_it(sql_url: str) -> None:
    """Also when it violates a constraint: that is not another writer who was first."""
    store = SqlEventStore(sql_url)
    with store.engine.begin() as connection:
        connection.execute(text("CREATE TABLE taken (n integer PRIMARY KEY)"))
    twice = [lambda connection, _: connection.execute(text("INSERT INTO taken VALUES (1)"))] * 2
    refused = SqlEventStore(sql_url, inline=twice)
    with pytest.raises(IntegrityError, match="taken"):
        refused.append(CART, [abandoned()])
    assert list(store.read_all()) == []
    assert store.append(CART, [abandoned()]).versions == (1,)
    refused.close()
    store.close()


def test_a_server_whose_transactions_are_serializable_by_default(postgres_url: str, postgres: Engine) -> None:
    """One who commits in the middle of an append refuses nobody who writes another stream."""
    database = sqlalchemy.make_url(postgres_url).database
    run(postgres, f"ALTER DATABASE {database} SET default_transaction_isolation = 'serializable'")
    store = SqlEventStore(postgres_url)

    def others(*_: object) -> None:
        store.append(StreamId("cart", "other"), [abandoned()])

    SqlEventStore(postgres_url, inline=[others]).append(CART, [abandoned()])
    assert {str(recorded.stream) for recorded in store.read_all()} == {"cart-17", "cart-other"}


def test_more_subscribers_than_connections_leave_one_for_an_append(sql_url: str) -> None:
    store = SqlEventStore(sql_url)
    store.append(CART, [abandoned()])
    followers = [store.follow(idle=PATIENCE_SECONDS) for _ in range(20)]
    for version in (1, 2):
        assert [next(each)[0].version for each in followers] == [version] * len(followers)
        store.append(CART, [abandoned()])
    for each in followers:
        each.close()
    store.close()


def test_a_server_that_takes_no_writes(postgres_url: str, postgres: Engine) -> None:
    SqlEventStore(postgres_url).append(CART, [abandoned()])
    database = sqlalchemy.make_url(postgres_url).database
    run(postgres, f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    store = SqlEventStore(postgres_url)
    assert len(list(store.read_all())) == 1
    with pytest.raises(Unavailable, match="connect to the primary"):
        store.append(CART, [abandoned()])


def test_a_user_without_the_right_to_write(postgres_url: str, postgres: Engine) -> None:
    SqlEventStore(postgres_url)
    database = sqlalchemy.make_url(postgres_url).database
    run(postgres, f"CREATE ROLE {database} LOGIN PASSWORD 'secret'", f"GRANT SELECT ON events TO {database}")
    try:
        guest = SqlEventStore(sqlalchemy.make_url(postgres_url).set(username=database, password="secret"))
        assert list(guest.read_all()) == []
        with pytest.raises(Unavailable, match="this user may not do that"):
            guest.append(CART, [abandoned()])
        guest.close()
    finally:
        run(postgres, f"DROP OWNED BY {database}", f"DROP ROLE {database}")


def test_a_server_with_a_full_disk(postgres_url: str, postgres: Engine) -> None:
    store = SqlEventStore(postgres_url)
    on_insert(postgres, "IF NEW.version = 2 THEN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END IF")
    with pytest.raises(Unavailable, match="disk is full, nothing was stored"):
        store.append(CART, [abandoned(), abandoned()])
    assert list(store.read_all()) == []


def test_an_event_that_is_too_large_for_the_server(postgres_url: str, postgres: Engine) -> None:
    """It will be too large next time as well, so this is not Unavailable. (A text of JSONB has 256 MB at most.)"""
    store = SqlEventStore(postgres_url)
    on_insert(
        postgres, "IF NEW.version = 2 THEN RAISE EXCEPTION 'too long' USING ERRCODE = 'program_limit_exceeded'; END IF"
    )
    for count in (2, 300):
        with pytest.raises(StoreError, match="does not take the events of cart-17; nothing was stored") as caught:
            store.append(CART, [abandoned() for _ in range(count)])
        assert not isinstance(caught.value, Unavailable)
    assert list(store.read_all()) == []


def test_an_event_that_is_too_large_for_a_file(sqlite_url: str) -> None:
    """SQLite takes 1 GB; here less, so that the test need not."""
    limit = lambda connection, _: connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 100_000)  # noqa: E731
    event.listen(Engine, "connect", limit)
    try:
        store = SqlEventStore(sqlite_url)
        with pytest.raises(StoreError, match="does not take the events of cart-17; nothing was stored") as caught:
            store.append(CART, [abandoned(), abandoned("x" * 200_000)])
        assert not isinstance(caught.value, Unavailable)
        assert list(store.read_all()) == []
    finally:
        event.remove(Engine, "connect", limit)
    store.close()


def test_a_server_that_goes_during_an_append(postgres_url: str, postgres: Engine) -> None:
    store = SqlEventStore(postgres_url)
    events = [abandoned(), abandoned()]
    on_insert(postgres, "PERFORM pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(Unavailable, match=r"append the same events \(the same ids\) again"):
        store.append(CART, events)
    run(postgres, "DROP TRIGGER fail ON events")
    assert store.append(CART, events).versions == (1, 2)
    assert len(list(store.read_all())) == 2


def test_a_server_that_goes_after_an_append(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The events are stored, and told so: who is told that nobody knows might decide once more."""
    store = SqlEventStore(postgres_url)
    monkeypatch.setattr(store._database, "_notify", "SELECT pg_terminate_backend(pg_backend_pid())")
    assert store.append(CART, [abandoned()]).versions == (1,)
    assert store.append(CART, [abandoned()]).versions == (2,)
    assert len(list(store.read_all())) == 2
    store.close()


def test_a_server_that_was_restarted_in_between(postgres_url: str, postgres: Engine) -> None:
    store = SqlEventStore(postgres_url)
    store.append(CART, [abandoned()])
    run(
        postgres,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    assert store.append(CART, [abandoned()]).versions == (2,)


def test_a_table_that_is_gone(sql_url: str) -> None:
    store = SqlEventStore(sql_url)
    with sqlalchemy.create_engine(sql_url).begin() as connection:
        connection.execute(text("DROP TABLE events"))
    with pytest.raises(Unavailable, match="its table is gone"):
        store.append(CART, [abandoned()])
    with pytest.raises(Unavailable, match="its table is gone"):
        store.read(CART)
