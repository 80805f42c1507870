"""What happened to an entity between two moments, and what that changed."""

from dataclasses import dataclass
from itertools import filterfalse
from typing import Generic

from eventlab.domain.decider import Command, Decider, Event, State
from eventlab.events.envelope import Recorded, StreamId
from eventlab.history.changes import Change, changes
from eventlab.history.fold import folded
from eventlab.history.moments import Axis, Moment, events_until, had_happened, in_order
from eventlab.store.contract import EventStore


@dataclass(frozen=True, slots=True)
class Difference(Generic[State]):
    """The events after one moment up to another, the states at both, and what changed between them."""

    events: tuple[Recorded, ...]
    before: State
    after: State
    changes: tuple[Change, ...]

    def __str__(self) -> str:
        happened = [f"version {recorded.version}: {recorded.event}" for recorded in self.events]
        return "\n".join([*happened, *map(str, self.changes)]) or "nothing happened"


def diff(
    store: EventStore,
    decider: Decider[State, Command, Event],
    stream: StreamId,
    a: Moment,
    b: Moment,
    *,
    axis: Axis = "valid",
) -> Difference[State]:
    """What happened after ``a`` and up to ``b``, two versions or two times; the axis is that of :func:`as_of`.

    On the valid axis an event that was booked late for a time before ``a`` is part of both states, wherever its
    version stands. ``a`` may be before the first event. Raises ValueError when ``a`` is after ``b``, when they are not
    of one kind, and as :func:`as_of` does; LookupError when there is no such stream.
    """
    a, b = in_order(a, b, "version")
    known = had_happened(a, axis)
    events = events_until(store, stream, b, axis)
    before = folded(decider, filter(known, events))
    after = folded(decider, events)
    return Difference(tuple(filterfalse(known, events)), before, after, changes(before, after))
