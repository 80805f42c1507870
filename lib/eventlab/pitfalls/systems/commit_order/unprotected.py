"""No cure: appends take no lock, and the reader asks for what lies behind the last position that it saw."""

from sqlalchemy import Connection, text

from eventlab.pitfalls.systems.commit_order.log import Event

_NEW = text("SELECT position, stream FROM events WHERE position > :last ORDER BY position")


def no_lock(connection: Connection, category: str) -> None:
    """An append just begins."""


class LastPosition:
    """Remembers one number. Right where positions become visible in their order, and nowhere else."""

    def __init__(self) -> None:
        self._last = 0

    def poll(self, connection: Connection) -> list[Event]:
        """See :class:`~eventlab.pitfalls.systems.commit_order.reading.Reader`."""
        found = [Event(*row) for row in connection.execute(_NEW, {"last": self._last})]
        if found:
            self._last = found[-1].position
        return found
