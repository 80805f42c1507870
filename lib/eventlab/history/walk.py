"""A history step by step: each event, the state after it, and what it changed. A slider shows nothing else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, cast

from eventlab.domain.decider import Command, Decider, Event, State
from eventlab.events.envelope import StreamId, Version
from eventlab.history.changes import Change, changes
from eventlab.history.moments import whole
from eventlab.store.contract import EventStore


@dataclass(frozen=True, slots=True)
class Step(Generic[State]):
    """One event: ``time`` is its valid time, ``state`` the state after it, ``changes`` what it changed."""

    version: Version
    time: datetime
    event: object
    state: State
    changes: tuple[Change, ...]


def steps(store: EventStore, decider: Decider[State, Command, Event], stream: StreamId) -> list[Step[State]]:
    """All steps of the stream, in the order of their versions. Raises LookupError when there is no such stream.

    Meant for one entity: every state is kept, so that a slider can jump.
    """
    walked: list[Step[State]] = []
    state = decider.initial
    for recorded in whole(store, stream):
        before, state = state, decider.evolve(state, cast(Event, recorded.event))
        walked.append(Step(recorded.version, recorded.valid_time, recorded.event, state, changes(before, state)))
    return walked
