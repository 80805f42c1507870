"""The book of a consumer: an SQLite file that gets a line for each event that was applied, in the order of applying.

It can hold beside them which offset comes next, and who may write. Several processes may have it open.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

from eventlab.pitfalls.record import Fact, Record

_PATIENCE_SECONDS = 20.0  # for the lock, on a machine that is busy
_TABLES = """
CREATE TABLE IF NOT EXISTS line (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL,
    timestamp INTEGER NOT NULL, value BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS line_id ON line (id);
CREATE TABLE IF NOT EXISTS place (
    partition INTEGER PRIMARY KEY, next INTEGER NOT NULL DEFAULT 0, owner INTEGER NOT NULL DEFAULT 0
);
"""


class Delivered(Protocol):
    """What a book wants to know of a record: confluent-kafka's ``Message`` has it."""

    def value(self) -> Any: ...  # noqa: D102
    def partition(self) -> int | None: ...  # noqa: D102
    def offset(self) -> int | None: ...  # noqa: D102
    def timestamp(self) -> tuple[int, int]: ...  # noqa: D102


class Book:
    """One connection to the book at ``path``, made if it is not there."""

    def __init__(self, path: str) -> None:
        # Threads may share it if they take turns.
        self._database = sqlite3.connect(path, _PATIENCE_SECONDS, isolation_level=None, check_same_thread=False)
        # Here processes are killed, not machines: what the operating system was given survives that, without a sync.
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.executescript(_TABLES)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written in the block, or nothing of it. Nobody else writes meanwhile."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def apply(self, message: Delivered) -> None:
        """Add the line of an event, whether or not there is one already."""
        value, (_, timestamp) = message.value(), message.timestamp()
        line = (Fact.of(value).id, message.partition(), message.offset(), timestamp, value)
        self._database.execute(
            'INSERT INTO line (id, partition, "offset", timestamp, value) VALUES (?, ?, ?, ?, ?)', line
        )

    def knows(self, message: Delivered) -> bool:
        """Whether the book has a line of this event, by the event's own id."""
        found = self._database.execute("SELECT 1 FROM line WHERE id = ?", (Fact.of(message.value()).id,)).fetchone()
        return found is not None

    def next(self, partition: int) -> int:
        """The offset that comes next, by the book: 0 at first."""
        found = self._database.execute("SELECT next FROM place WHERE partition = ?", (partition,)).fetchone()
        return int(found[0]) if found else 0

    def move(self, partition: int, offset: int) -> None:
        """Note which offset comes next."""
        self._database.execute(
            "INSERT INTO place (partition, next) VALUES (?, ?) ON CONFLICT DO UPDATE SET next = excluded.next",
            (partition, offset),
        )

    def take_over(self, partition: int) -> int:
        """Become the partition's owner, after all those before: the number to show from now on."""
        [(owner,)] = self._database.execute(
            "INSERT INTO place (partition, owner) VALUES (?, 1) ON CONFLICT DO UPDATE SET owner = owner + 1 "
            "RETURNING owner",
            (partition,),
        ).fetchall()
        return int(owner)

    def owner(self, partition: int) -> int:
        """The number of the partition's owner; 0 before the first."""
        found = self._database.execute("SELECT owner FROM place WHERE partition = ?", (partition,)).fetchone()
        return int(found[0]) if found else 0

    def records(self) -> tuple[Record, ...]:
        """What was applied, in this order."""
        lines = self._database.execute('SELECT value, partition, "offset", timestamp FROM line ORDER BY number')
        return tuple(
            Record.decode(
                value,
                order=order,
                partition=partition,
                offset=offset,
                timestamp=datetime.fromtimestamp(milliseconds / 1000, UTC),
            )
            for order, (value, partition, offset, milliseconds) in enumerate(lines)
        )

    def close(self) -> None:
        """End the connection."""
        self._database.close()


def applied(path: str) -> tuple[Record, ...]:
    """What the book at ``path`` says was applied, as somebody reads it who did not write it."""
    with closing(Book(path)) as book:
        return book.records()
