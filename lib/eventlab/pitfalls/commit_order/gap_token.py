"""Gap token: the reader goes on past a gap, remembers the missing numbers, and asks for them each time.

Nobody waits, but events come out of order: a replay, which finds no gaps, handles them in another order than the live
reader did. Axon's ``GapAwareTrackingToken`` works like this, with a timer.
"""

from sqlalchemy import Connection, text

from eventlab.pitfalls.commit_order.gaps import MOMENT, IsOver, Moment, everybody_ended
from eventlab.pitfalls.commit_order.log import Event

_NEW = text(f"""
SELECT {MOMENT}, position, stream
FROM pg_current_snapshot() AS snapshot LEFT JOIN events ON position > :last OR position = ANY(:gaps)
ORDER BY position
""")  # noqa: S608 (a constant of this package)


class GapToken:
    """Remembers the highest position it saw, and the gaps below it with the moment when each was seen."""

    def __init__(self, is_over: IsOver = everybody_ended) -> None:
        self._is_over = is_over
        self._last = 0
        self._gaps: dict[int, Moment] = {}

    def poll(self, connection: Connection) -> list[Event]:
        """See :class:`~eventlab.pitfalls.commit_order.reading.Reader`."""
        rows = connection.execute(_NEW, {"last": self._last, "gaps": list(self._gaps)}).all()
        now = Moment.now(rows[0].xmin, rows[0].xmax)
        found = [Event(row.position, row.stream) for row in rows if row.position is not None]
        self._gaps = {gap: seen for gap, seen in self._gaps.items() if not self._is_over(seen, now)}
        for event in found:
            self._gaps.pop(event.position, None)
            self._gaps |= dict.fromkeys(range(self._last + 1, event.position), now)
            self._last = max(self._last, event.position)
        return found
