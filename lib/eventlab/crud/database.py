"""The database behind the tables, and transactions that know who works in them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import create_engine, select
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from eventlab.crud.audit import AuditEntry
from eventlab.crud.base import Base


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Database:
    """The tables in SQLite or PostgreSQL, made when they are not there: ``Database("sqlite:///shop.db")``.

    Raises ValueError for a URL that SQLAlchemy does not know, ConnectionError when the database cannot be reached.
    """

    def __init__(self, url: str, clock: Callable[[], datetime] = _utc_now) -> None:
        self._clock = clock
        try:
            self.engine = create_engine(url)
        except (ArgumentError, NoSuchModuleError) as error:
            raise ValueError(f"not a database URL: {error}; one is sqlite:///shop.db") from error
        try:
            Base.metadata.create_all(self.engine)
        except OperationalError as error:
            self.engine.dispose()
            raise ConnectionError(f"the database {self.engine.url!r} cannot be used: {error.orig}") from error

    @contextmanager
    def transaction(self, who: str) -> Iterator[Session]:
        """An ORM session for ``who``, committed at the end, rolled back if anything is raised.

        Its rows can still be read afterwards.
        """
        # Values stay loaded after a commit: the audit needs the old ones, a reader wants to look at them.
        with (
            Session(self.engine, expire_on_commit=False, info={"who": who, "clock": self._clock}) as session,
            session.begin(),
        ):
            yield session

    def audit(self) -> list[AuditEntry]:
        """The audit table, oldest entry first."""
        with Session(self.engine) as session:
            return list(session.scalars(select(AuditEntry).order_by(AuditEntry.id)))

    def close(self) -> None:
        """Let go of connections; a second call does nothing."""
        self.engine.dispose()
