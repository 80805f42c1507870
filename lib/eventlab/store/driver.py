"""The fast way to the database: a cursor of a pooled connection, without SQLAlchemy's cost for each statement and row.

SQLAlchemy opens the connections and compiles the statements; the driver runs them. See docs/decisions/fast-store.md.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain
from queue import Empty, SimpleQueue
from typing import Any, TypeVar
from weakref import WeakSet

from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError

from eventlab.store.contract import Unavailable
from eventlab.store.trouble import told_plainly

Result = TypeVar("Result")

# A connection that rested longer is asked first whether it still lives: the server may have been restarted.
_RESTED_SECONDS = 1.0
_USED = "eventlab used"
# As many as SQLAlchemy's pool gives out, and as long as it waits for one.
_MOST_CONNECTIONS = 15
_PATIENCE_SECONDS = 30
PART = 500  # rows at once; with 100 or 1,000 it takes as long


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
    """Statements in SQLAlchemy's notation (``:name``), run by the driver itself, each a transaction of its own.

    It keeps connections in autocommit mode for itself, as many as were in use at once: to take one from SQLAlchemy's
    pool, change its mode and put it back took as long as a short statement. Who disposes of the engine closes them.
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine, self._where = engine, where
        self._statements: dict[str, str] = {}
        self._error = engine.dialect.loaded_dbapi.Error
        self._begin()
        event.listen(engine, "engine_disposed", self._close_resting)
        _drivers.add(self)

    def _begin(self) -> None:
        # Has an item for each connection that may still be taken. A ``Semaphore``, written in Python, takes many times
        # as long: as much as a short statement.
        self._room = SimpleQueue[None]()
        for _ in range(_MOST_CONNECTIONS):
            self._room.put(None)
        self._resting: list[tuple[Any, float]] = []  # connections, and when they were used last

    def forked(self) -> None:
        """In a process forked from the one that opened the connections: leave them to it, two cannot share one."""
        _of_the_parent.append((self._resting, self._engine.pool))
        self._begin()
        self._engine.dispose(close=False)

    def sql(self, statement: str) -> str:
        """``statement`` in the driver's own notation."""
        try:
            return self._statements[statement]
        except KeyError:
            compiled = str(text(statement).compile(dialect=self._engine.dialect))
            return self._statements.setdefault(statement, compiled)

    def use(self, work: Callable[[Any], Result]) -> Result:
        """What ``work`` makes of a cursor in autocommit mode.

        Raises Unavailable, or SQLAlchemy's IntegrityError and DataError.
        """
        try:
            self._room.get(timeout=_PATIENCE_SECONDS)
        except Empty:
            raise Unavailable(f"{self._where}: all connections of it are busy; use fewer threads at once") from None
        resting, usable = self._resting, True
        try:
            connection = self._take()
            try:
                return work(connection.cursor())
            except BaseException:
                try:
                    with told_plainly(self._where), self.telling(connection):
                        raise
                finally:
                    usable = self._ended(connection)
            finally:
                if usable:
                    resting.append((connection, time.monotonic()))
                if resting is not self._resting:  # the engine was disposed of meanwhile
                    self._close(resting)
        finally:
            self._room.put(None)

    @contextmanager
    def apart(self) -> Iterator[Any]:
        """A cursor as in :meth:`use`, of a connection that is kept for long: none of those that appends wait for."""
        with told_plainly(self._where):
            connection = self._open()
            try:
                with self.telling(connection):
                    yield connection.cursor()
            finally:
                connection.close()

    def _take(self) -> Any:
        """A connection that rests, if it still lives, or a new one. Raises Unavailable."""
        try:
            connection, used = self._resting.pop()
        except IndexError:
            connection, used = None, 0.0
        if connection is not None and self._lives(connection, used):
            return connection
        with told_plainly(self._where):
            return self._open()

    def _lives(self, connection: Any, used: float) -> bool:
        """Whether a connection that was ``used`` then can be used now; else it is closed."""
        if time.monotonic() - used > _RESTED_SECONDS:
            try:
                self._engine.dialect.do_ping(connection)
            except self._error:
                connection.close()
                self._engine.dispose()  # the others that rest are broken as well
                return False
        return True

    def _open(self) -> Any:
        with self.telling(None):
            pooled: Any = self._engine.raw_connection()
        pooled.detach()
        connection = pooled.dbapi_connection
        if self._engine.dialect.name == "postgresql":  # SQLite's connections are in autocommit mode always
            with self.telling(connection):
                connection.autocommit = True
                # All that is asked here goes along an index. Of a table that was not analyzed yet PostgreSQL expects a
                # few rows only, and would rather collect and sort them: for each page of a replay the whole table.
                connection.execute("SET enable_bitmapscan = off")
                connection.execute("SET enable_seqscan = off")
        return connection

    def _ended(self, connection: Any) -> bool:
        """Whether what was left open is rolled back; else, broken or in the middle of a statement, it is closed."""
        try:
            connection.rollback()
        except self._error:
            connection.close()
            return False
        return True

    def _close_resting(self, _: Engine) -> None:
        resting, self._resting = self._resting, []
        self._close(resting)

    def _close(self, resting: list[tuple[Any, float]]) -> None:
        while resting:
            resting.pop()[0].close()

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
        return self.again(lambda cursor: cursor.execute(self.sql(statement), parameters).fetchall())

    def read(self, use: Callable[[Iterator[tuple[Any, ...]]], Result], statement: str, **parameters: Any) -> Result:
        """What ``use`` makes of the rows that ``statement``, which only reads, gives; ``use`` may be called twice.

        For many rows: they come in parts, each gone before the next one, which PostgreSQL prepares meanwhile.
        """
        return self.again(lambda cursor: self._read(cursor, use, statement, parameters))

    def _read(
        self,
        cursor: Any,
        use: Callable[[Iterator[tuple[Any, ...]]], Result],
        statement: str,
        parameters: dict[str, Any],
    ) -> Result:
        with closing(cursor):
            if self._engine.dialect.name == "postgresql":
                # Closed before the connection is used again: it is not free as long as rows may come.
                with closing(cursor.stream(self.sql(statement), parameters, size=PART)) as rows:
                    return use(rows)
            cursor.execute(self.sql(statement), parameters)
            return use(chain.from_iterable(iter(partial(cursor.fetchmany, PART), [])))

    def again(self, work: Callable[[Any], Result]) -> Result:
        """As :meth:`use`, for ``work`` that may be done twice: once more when the connection breaks.

        The server may be back already.
        """
        try:
            return self.use(work)
        except Unavailable as error:
            if not getattr(error.__cause__, "connection_invalidated", False):
                raise
            return self.use(work)


_drivers = WeakSet[Driver]()
_of_the_parent: list[Any] = []  # kept, for what is thrown away is closed


def _forked() -> None:
    for driver in list(_drivers):
        driver.forked()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_forked)
