"""High-water mark: the reader goes up to the first gap and waits there until the gap is filled, or cannot be any more.

Order and replay agree, appends take no lock, and only readers that meet a gap wait. Marten's async daemon works like
this, with a timer.
"""

from typing import Any

from sqlalchemy import Connection, text

from eventlab.pitfalls.systems.commit_order.gaps import WRITERS_ENDED, GapRule
from eventlab.pitfalls.systems.commit_order.log import Event

_NEW = text("SELECT position, stream FROM events WHERE position > :mark ORDER BY position")


class HighWaterMark:
    """Remembers one number: everything up to it is settled."""

    def __init__(self, rule: GapRule = WRITERS_ENDED) -> None:
        self._rule = rule
        self._mark = 0
        self._waits: tuple[int, Any] | None = None  # for the numbers below this one; what a look gave then

    def poll(self, connection: Connection) -> list[Event]:
        """See :class:`~eventlab.pitfalls.systems.commit_order.reading.Reader`."""
        settled = 0
        if self._waits and self._rule.is_over(self._waits[1], self._rule.look(connection)):
            settled = self._waits[0]
        visible = [Event(*row) for row in connection.execute(_NEW, {"mark": self._mark})]
        found = []
        for event in visible:
            if event.position > max(self._mark + 1, settled):
                if self._waits is None or self._waits[0] < event.position:
                    # All numbers below the highest that is visible have been drawn by now.
                    self._waits = (visible[-1].position, self._rule.look(connection))
                break
            self._mark = event.position
            found.append(event)
        else:
            self._waits = None
        return found
