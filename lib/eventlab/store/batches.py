"""Events on their way into a database: encoded, checked, with what their stream has to look like."""

from datetime import datetime
from uuid import UUID

from msgspec import Raw, Struct

from eventlab.events.codec import JsonCodec
from eventlab.store.contract import Append
from eventlab.store.rules import bounds

# Version and position of one stored event.
Placed = tuple[int, int]


class Row(Struct, frozen=True, gc=False):
    """One event, but for its place and the time at which it is recorded; no valid time means: that time."""

    type: str
    schema_version: int
    data: Raw
    id: UUID
    valid_time: datetime | None
    causation: UUID | None
    correlation: UUID | None
    metadata: dict[str, str]


class Batch(Struct, frozen=True):
    """The events of one stream, which has to be at a version from ``low`` to ``high``."""

    stream: str
    low: int
    high: int
    rows: list[Row]


def batch(append: Append, codec: JsonCodec) -> Batch:
    """``append``, encoded. Raises what the codec raises."""
    rows = []
    for new in append.events:
        name, schema_version, data = codec.encode(new.event)
        rows.append(
            Row(
                name,
                schema_version,
                Raw(data),
                new.id,
                new.valid_time,
                new.causation,
                new.correlation,
                dict(new.metadata),
            )
        )
    return Batch(str(append.stream), *bounds(append.expected), rows)
