"""When a reader may give up a gap: by who can still fill it, or by a guess.

A number is missing because its transaction runs, or because it was rolled back: then it never comes. PostgreSQL knows
which: an INSERT locks the table (ROW EXCLUSIVE) before it draws a number, until its transaction has ended and is
visible. So whoever can fill a gap holds such a lock when the gap is seen; when all of these have ended, nobody can.

``pg_snapshot_xmin`` now against ``pg_snapshot_xmax`` then looks like the same question and is not: ``xmax`` is one past
the highest *completed* transaction, and a transaction with a higher number may be running already
(https://www.postgresql.org/docs/18/functions-info.html#FUNCTIONS-PG-SNAPSHOT).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

_WRITERS = text("""
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND relation = CAST('events' AS regclass)
""")
_SNAPSHOT = text("""
SELECT pg_snapshot_xmin(snapshot)::text::bigint AS xmin, pg_snapshot_xmax(snapshot)::text::bigint AS xmax
FROM pg_current_snapshot() AS snapshot
""")


@dataclass(frozen=True)
class GapRule:
    """``look`` right after a gap was seen, and again before the rows are read again; ``is_over(then, now)``."""

    look: Callable[[Connection], Any]
    is_over: Callable[[Any, Any], bool]


def writers(connection: Connection) -> frozenset[str]:
    """The transactions that write to the table."""
    return frozenset(connection.scalars(_WRITERS))


WRITERS_ENDED = GapRule(writers, frozenset.isdisjoint)
PAST_XMAX = GapRule(
    lambda connection: connection.execute(_SNAPSHOT).one(),
    lambda then, now: bool(now.xmin >= then.xmax),
)


def timer(seconds: float) -> GapRule:
    """So many seconds have passed."""
    return GapRule(lambda _: time.monotonic(), lambda then, now: bool(now - then >= seconds))
