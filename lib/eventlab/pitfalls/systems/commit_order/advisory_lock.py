"""Advisory lock: a number that appends agree to lock; one for all of them, or one for each category of streams.

Only programs that take the lock are kept apart. With one lock per category, positions are in order within a category
and nowhere else, so there a reader has to remember one position for each.
"""

from sqlalchemy import Connection, text

from eventlab.pitfalls.systems.commit_order.log import Event

# The schema is part of the name: advisory locks belong to the whole database.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' ' || :name, 0))")
_CATEGORIES = text("SELECT DISTINCT category FROM events")
_NEW = text("SELECT position, stream FROM events WHERE category = :category AND position > :last ORDER BY position")


def lock_all(connection: Connection, category: str) -> None:
    """Wait until no other append is under way."""
    connection.execute(_LOCK, {"name": "append"})


def lock_category(connection: Connection, category: str) -> None:
    """Wait until no other append to this category is under way."""
    connection.execute(_LOCK, {"name": f"append {category}"})


class LastOfEachCategory:
    """Remembers a number for each category."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def poll(self, connection: Connection) -> list[Event]:
        """See :class:`~eventlab.pitfalls.systems.commit_order.reading.Reader`. One category after the other."""
        found: list[Event] = []
        for category in sorted(connection.scalars(_CATEGORIES)):
            where = {"category": category, "last": self._last.get(category, 0)}
            new = [Event(*row) for row in connection.execute(_NEW, where)]
            if new:
                self._last[category] = new[-1].position
            found += new
        return found
