"""The fast way to the database: a cursor of a pooled connection, without SQLAlchemy's cost for each statement and row.

SQLAlchemy keeps the connections and compiles the statements; the driver runs them. See docs/decisions/fast-store.md.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError

from eventlab.store.contract import Unavailable
from eventlab.store.trouble import told_plainly

Result = TypeVar("Result")

# A connection that rested longer is asked first whether it still lives: the server may have been restarted.
_RESTED_SECONDS = 1.0
_USED = "eventlab used"


def check_rested(engine: Engine) -> None:
    """Have the pool replace connections that broke while nobody used them."""

    @event.listens_for(engine, "checkin")
    def checked_in(_: Any, record: Any) -> None:
        record.info[_USED] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def checked_out(connection: Any, record: Any, _: Any) -> None:
        if time.monotonic() - record.info.get(_USED, time.monotonic()) > _RESTED_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError() from error


class Driver:
    """Statements in SQLAlchemy's notation (``:name``), run by the driver itself, each a transaction of its own."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine, self._where = engine, where
        self._statements: dict[str, str] = {}
        self._error = engine.dialect.loaded_dbapi.Error
        self._switches = engine.dialect.name == "postgresql"  # SQLite's connections are in autocommit mode always

    def sql(self, statement: str) -> str:
        """``statement`` in the driver's own notation."""
        try:
            return self._statements[statement]
        except KeyError:
            compiled = str(text(statement).compile(dialect=self._engine.dialect))
            return self._statements.setdefault(statement, compiled)

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """A cursor in autocommit mode. Raises Unavailable, or SQLAlchemy's IntegrityError and DataError."""
        with told_plainly(self._where):
            connection = self.connect()
            connected: Any = connection.dbapi_connection
            try:
                with self.telling(connected):
                    if self._switches:
                        connected.autocommit = True
                    yield connected.cursor()
            finally:
                if self._switches:
                    try:
                        connected.autocommit = False  # as others find it in the pool
                    except self._error as error:  # broken, or interrupted in the middle of a statement
                        connection.invalidate(error)
                connection.close()  # back to the pool, which rolls back what was left open

    def connect(self) -> Any:
        """A connection from the pool. Raises SQLAlchemy's errors."""
        with self.telling(None):
            return self._engine.raw_connection()

    @contextmanager
    def telling(self, connected: Any) -> Iterator[None]:
        """The errors of the driver's own connection become SQLAlchemy's."""
        try:
            yield
        except self._error as error:
            broken = connected is not None and self._engine.dialect.is_disconnect(error, connected, None)
            if broken:
                self._engine.dispose()  # the others that rest in the pool are broken as well
            raise DBAPIError.instance(
                None, None, error, self._error, dialect=self._engine.dialect, connection_invalidated=broken
            ) from error

    def rows(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """All rows that ``statement``, which only reads, gives."""
        return self.again(lambda: self._rows(statement, parameters))

    def _rows(self, statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        with self.cursor() as cursor:
            found: list[tuple[Any, ...]] = cursor.execute(self.sql(statement), parameters).fetchall()
            return found

    def again(self, work: Callable[[], Result]) -> Result:
        """Do what may be done twice; once more when the connection breaks, since the server may be back already."""
        try:
            return work()
        except Unavailable as error:
            if not getattr(error.__cause__, "connection_invalidated", False):
                raise
            return work()
