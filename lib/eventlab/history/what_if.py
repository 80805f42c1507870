"""What if it had gone otherwise? A history is altered in memory and folded again; the store is only read."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, cast

from eventlab.domain.decider import Command, Decider, Event, State
from eventlab.events.envelope import StreamId
from eventlab.history.changes import Change, changes
from eventlab.history.moments import whole
from eventlab.history.rules import check_event, refusals
from eventlab.store.contract import EventStore

_NOTHING: Mapping[int, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class WhatIf(Generic[State]):
    """The altered ``events``, the state at the ``actual`` end and at the ``altered`` one, and the ``changes`` between.

    ``refused``: what the rules say against events of the altered history that they allowed, or did not have to judge,
    in the actual one. The events are folded all the same: whoever alters a history decides what the facts are.
    """

    events: tuple[object, ...]
    actual: State
    altered: State
    changes: tuple[Change, ...]
    refused: tuple[str, ...]

    def __str__(self) -> str:
        against = [f"the rules would have refused: {said}" for said in self.refused]
        return "\n".join([*map(str, self.changes), *against]) or "nothing would be different"


def what_if(
    store: EventStore,
    decider: Decider[State, Command, Event],
    stream: StreamId,
    *,
    leave_out: Collection[int] = (),
    change: Mapping[int, object] = _NOTHING,
    insert: Mapping[int, Sequence[object]] = _NOTHING,
) -> WhatIf[State]:
    """Fold the stream as if some events had not happened, had been others, or had come in between.

    ``leave_out`` are versions; ``change`` gives another event for a version; ``insert`` gives events to come after a
    version, 0 for before the first. Versions are always those of the actual history. Nothing is written.
    Raises ValueError when nothing is altered, for a version that the stream does not have or that is altered twice, and
    for what is no event (a command, for example); LookupError when there is no such stream.
    """
    actual = [recorded.event for recorded in whole(store, stream)]
    if not (leave_out or change or insert):
        raise ValueError("nothing is altered: give leave_out=…, change=… or insert=…")
    _check_versions(stream, len(actual), leave_out, change, insert)
    for event in [*change.values(), *(event for events in insert.values() for event in events)]:
        check_event(decider, event)
    altered: list[tuple[int, object]] = [(0, event) for event in insert.get(0, ())]  # with the version it had, or 0
    for version, event in enumerate(actual, start=1):
        if version in change:
            altered.append((0, change[version]))
        elif version not in leave_out:
            altered.append((version, event))
        altered += [(0, new) for new in insert.get(version, ())]
    before, after = (decider.fold(cast(Sequence[Event], each)) for each in (actual, [event for _, event in altered]))
    return WhatIf(
        tuple(event for _, event in altered),
        before,
        after,
        changes(before, after),
        _newly_refused(decider, actual, altered),
    )


def _check_versions(
    stream: StreamId,
    last: int,
    leave_out: Collection[int],
    change: Mapping[int, object],
    insert: Mapping[int, Sequence[object]],
) -> None:
    missing = [version for version in [*leave_out, *change] if not 1 <= version <= last]
    missing += [version for version in insert if not 0 <= version <= last]
    if missing:
        raise ValueError(f"there is no version {missing[0]}: {stream} has versions 1 to {last}")
    twice = set(leave_out) & set(change)
    if twice:
        raise ValueError(f"version {min(twice)} cannot be left out and be changed")


def _newly_refused(
    decider: Decider[Any, Any, Any], actual: Sequence[object], altered: Sequence[tuple[int, object]]
) -> tuple[str, ...]:
    always = {version for version, said in enumerate(refusals(decider, actual), start=1) if said is not None}
    said = refusals(decider, [event for _, event in altered])
    return tuple(
        f"{event} ({f'version {version}' if version else 'new'}): {against}"
        for (version, event), against in zip(altered, said, strict=True)
        if against is not None and version not in always
    )
