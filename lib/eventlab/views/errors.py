"""What can go wrong with a view, and which errors are the database's own."""

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from eventlab.events.envelope import Position, Recorded


class ViewError(Exception):
    """A view cannot do what was asked of it; the message says what to do."""


class HandlerFailed(ViewError):
    """A handler raised, so the view stands still before that event: mend the handler and start the view again."""

    def __init__(self, view: str, recorded: Recorded, error: Exception) -> None:
        super().__init__(
            f"the view {view} stopped before {place(recorded)}: its handler raised {described(error)}; "
            "mend the handler and go on, nothing was passed over"
        )
        self.recorded = recorded


class NotReached(ViewError, TimeoutError):
    """A view did not reach a position in time."""

    def __init__(self, view: str, wanted: Position, at: Position, seconds: float) -> None:
        super().__init__(
            f"the view {view} is at position {at} and did not reach {wanted} within {seconds:g} s; does it run?"
        )
        self.wanted, self.at = wanted, at


def place(recorded: Recorded) -> str:
    """Where an event stands, in words."""
    return f"{recorded.stream} version {recorded.version} (position {recorded.position}), {recorded.type}"


def described(error: Exception) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {' '.join(str(getattr(error, 'orig', None) or error).split())}"


def is_databases(error: Exception) -> bool:
    """Whether the database is in trouble (gone, locked, full), so that the handler is not to blame."""
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    # SQLite says OperationalError for a statement that is wrong, too: that one is the handler's.
    wrong = getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    return isinstance(error, OperationalError | InterfaceError) and not wrong
