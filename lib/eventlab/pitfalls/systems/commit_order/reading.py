"""What all readers have in common: ask for what is new, and remember how far they came."""

from typing import Protocol

from sqlalchemy import Connection

from eventlab.pitfalls.systems.commit_order.log import Event


class Reader(Protocol):
    """A subscriber; what it remembers is what it would keep as its checkpoint."""

    def poll(self, connection: Connection) -> list[Event]:
        """The events that are new since the last call, in the order in which the subscriber handles them."""
        ...
