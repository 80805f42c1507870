"""Gap token: the reader goes on past a gap, remembers the missing numbers, and asks for them each time.

Nobody waits, but events come out of order: a replay, which finds no gaps, handles them in another order than the live
reader did. Axon's ``GapAwareTrackingToken`` works like this, with a timer.
"""

from typing import Any

from sqlalchemy import Connection, text

from eventlab.pitfalls.systems.commit_order.gaps import WRITERS_ENDED, GapRule
from eventlab.pitfalls.systems.commit_order.log import Event

_NEW = text("SELECT position, stream FROM events WHERE position > :last OR position = ANY(:gaps) ORDER BY position")


class GapToken:
    """Remembers the highest position it saw, and the gaps below it."""

    def __init__(self, rule: GapRule = WRITERS_ENDED) -> None:
        self._rule = rule
        self._last = 0
        self._gaps: dict[int, Any] = {}  # with what a look gave when the gap was seen

    def poll(self, connection: Connection) -> list[Event]:
        """See :class:`~eventlab.pitfalls.systems.commit_order.reading.Reader`."""
        now = self._rule.look(connection) if self._gaps else None
        found = [Event(*row) for row in connection.execute(_NEW, {"last": self._last, "gaps": list(self._gaps)})]
        there = {event.position for event in found}
        self._gaps = {
            gap: then for gap, then in self._gaps.items() if gap not in there and not self._rule.is_over(then, now)
        }
        if found and found[-1].position > self._last:
            missing = set(range(self._last + 1, found[-1].position)) - there
            if missing:
                self._gaps |= dict.fromkeys(missing, self._rule.look(connection))
            self._last = found[-1].position
        return found
