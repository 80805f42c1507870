"""What was believed at one time about another: both axes of :func:`eventlab.history.as_of` in one question."""

from datetime import datetime
from typing import Any

from eventlab.domain.decider import Command, Decider, Event, State
from eventlab.events.envelope import Recorded, StreamId
from eventlab.history.changes import changes
from eventlab.history.difference import Difference
from eventlab.history.fold import folded
from eventlab.history.moments import Moment, events_until, instant
from eventlab.store.contract import EventStore


def on_record(store: EventStore, stream: StreamId, known_at: Moment) -> list[Any]:
    """The events of an entity that were recorded at ``known_at``, a version or a time, itself included.

    For whatever is a function of the events: a statement as it was sent, interest as it was computed then.
    Raises as :func:`as_believed` does.
    """
    return [recorded.event for recorded in events_until(store, stream, known_at, "recorded")]


def as_believed(
    store: EventStore,
    decider: Decider[State, Command, Event],
    stream: StreamId,
    *,
    time: datetime | str,
    known_at: Moment,
) -> State:
    """What was believed at ``known_at`` about ``time``: *on Tuesday about Monday*. Both moments are included.

    ``time`` is a valid time. ``known_at`` is a recorded time, or a version: as far as the first so many events tell.
    A bitemporal database calls the two valid and transaction time, SQL:2011 application and system time. The events
    are folded in the order of their versions.

    Raises ValueError for a version that is not there, and for a time without a zone, before the first event or in the
    future; LookupError when there is no such stream.
    """
    return folded(decider, _believed(store, stream, time, known_at))


def learned(
    store: EventStore,
    decider: Decider[State, Command, Event],
    stream: StreamId,
    a: Moment,
    b: Moment,
    *,
    about: datetime | str,
) -> Difference[State]:
    """What was learned after ``a`` and up to ``b``, two recorded times or versions, about the valid time ``about``.

    *Why did we believe something else about Monday on Friday than on Tuesday?* The states are those of
    :func:`as_believed`. Raises ValueError when more was known at ``a`` than at ``b``, and as :func:`as_believed` does.
    """
    before, after = (_believed(store, stream, about, known_at) for known_at in (a, b))
    known = {recorded.version for recorded in before}
    if not known <= {recorded.version for recorded in after}:
        raise ValueError(f"at {a} more was known about {about} than at {b}: give the earlier moment first")
    new = tuple(recorded for recorded in after if recorded.version not in known)
    then, now = folded(decider, before), folded(decider, after)
    return Difference(new, then, now, changes(then, now))


def _believed(store: EventStore, stream: StreamId, time: datetime | str, known_at: Moment) -> list[Recorded]:
    known = {recorded.version for recorded in events_until(store, stream, known_at, "recorded")}
    return [recorded for recorded in events_until(store, stream, instant(time), "valid") if recorded.version in known]
