"""High-water mark: the reader goes up to the first gap and waits there until the gap is filled, or cannot be any more.

Order and replay agree, appends take no lock, and only readers that meet a gap wait. Marten's async daemon works like
this, with a timer; eventlab's own store on PostgreSQL does it without one.
"""

from sqlalchemy import Connection, text

from eventlab.pitfalls.commit_order.gaps import MOMENT, IsOver, Moment, everybody_ended
from eventlab.pitfalls.commit_order.log import Event

_NEW = text(f"""
SELECT {MOMENT}, position, stream
FROM pg_current_snapshot() AS snapshot JOIN events ON position > :mark
ORDER BY position
""")  # noqa: S608 (a constant of this package)


class HighWaterMark:
    """Remembers one number: everything up to it is settled."""

    def __init__(self, is_over: IsOver = everybody_ended) -> None:
        self._is_over = is_over
        self._mark = 0
        self._waits: tuple[int, Moment] | None = None  # for the numbers below this one, since this moment

    def poll(self, connection: Connection) -> list[Event]:
        """See :class:`~eventlab.pitfalls.commit_order.reading.Reader`."""
        rows = connection.execute(_NEW, {"mark": self._mark}).all()
        if not rows:
            return []
        now = Moment.now(rows[0].xmin, rows[0].xmax)
        settled = self._waits[0] if self._waits and self._is_over(self._waits[1], now) else 0
        found = []
        for row in rows:
            if row.position > max(self._mark + 1, settled):
                if self._waits is None or self._waits[0] < row.position:
                    # All numbers below the highest that is visible have been drawn by now.
                    self._waits = (rows[-1].position, now)
                break
            self._mark = row.position
            found.append(Event(row.position, row.stream))
        return found
