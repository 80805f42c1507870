"""What surrounds an event: where it stands, which event it is, and when it happened and was learned."""

import os
import time
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct, field


class Version(int):
    """The place of an event in its stream: 1, 2, 3, …; 0 stands before the first event."""

    __slots__ = ()


class Position(int):
    """The place of an event in the whole store, in commit order: growing, gaps allowed; 0 stands before the first."""

    __slots__ = ()


class StreamId(Struct, frozen=True, order=True):
    """The name of a stream: a category and a key, written ``cart-42``. The key may contain dashes."""

    category: str
    key: str

    def __post_init__(self) -> None:
        if not self.category or "-" in self.category or not self.key:
            raise ValueError(f"a stream is a category without dashes and a key, not {self.category!r}, {self.key!r}")

    @classmethod
    def parse(cls, text: str) -> "StreamId":
        """The stream written as ``category-key``. Raises ValueError for anything else."""
        category, _, key = text.partition("-")
        return cls(category, key)

    def __str__(self) -> str:
        return f"{self.category}-{self.key}"


# RFC 9562, section 5.7: 48 bits of time, 4 of version, 12 that order what was made within a millisecond (section 6.2,
# method 3: parts of it, 244 ns each), 2 of variant, 62 of chance.
_VERSION_7 = 0x7 << 76 | 0b10 << 62
_CHANCE = (1 << 62) - 1
_MILLISECOND = 1_000_000  # ns


def event_id() -> UUID:
    """A new UUID of version 7: the time, then chance; an index of such ids grows at its end."""
    milliseconds, rest = divmod(time.time_ns(), _MILLISECOND)
    part = (rest << 12) // _MILLISECOND
    chance = int.from_bytes(os.urandom(8), "big") & _CHANCE
    return UUID(int=milliseconds << 80 | part << 64 | chance | _VERSION_7)


class NewEvent(Struct, frozen=True):
    """An event on its way into a store.

    ``id`` makes the append idempotent: the same ids again are answered, not stored again.
    ``valid_time`` is when it happened in the world (time zone required); None means: when it is recorded.
    ``causation`` is the id of the message that led to it, ``correlation`` that of the whole conversation.
    """

    event: object
    id: UUID = field(default_factory=event_id)
    valid_time: datetime | None = None
    causation: UUID | None = None
    correlation: UUID | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (
            type(self.id) is not UUID
            or type(self.metadata) is not dict
            or self.valid_time is not None
            or self.causation is not None
            or self.correlation is not None
        ):
            ids = {"id": self.id, "causation": self.causation, "correlation": self.correlation}
            _check(ids, self.valid_time, self.metadata)


def _check(ids: Mapping[str, object], valid_time: object, metadata: object) -> None:
    """Raises TypeError for what cannot be in an envelope, and ValueError for a time without a zone."""
    for name, given in ids.items():
        if not isinstance(given, UUID) and (given is not None or name == "id"):
            raise TypeError(f"the {name} of an event is a UUID, not {given!r}")
    if not isinstance(valid_time, datetime | None):
        raise TypeError(f"the valid time of an event is a datetime, not {valid_time!r}")
    if valid_time is not None and valid_time.tzinfo is None:
        raise ValueError(f"the valid time {valid_time} has no time zone; add one, for example UTC")
    if not isinstance(metadata, Mapping):
        raise TypeError(f"the metadata of an event are text by text, such as {{'user': 'ana'}}, not {metadata!r}")


class Recorded(Struct, frozen=True):
    """An event as a store gives it back. Times are UTC; ``recorded_time`` is the store's own clock.

    ``type`` and ``schema_version`` are those that it is stored under; ``event`` is of today's class, upcast if need be.
    """

    stream: StreamId
    version: Version
    position: Position
    type: str
    schema_version: int
    event: object
    id: UUID
    valid_time: datetime
    recorded_time: datetime
    causation: UUID | None = None
    correlation: UUID | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
