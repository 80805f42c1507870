"""Orders into a store: each becomes a cart of its own, once."""

from collections.abc import Sequence
from uuid import UUID

from eventlab.events.envelope import NewEvent, StreamId
from eventlab.inputs.cart_events import cart_events, stream
from eventlab.inputs.errors import InputError
from eventlab.inputs.orders import OrderFile
from eventlab.inputs.report import ImportReport
from eventlab.store import EventStore, NoStream

# One read of a stream takes as long as some hundred events of a pass over the whole store.
_MANY = 200


def store_orders(file: OrderFile, store: EventStore) -> ImportReport:
    """Store the carts of the orders that are new. Raises InputError for an order that is stored with other lines."""
    new: dict[StreamId, list[NewEvent]] = {}
    stored = known = 0
    ids = _stored_ids(store, [stream(order) for order in file.orders])
    for order in file.orders:
        events = cart_events(order, file.name)
        there = ids[stream(order)]
        if not there:
            new[stream(order)] = events
            stored += order.size
        elif there == [event.id for event in events]:
            known += order.size
        else:
            raise InputError(
                f"the order {order.key} is stored already, with other lines",
                where=order.lines[0].where,
                do="An order does not change once it is a fact: give it another number, or use an empty store",
            )
    for target, events in new.items():  # each cart whole; after a crash the same file again stores the rest
        store.append(target, events, NoStream)
    lines = sum(order.size for order in file.orders)
    reason = ("orders have no balance to reconcile with",)
    streams = tuple(stream(order) for order in file.orders)
    return ImportReport(file.name, file.format, lines, stored, known, None, reason, file.notes, streams)


def _stored_ids(store: EventStore, streams: Sequence[StreamId]) -> dict[StreamId, list[UUID]]:
    """The ids of the events in each stream: stream by stream, or in one pass over the store when there are many."""
    if len(streams) <= _MANY:
        return {target: [recorded.id for recorded in store.read(target)] for target in streams}
    ids: dict[StreamId, list[UUID]] = {target: [] for target in streams}
    for recorded in store.read_all():
        if recorded.stream in ids:
            ids[recorded.stream].append(recorded.id)
    return ids
