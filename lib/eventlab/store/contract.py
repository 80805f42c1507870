"""What every event store promises. ``tests/contracts/`` holds each store to it."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from enum import Enum
from typing import Protocol

from msgspec import Struct

from eventlab.events.envelope import NewEvent, Position, Recorded, StreamId, Version

START = Version(0)
BEGINNING = Position(0)


class Expectation(Enum):
    """What an append may expect of its stream, beside an exact :class:`Version`."""

    NO_STREAM = "no stream"
    STREAM_EXISTS = "stream exists"
    ANY = "any"


NoStream = Expectation.NO_STREAM
StreamExists = Expectation.STREAM_EXISTS
Any = Expectation.ANY
Expected = Version | Expectation


class StoreError(Exception):
    """The base of what a store raises; the message says what, where and what to do."""


class WrongExpectedVersion(StoreError):
    """Someone else wrote first: nothing was stored. Read again, decide again."""

    def __init__(self, stream: StreamId, expected: Expected, actual: Version) -> None:
        wanted = f"version {expected}" if isinstance(expected, int) else f"'{expected.value}'"
        super().__init__(f"{stream}: expected {wanted}, but the stream is at version {actual}; nothing was stored")
        self.stream, self.expected, self.actual = stream, expected, actual


class NotSupported(StoreError):
    """The store cannot do this at all (a Kafka log has no expected version, for example)."""


class Unavailable(StoreError):
    """The database or broker behind the store cannot be reached or refuses to write; nothing is known to be lost."""


class Appended(Struct, frozen=True):
    """Where the events of one append stand: version and position of each, in order.

    Held as plain numbers: of a class of our own there would be two objects more for each event of an import, all of
    which the garbage collector would look through.
    """

    _versions: tuple[int, ...]
    _positions: tuple[int, ...]

    @property
    def versions(self) -> tuple[Version, ...]:
        """The version of each event in its stream."""
        return tuple(map(Version, self._versions))

    @property
    def positions(self) -> tuple[Position, ...]:
        """The position of each event in the store."""
        return tuple(map(Position, self._positions))

    def __repr__(self) -> str:
        return f"Appended(versions={self._versions}, positions={self._positions})"


class Append(Struct, frozen=True):
    """The part of one stream in an append over several: see :meth:`EventStore.append_all`."""

    stream: StreamId
    events: Sequence[NewEvent]
    expected: Expected = Any


class EventStore(Protocol):
    """Streams of events, appended all or nothing, read in order.

    What is read can be narrowed: ``types`` are event classes (none given: all), ``since`` and ``before`` a span of
    recorded time, ``since <= recorded_time < before``. ``backwards`` gives the last event first.
    """

    def append(self, stream: StreamId, events: Sequence[NewEvent], expected: Expected = Any) -> Appended:
        """Add ``events`` to the end of ``stream``, all or none.

        The ids of ``events`` seen again, all of them and in this stream, give the first answer again and store nothing.
        Raises WrongExpectedVersion when the stream is not as ``expected``; ValueError for an empty append, or ids
        of which only some are known.
        """
        ...

    def append_all(self, appends: Sequence[Append]) -> list[Appended]:
        """Append to several streams, each once: all or none. Otherwise as :meth:`append`; the answers in order."""
        ...

    def read(
        self,
        stream: StreamId,
        after: Version = START,
        until: Version | None = None,
        *,
        backwards: bool = False,
        types: Collection[type] = (),
        since: datetime | None = None,
        before: datetime | None = None,
    ) -> Iterator[Recorded]:
        """The events of ``stream`` with ``after < version <= until``, in order; none if there is no such stream."""
        ...

    def read_all(
        self,
        after: Position = BEGINNING,
        until: Position | None = None,
        *,
        backwards: bool = False,
        types: Collection[type] = (),
        since: datetime | None = None,
        before: datetime | None = None,
    ) -> Iterator[Recorded]:
        """All events with ``after < position <= until`` that are committed now, in the order of their positions."""
        ...

    def load(self, stream: StreamId, after: Version = START) -> tuple[list[object], Version]:
        """The events of ``stream`` alone, without their envelopes, and the version of the last (``after`` for none).

        This is what a decision needs, and the fastest way to it.
        """
        ...

    def follow(self, after: Position = BEGINNING, idle: float | None = None) -> Iterator[Sequence[Recorded]]:
        """As :meth:`subscribe`, in batches: what is there, page by page, then what has come since the last look."""
        ...

    def subscribe(self, after: Position = BEGINNING, idle: float | None = None) -> Iterator[Recorded]:
        """Catch up from ``after``, then follow live: in the order of positions, no gap, no duplicate.

        Ends when nothing came for ``idle`` seconds; never when it is None.
        """
        ...

    def head(self) -> Position:
        """The position of the last event; 0 for an empty store."""
        ...

    def close(self) -> None:
        """Let go of connections; a second call does nothing."""
        ...
