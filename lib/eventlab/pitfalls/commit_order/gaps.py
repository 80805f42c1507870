"""When a reader may give up a gap: two answers, of which one is right.

A number is missing because its transaction runs, or because it was rolled back: then the number never comes. A timer
guesses which. PostgreSQL knows: ``xmax`` when the gap was seen is above every transaction that had a number by then,
``xmin`` now is the oldest that still runs. When ``xmin`` has reached that ``xmax``, whoever drew the number has ended.
(It had its own number before it drew: :func:`eventlab.pitfalls.commit_order.log.append` sees to that.)
"""

import time
from collections.abc import Callable
from typing import NamedTuple

# Columns of a reader's query, so that the rows and the moment come from one and the same snapshot.
MOMENT = "pg_snapshot_xmin(snapshot)::text::bigint AS xmin, pg_snapshot_xmax(snapshot)::text::bigint AS xmax"


class Moment(NamedTuple):
    """When a query looked: by the transactions that ran, and by the clock (seconds, of the reader's machine)."""

    xmin: int
    xmax: int
    clock: float

    @classmethod
    def now(cls, xmin: int, xmax: int) -> "Moment":
        """The moment of a query whose answer has just come."""
        return cls(xmin, xmax, time.monotonic())


IsOver = Callable[[Moment, Moment], bool]
"""Whether a gap that was seen at the first moment cannot be filled any more after the second."""


def everybody_ended(seen: Moment, now: Moment) -> bool:
    """Every transaction that ran when the gap was seen has ended."""
    return now.xmin >= seen.xmax


def timer(seconds: float) -> IsOver:
    """So many seconds have passed."""
    return lambda seen, now: now.clock - seen.clock >= seconds
