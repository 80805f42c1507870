"""The table that all cures share: one row per event, its position drawn from a sequence, in a schema of its own."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.pool import NullPool

from eventlab import cluster

_LONGEST_PREFIX = 40  # PostgreSQL cuts names at 63 bytes
_PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.001
_TABLES = """
CREATE TABLE events (
    position bigserial PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    category text NOT NULL,
    stream text NOT NULL,
    version bigint NOT NULL
);
CREATE UNIQUE INDEX ON events (xid, position);
CREATE UNIQUE INDEX ON events (category, position);
CREATE TABLE views (stream text PRIMARY KEY, events bigint NOT NULL);
"""
_APPEND = text("""
INSERT INTO events (category, stream, version) VALUES (:category, :stream, :version) RETURNING position
""")
_VIEW = text("""
INSERT INTO views (stream, events) VALUES (:stream, 1) ON CONFLICT (stream) DO UPDATE SET events = views.events + 1
""")
_XMIN = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
_XMAX = text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")


class Event(NamedTuple):
    """What a reader gets; ``stream`` begins with its category, as in ``cart-7``."""

    position: int
    stream: str


class Log:
    """Connections to the events of one experiment."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def writer(self) -> Connection:
        """A connection for transactions."""
        return self._engine.connect()

    def reader(self) -> Connection:
        """A connection on which every statement sees what is committed when it begins."""
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def written(self) -> tuple[int, ...]:
        """The positions that are committed, ascending."""
        with self.reader() as connection:
            return tuple(connection.scalars(text("SELECT position FROM events ORDER BY position")))

    def settle(self) -> None:
        """Until every transaction that runs now has ended. Raises TimeoutError when one does not."""
        with self.reader() as connection:
            now = connection.scalar(_XMAX)
        self.wait(lambda observer: bool(observer.scalar(_XMIN) >= now))

    def wait(self, condition: Callable[[Connection], bool]) -> None:
        """Until ``condition`` holds. Raises TimeoutError when it does not come to hold."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with self.reader() as connection:
            while not condition(connection):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"PostgreSQL did not get there within {_PATIENCE_SECONDS:g} s: is it busy?")
                time.sleep(_POLL_SECONDS)


def append(connection: Connection, stream: str, version: int) -> int:
    """Insert one event in the transaction that runs, and count it in a view, as an inline projection does.

    Gives its position, which is drawn now and visible only when the transaction has committed.
    """
    row = {"category": stream.split("-")[0], "stream": stream, "version": version}
    position = int(connection.execute(_APPEND, row).scalar_one())
    connection.execute(_VIEW, {"stream": stream})
    return position


def take_number(connection: Connection) -> None:
    """Give the transaction that runs its number, as a write to any table does."""
    connection.execute(text("SELECT pg_current_xact_id()"))


def is_blocked(connection: Connection, pid: int) -> bool:
    """Whether the backend ``pid`` waits for a lock that another one holds."""
    return bool(connection.scalar(text("SELECT cardinality(pg_blocking_pids(:pid)) > 0"), {"pid": pid}))


def backend(connection: Connection) -> int:
    """The process that serves ``connection``."""
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


@contextmanager
def fresh(url: str) -> Iterator[Log]:
    """An empty log, removed afterwards.

    Raises ValueError for a URL that is not PostgreSQL's, ConnectionError when it does not answer.
    """
    schema = f"{(cluster.schema() or 'eventlab')[:_LONGEST_PREFIX]}-order-{uuid.uuid4().hex[:8]}"
    engine = _engine(url, schema)
    try:
        with engine.begin() as connection:
            connection.execute(text(f'CREATE SCHEMA "{schema}"'))
            connection.execute(text(_TABLES))
    except OperationalError as error:
        engine.dispose()
        raise ConnectionError(f"{engine.url!r} cannot be used: {error.orig}") from error
    try:
        yield Log(engine)
    finally:
        with engine.begin() as connection:
            connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
        engine.dispose()


def _engine(url: str, schema: str) -> Engine:
    try:
        backend_name = make_url(url).get_backend_name()
    except ArgumentError as error:
        raise ValueError(f"not a database URL: {error}") from error
    if backend_name != "postgresql":
        raise ValueError(
            f"the race needs PostgreSQL: eventlab.cluster.database(postgres=True). {backend_name} is not meant here; "
            "SQLite has one writer at a time, so nothing can commit late"
        )
    engine = create_engine(url, poolclass=NullPool)

    def prepare(made: Any, _: object) -> None:
        made.autocommit = True
        made.execute(f'SET search_path TO "{schema}"')
        made.autocommit = False

    event.listen(engine, "connect", prepare)
    return engine
