"""What a database says when it cannot serve, in words that say what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from eventlab.store.contract import Unavailable

_UNKNOWN = "if an append was under way, append the same events (the same ids) again: they are stored once"

# Parts of SQLite's messages (https://www.sqlite.org/rescode.html; the driver's texts).
_SQLITE = {
    "locked": "another program kept it locked; close that program or try again",
    "readonly": "it is read-only; make the file and its folder writable, or use another file",
    "unable to open": "the file cannot be opened; make sure that its folder exists and that you may write there",
    "full": "the disk is full, nothing was stored; free some space and try again",
    "disk I/O error": "the disk does not answer as it should (full, or unplugged?); check it and try again",
    "not a database": "the file is not an SQLite database; use another file",
    "malformed": "the file is damaged; restore it from a copy",
    "no such table": "its table is gone; open the store again to make a new one",
}

# SQLSTATE codes (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_POSTGRESQL = {
    "25006": "it takes no writes (a standby, or set to read-only); connect to the primary",
    "42501": "this user may not do that; ask for the right to create and write tables in this schema",
    "42P01": "its table is gone; open the store again to make a new one",
    "53100": "its disk is full, nothing was stored; free some space and try again",
    "53300": "it has no connection left; close other programs or notebooks and try again",
    "54000": "a value is too large for it, nothing was stored",
    "55P03": "another writer did not finish; look for a stopped program that holds an append open",
    "57P01": f"it was shut down; start it again; {_UNKNOWN}",
    "57P02": f"it crashed; start it again; {_UNKNOWN}",
    "57P03": "it is starting up or shutting down; try again in a moment",
}


@contextmanager
def told_plainly(where: str) -> Iterator[None]:
    """Turns the database's refusals into Unavailable; ``where`` names the database (without its password).

    Violated constraints and wrong data pass through: they are about the events, not about the database.
    """
    try:
        yield
    except (IntegrityError, DataError):
        raise
    except PoolTimeout as error:
        raise Unavailable(f"{where}: all connections of this store are busy; use fewer threads at once") from error
    except DBAPIError as error:
        raise Unavailable(f"{where}: {_cure(error)}") from error


def _cure(error: DBAPIError) -> str:
    said = " ".join(str(error.orig).split())
    code = getattr(error.orig, "sqlstate", None)
    if code in _POSTGRESQL:
        return f"{_POSTGRESQL[code]} ({said})"
    for part, cure in _SQLITE.items():
        if part in said and hasattr(error.orig, "sqlite_errorcode"):
            return f"{cure} ({said})"
    if error.connection_invalidated:
        return f"the connection broke; {_UNKNOWN} ({said})"
    return f"it cannot be used; check that the server runs and that the address is right ({said})"
