"""A history step by step: each event, the state after it, and what it changed. A slider shows nothing else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Generic, cast, overload

from eventlab.domain.decider import Command, Decider, Event, State
from eventlab.events.envelope import Recorded, StreamId, Version
from eventlab.history.changes import Change, changes
from eventlab.history.moments import whole
from eventlab.store.contract import EventStore

# A step is folded from the last state that was kept: at most so many events, less than a millisecond.
_KEPT_EVERY = 100


@dataclass(frozen=True, slots=True)
class Step(Generic[State]):
    """One event: ``time`` is its valid time, ``before`` and ``state`` are the states before and after it."""

    version: Version
    time: datetime
    event: object
    before: State
    state: State

    @property
    def changes(self) -> tuple[Change, ...]:
        """What the event changed."""
        return changes(self.before, self.state)


class Steps(Sequence[Step[State]]):
    """All steps of one stream, in the order of their versions.

    Every event is held, but only one state in so many: the others are folded when they are asked for.
    """

    def __init__(self, decider: Decider[State, Any, Any], events: Sequence[Recorded]) -> None:
        self._decider = decider
        self._events = [(recorded.version, recorded.valid_time, recorded.event) for recorded in events]
        self._kept: list[State] = []
        for number, step in enumerate(self._walk(decider.initial, 0)):
            if number % _KEPT_EVERY == 0:
                self._kept.append(step.before)

    def _walk(self, state: State, first: int) -> Iterator[Step[State]]:
        for number in range(first, len(self._events)):
            version, time, event = self._events[number]
            before, state = state, self._decider.evolve(state, cast(Any, event))
            yield Step(version, time, event, before, state)

    def _from(self, first: int) -> Iterator[Step[State]]:
        kept = first // _KEPT_EVERY
        return islice(self._walk(self._kept[kept], kept * _KEPT_EVERY), first % _KEPT_EVERY, None)

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Step[State]]:
        return self._walk(self._decider.initial, 0)

    @overload
    def __getitem__(self, place: int) -> Step[State]: ...
    @overload
    def __getitem__(self, place: slice) -> list[Step[State]]: ...
    def __getitem__(self, place: int | slice) -> Step[State] | list[Step[State]]:
        wanted = range(len(self))[place]
        if isinstance(wanted, int):
            return next(self._from(wanted))
        if wanted.step == 1 and wanted:
            return list(islice(self._from(wanted.start), len(wanted)))
        return [self[number] for number in wanted]


def steps(store: EventStore, decider: Decider[State, Command, Event], stream: StreamId) -> Steps[State]:
    """All steps of the stream, in the order of their versions. Raises LookupError when there is no such stream."""
    return Steps(decider, whole(store, stream))
