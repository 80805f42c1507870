"""The one table that an SQL event store needs, and how it is made when two programs open a new database at once."""

import time
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    inspect,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateSchema

from eventlab.store.contract import StoreError

PATIENCE_SECONDS = 10  # how long to wait for another writer: far longer than any append takes
_RETRY_SECONDS = 0.02
# SQLite's own 2 MB do not hold what an import of some ten thousand events changes: it would be written twice.
_CACHE_KB = 16_000
# Pages of 4 KB in the write-ahead log before they are copied into the file. Those at the end of the table and of its
# indexes change with each append: the more appends between two copies, the less each of them pays.
_CHECKPOINT_PAGES = 4_000


def events_table(schema: str | None) -> Table:
    """The table ``events``. The two constraints decide who was first, whatever the program believes.

    ``position`` comes from a sequence on PostgreSQL, and is counted on SQLite, which has one writer at a time.
    SQLite has neither ids nor times: there they are the 16 bytes, and the microseconds since 1970 (UTC).
    """
    json = JSON().with_variant(JSONB(), "postgresql")
    uuid = Uuid().with_variant(LargeBinary(), "sqlite")
    time = DateTime(timezone=True).with_variant(BigInteger(), "sqlite")
    return Table(
        "events",
        MetaData(schema=schema),
        Column("stream", Text, nullable=False),
        Column("version", BigInteger, nullable=False),
        # SQLite's row number is spelled INTEGER; it holds 64 bits all the same.
        Column(
            "position",
            BigInteger().with_variant(Integer(), "sqlite"),
            Sequence("events_position", schema=schema),
            primary_key=True,
            autoincrement=False,
        ),
        Column("type", Text, nullable=False),
        Column("schema_version", Integer, nullable=False),
        Column("data", json, nullable=False),
        Column("id", uuid, nullable=False, unique=True),
        Column("valid_time", time, nullable=False),
        Column("recorded_time", time, nullable=False),
        Column("causation", uuid),
        Column("correlation", uuid),
        Column("metadata", json, nullable=False),
        UniqueConstraint("stream", "version"),
    )


def prepare_connection(connection: Any, dialect: str) -> None:
    """Settings of a new database connection (the DBAPI's own object)."""
    if dialect == "sqlite":
        connection.isolation_level = None  # the store says BEGIN itself: the driver's is not IMMEDIATE
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE_SECONDS * 1000}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    else:
        connection.autocommit = True
        connection.execute("SET TIME ZONE 'UTC'")
        # Whatever the database's default: an append that another one beat looks again, in the same transaction or the
        # next one, and a view that waited for its checkpoint sees where it stands now.
        connection.execute("SET default_transaction_isolation = 'read committed'")
        connection.execute(f"SET lock_timeout = '{PATIENCE_SECONDS}s'")
        connection.autocommit = False


def create(engine: Engine, table: Table) -> None:
    """Make the table (and its schema) unless it is there. Raises StoreError when a table of that name is another's."""
    if _exists(engine, table):
        return
    if engine.dialect.name == "sqlite":
        write_ahead_log(engine)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":  # of several programs that come at once, one makes it
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"eventlab {table}", 0))))
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        if table.schema and not inspect(connection).has_schema(table.schema):
            connection.execute(CreateSchema(table.schema))
        table.create(connection, checkfirst=True)


def _exists(engine: Engine, table: Table) -> bool:
    inspector = inspect(engine)
    if not inspector.has_table(table.name, table.schema):
        return False
    missing = set(table.c.keys()) - {column["name"] for column in inspector.get_columns(table.name, table.schema)}
    if missing:
        raise StoreError(
            f"{engine.url!r} has a table {table} that is not an event store's (it lacks {', '.join(sorted(missing))}); "
            "use another database, or on PostgreSQL another schema"
        )
    return True


def write_ahead_log(engine: Engine) -> None:
    """Let readers of an SQLite file go on while one writes. SQLite does not wait its busy timeout for this change."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with engine.connect() as connection:
        while True:
            try:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            except OperationalError as error:
                if "locked" not in str(error.orig) or time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_SECONDS)
            else:
                return
