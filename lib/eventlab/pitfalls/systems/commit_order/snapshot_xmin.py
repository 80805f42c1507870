"""``pg_snapshot_xmin``: each event carries its transaction's number, and readers stop at the oldest that still runs.

Numbers below the horizon have ended, so nothing can appear there any more: order by (xid, position), read below it.
The horizon is the whole server's. Any transaction that has written anything and stays open holds every reader up.
"""

from sqlalchemy import Connection, text

from eventlab.pitfalls.systems.commit_order.log import Event

_NEW = text("""
SELECT xid, position, stream FROM events
WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) AND (xid, position) > (:xid, :position)
ORDER BY xid, position
""")


class BelowHorizon:
    """Remembers the number of a transaction and a position."""

    def __init__(self) -> None:
        self._last = {"xid": "0", "position": 0}  # the driver knows no type xid8, and takes it for text

    def poll(self, connection: Connection) -> list[Event]:
        """See :class:`~eventlab.pitfalls.systems.commit_order.reading.Reader`."""
        found = connection.execute(_NEW, self._last).all()
        if found:
            self._last = {"xid": found[-1].xid, "position": found[-1].position}
        return [Event(row.position, row.stream) for row in found]
