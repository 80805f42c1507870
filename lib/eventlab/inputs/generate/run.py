"""From a plan to a history: commands run through a decider in the order of their times."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from random import Random
from typing import TypeVar
from uuid import UUID

from eventlab.domain.decider import Decider, Refused
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.store import MemoryEventStore

State = TypeVar("State")
Command = TypeVar("Command")
Event = TypeVar("Event")


def run(
    rng: Random, decider: Decider[State, Command, Event], plan: Iterable[tuple[datetime, Command]]
) -> list[NewEvent]:
    """The events of ``plan``, pairs of a time and a command; a command that is refused leaves none."""
    state, events = decider.initial, []
    for moment, command in sorted(plan, key=itemgetter(0)):
        try:
            decided = decider.decide(command, state)
        except Refused:
            continue
        state = decider.fold(decided, state)
        events += [NewEvent(event, UUID(int=rng.getrandbits(128), version=4), moment) for event in decided]
    return events


def demo_store(histories: Mapping[StreamId, Sequence[NewEvent]]) -> MemoryEventStore:
    """A store in memory that has lived through ``histories``: each event was recorded at its own valid time.

    Raises ValueError for an event without a valid time.
    """
    lived = []
    for stream, events in histories.items():
        for new in events:
            if new.valid_time is None:
                raise ValueError(f"{stream}: {new.event} has no valid time, so there is no time to record it at")
            lived.append((new.valid_time, stream, new))
    lived.sort(key=itemgetter(0))
    times = iter([moment for moment, _, _ in lived])
    store = MemoryEventStore(clock=lambda: next(times))
    for _, stream, new in lived:
        store.append(stream, [new])
    return store
