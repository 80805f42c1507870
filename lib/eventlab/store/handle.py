"""A command from load to append: what every handler does the same way."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from eventlab.domain.decider import Decider
from eventlab.events.envelope import NewEvent, Recorded, StreamId, Version
from eventlab.store.contract import EventStore, WrongExpectedVersion
from eventlab.store.snapshots import Snapshots

State = TypeVar("State")
Command = TypeVar("Command")


def state(
    store: EventStore, decider: Decider[State, Command, Any], stream: StreamId, snapshots: Snapshots | None = None
) -> State:
    """What ``stream`` amounts to now: its events, folded; with ``snapshots`` only those since the last one."""
    return _load(store, decider, stream, snapshots)[0]


def execute(
    store: EventStore,
    decider: Decider[State, Command, Any],
    stream: StreamId,
    command: Command,
    *,
    valid_time: datetime | None = None,
    causation: UUID | None = None,
    correlation: UUID | None = None,
    metadata: Mapping[str, str] | None = None,
    attempts: int = 10,
    snapshots: Snapshots | None = None,
) -> list[Recorded]:
    """Load ``stream``, decide on ``command``, append what follows; the events as recorded, none if nothing followed.

    When someone else wrote in between, the newer events are loaded and the command is decided again, up to
    ``attempts`` times in all. ``causation`` is the id of the message that carries the command. ``snapshots`` shorten
    the load of a long stream. Each event gets ``metadata``.
    Raises what ``decide`` raises (Refused), and the store's errors; WrongExpectedVersion after the last attempt.
    """
    now, version = _load(store, decider, stream, snapshots)
    while True:
        new = [
            NewEvent(
                event, valid_time=valid_time, causation=causation, correlation=correlation, metadata=metadata or {}
            )
            for event in decider.decide(command, now)
        ]
        if not new:
            return []
        attempts -= 1
        try:
            versions = store.append(stream, new, expected=version).versions
        except WrongExpectedVersion:
            if attempts < 1:
                raise
            events, version = store.load(stream, after=version)
            now = decider.fold(events, now)
        else:
            return list(store.read(stream, after=version, until=versions[-1]))


def _load(
    store: EventStore, decider: Decider[State, Command, Any], stream: StreamId, snapshots: Snapshots | None
) -> tuple[State, Version]:
    if snapshots is not None:
        loaded = snapshots.load(store, decider, stream)
        return loaded.state, loaded.version
    events, version = store.load(stream)
    return decider.fold(events), version
