"""Waiting for a condition, or for a database to come back; never for longer than a test may take."""

import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy

from eventlab.store import Unavailable

PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.001
_RETRY_SECONDS = 0.01

_OTHERS = sqlalchemy.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND backend_type = 'client backend'"
)

Result = TypeVar("Result")


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(_LOOK_SECONDS)


def stubbornly(action: Callable[[], Result]) -> Result:
    """Try again for as long as the database is away."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return action()
        except Unavailable:
            assert time.monotonic() < deadline
            time.sleep(_RETRY_SECONDS)


def await_no_client(url: str) -> None:
    """Wait until nobody is connected to this PostgreSQL: the server ends a session a little after its client has."""
    # Within a transaction, PostgreSQL would show the same activity for ever.
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        eventually(lambda: not connection.execute(_OTHERS).scalar_one())
