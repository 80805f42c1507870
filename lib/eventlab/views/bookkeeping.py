"""What a store's database remembers of its views: which version readers see, how far each got, and what is parked.

It stands in the store's own database, so that a checkpoint moves in the transaction that writes the view's rows.
"""

from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import BigInteger, Boolean, Column, Connection, Integer, MetaData, Table, Text, func, select, text
from sqlalchemy.schema import CreateSchema

from eventlab.events.envelope import Position
from eventlab.store import SqlEventStore
from eventlab.store.database import Database

Home = SqlEventStore | Database  # where a view's tables stand
INLINE = Position(2**63 - 1)  # the checkpoint of a version that appends keep up to date: nothing is left for others


class Bookkeeping(NamedTuple):
    """The three tables, in one schema."""

    live: Table
    checkpoints: Table
    parked: Table


@lru_cache
def bookkeeping(schema: str | None) -> Bookkeeping:
    """The tables in ``schema`` (PostgreSQL), or in the only one there is."""
    metadata = MetaData(schema=schema)
    return Bookkeeping(
        # One row for each view, so that a lock on it decides between an append and a switch.
        live=Table(
            "view_live",
            metadata,
            Column("view", Text, primary_key=True),
            Column("version", Integer, nullable=False),
            Column("inline", Boolean, nullable=False),
        ),
        checkpoints=of_versions(
            "view_checkpoints",
            metadata,
            Column("lane", Integer, primary_key=True),
            Column("position", BigInteger, nullable=False),
        ),
        parked=of_versions(
            "view_parked",
            metadata,
            Column("position", BigInteger, primary_key=True),
            Column("stream", Text, nullable=False),
            Column("error", Text, nullable=False),
        ),
    )


def of_versions(name: str, metadata: MetaData, *columns: Column[object]) -> Table:
    """A table in which each version of a view has its own rows."""
    version = (Column("view", Text, primary_key=True), Column("version", Integer, primary_key=True))
    return Table(name, metadata, *version, *columns)


def begin(connection: Connection) -> None:
    """Begin a transaction that writes, on SQLite before anything is read: there a later upgrade may be refused."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def make_tables(connection: Connection, schema: str | None) -> None:
    """Make the tables unless they are there; of several programs that come at once, one does."""
    tables = bookkeeping(schema)
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"views of {schema}", 0))))
        if schema is not None:
            connection.execute(CreateSchema(schema, if_not_exists=True))
    tables.live.metadata.create_all(connection)


def hold_appends(connection: Connection, schema: str | None) -> None:
    """Let no append end until this transaction does. On SQLite a transaction that writes does that by itself."""
    if connection.dialect.name == "postgresql":
        events = Table("events", MetaData(schema=schema))
        name = connection.dialect.identifier_preparer.format_table(events)
        connection.execute(text(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE"))
