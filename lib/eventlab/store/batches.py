"""Events on their way into a database: encoded, checked, with what their stream has to look like."""

from collections.abc import Sequence

from msgspec import Struct

from eventlab.events.codec import JsonCodec
from eventlab.events.envelope import NewEvent
from eventlab.store.contract import Append
from eventlab.store.rules import bounds


class Batch(Struct, frozen=True):
    """The events of one stream, which has to be at a version from ``low`` to ``high``.

    ``types`` has type name and schema version of each of ``events``, ``data`` its JSON.
    """

    stream: str
    low: int
    high: int
    events: Sequence[NewEvent]
    types: Sequence[tuple[str, int]]
    data: Sequence[bytes]


def batch(append: Append, codec: JsonCodec) -> Batch:
    """``append``, encoded. Raises what the codec raises."""
    types, data = codec.encode_all([new.event for new in append.events])
    return Batch(str(append.stream), *bounds(append.expected), append.events, types, data)
