"""From a record of a topic to an event: what a view is told about the topic's form."""

from collections.abc import Callable

from eventlab.events.catalogue import registry as catalogue
from eventlab.events.codec import JsonCodec
from eventlab.events.envelope import Recorded
from eventlab.events.registry import TypeRegistry
from eventlab.store.contract import START
from eventlab.store.kafka_records import Record, stored_event
from eventlab.store.rules import recorded
from eventlab.store.sealing import Sealing

# The event of a record; raises EventError when there is none. Its ``id`` must be the same when it is sent again. Its
# ``version`` is the event's own (then a gap is noticed), or START when events have none: then they are counted.
Read = Callable[[Record], Recorded]


def log_events(registry: TypeRegistry = catalogue, sealing: Sealing | None = None) -> Read:
    """The form in which :class:`~eventlab.store.KafkaEventLog` writes: no version of its own."""
    codec = JsonCodec(registry)
    return lambda record: recorded(stored_event(record, START), codec, sealing)
