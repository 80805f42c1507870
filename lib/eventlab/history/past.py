"""The state of an entity at any moment of its past."""

from datetime import datetime
from typing import overload

from eventlab.domain.decider import Command, Decider, Event, State
from eventlab.events.envelope import StreamId
from eventlab.history.fold import folded
from eventlab.history.moments import Axis, check_position, events_until, instant, whole, whole_number
from eventlab.store.contract import EventStore


@overload
def as_of(store: EventStore, decider: Decider[State, Command, Event], stream: StreamId, *, version: int) -> State: ...
@overload
def as_of(store: EventStore, decider: Decider[State, Command, Event], stream: StreamId, *, position: int) -> State: ...
@overload
def as_of(
    store: EventStore,
    decider: Decider[State, Command, Event],
    stream: StreamId,
    *,
    time: datetime | str,
    axis: Axis = "valid",
) -> State: ...
def as_of(
    store: EventStore,
    decider: Decider[State, Command, Event],
    stream: StreamId,
    *,
    version: int | None = None,
    position: int | None = None,
    time: datetime | str | None = None,
    axis: Axis = "valid",
) -> State:
    """The state after the first ``version`` events, or with all that had happened at a ``time`` or ``position``.

    The moment itself is included. A position is a place in the whole store: of several streams, the states at one
    position were there together. A time is asked on the ``valid`` axis, as the customer of a bank means it: *what was
    on my account that evening*, with whatever was booked late for that evening. On the axis ``recorded`` it is what the
    store had been told by then: *what did your app show me*. On both, the events are folded in the order of their
    versions, the order in which they were decided; a wrong clock cannot turn them round. Two events may carry the same
    time, and no time lies between them: a version is the exact address. At version 0, and at a position before the
    first event, the state is the decider's initial one.

    Raises ValueError for a version or position that is not there, and for a time without a zone, before the first event
    or in the future; LookupError when there is no such stream.
    """
    if [version, position, time].count(None) != 2:
        raise ValueError("as of when? Give either a version or a time or a position")
    if position is not None:
        position = whole_number(position, "position")
        check_position(position, store.head())
        return folded(decider, (each for each in whole(store, stream) if each.position <= position))
    if version is not None:
        version = whole_number(version, "version")
    return folded(decider, events_until(store, stream, instant(time) if version is None else version, axis))
