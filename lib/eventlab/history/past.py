"""The state of an entity at any moment of its past."""

from datetime import datetime
from typing import overload

from eventlab.domain.decider import Command, Decider, Event, State
from eventlab.events.envelope import StreamId
from eventlab.history.fold import folded
from eventlab.history.moments import Axis, Moment, events_as_known, events_until
from eventlab.store.contract import EventStore


@overload
def as_of(store: EventStore, decider: Decider[State, Command, Event], stream: StreamId, *, version: int) -> State: ...
@overload
def as_of(
    store: EventStore,
    decider: Decider[State, Command, Event],
    stream: StreamId,
    *,
    time: datetime | str,
    axis: Axis = "valid",
    known_at: Moment | None = None,
) -> State: ...
def as_of(
    store: EventStore,
    decider: Decider[State, Command, Event],
    stream: StreamId,
    *,
    version: int | None = None,
    time: datetime | str | None = None,
    axis: Axis = "valid",
    known_at: Moment | None = None,
) -> State:
    """The state after the first ``version`` events, or with all that had happened at ``time``, that moment included.

    A time is asked on the ``valid`` axis, as the customer of a bank means it: *what was on my account that evening*,
    with whatever was booked late for that evening. On the axis ``recorded`` it is what the store had been told by
    then: *what did your app show me*. On both, the events are folded in the order of their versions, the order in
    which they were decided; a wrong clock cannot turn them round. Two events may carry the same time, and no time
    lies between them: a version is the exact address. Before the first event the state is the decider's initial one.

    ``known_at``, a time or a version, asks on both axes at once, as a bitemporal database does: what was on the
    account at ``time``, as far as the store had been told by then: *what did we believe on Tuesday about Monday*.

    Raises ValueError for a version that the stream does not have, a time without a zone or a recorded time in the
    future, LookupError when there is no such stream.
    """
    if known_at is not None:
        if time is None or version is not None or axis != "valid":
            raise ValueError(
                "known_at is what was recorded by then about a valid time: give it with time=…, nothing else"
            )
        return folded(decider, events_as_known(store, stream, time, known_at))
    if version is not None and time is None:
        return folded(decider, events_until(store, stream, version, axis))
    if time is not None and version is None:
        return folded(decider, events_until(store, stream, time, axis))
    raise ValueError("as of when? Give either a version or a time")
