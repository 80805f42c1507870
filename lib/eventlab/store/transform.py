"""A whole store copied into a new one, its events rewritten on the way: renamed, split, merged, left out, moved.

What upcasters cannot do, since they read one stored event as one event (docs/decisions/how-events-change.md).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from msgspec import Struct

from eventlab.domain.decider import Decider
from eventlab.events.envelope import NewEvent, Position, Recorded, StreamId, Version
from eventlab.store.contract import Append, EventStore, StoreError
from eventlab.store.rules import utc_now

_TOGETHER = 1_000  # events per append, when one append of the source had so many
_SHOWN = 3


class CopyDiffers(StoreError):
    """The new store is not what it should be: do not use it."""


class Rewritten(Struct, frozen=True):
    """An event of the new store.

    ``source`` is the event in whose place it stands: it has its times, its causation, correlation and metadata from
    there, and its stream, unless ``stream`` names another one. Of several that become one, take the last.
    """

    event: object
    source: Recorded
    stream: StreamId | None = None


Rewrite = Callable[[Sequence[Recorded]], Iterable[Rewritten]]
"""From all events of a stream to those of the new store, in the order of their sources. It has to be pure."""

Check = Callable[[StreamId, Sequence[Any], Sequence[Any]], str | None]
"""What is wrong with the new events of a stream, given the old ones too; None when nothing is."""


class Each:
    """A rewrite that looks at one event at a time: ``lambda event: [event]`` changes nothing, ``[]`` leaves it out."""

    def __init__(self, change: Callable[[Any], Iterable[object]]) -> None:
        self._change = change

    def __call__(self, history: Sequence[Recorded]) -> Iterator[Rewritten]:
        """What stands in the place of the events of ``history``."""
        return (Rewritten(event, recorded) for recorded in history for event in self._change(recorded.event))


def same_fold(
    old: Decider[Any, Any, Any], new: Decider[Any, Any, Any], of: Callable[[Any], Any] = lambda s: s
) -> Check:
    """The check that ``of`` the state is the same, folded from the old events by ``old``, from the new by ``new``."""

    def check(_: StreamId, before: Sequence[Any], after: Sequence[Any]) -> str | None:
        was, has = of(old.fold(before)), of(new.fold(after))
        return None if was == has else f"it amounted to {was}, and amounts to {has} now"

    return check


class Replay:
    """The clock of the new store: while events are copied, the time at which the old store recorded each of them."""

    def __init__(self) -> None:
        self.now: datetime | None = None

    def __call__(self) -> datetime:
        """The time of the event that is copied now; else the machine's."""
        return self.now or utc_now()


class Copied(Struct, frozen=True):
    """What was copied, up to which position of the source; events per type before and after.

    ``found`` events were there from an earlier run. ``store`` is open, and tells the real time again.
    """

    store: EventStore
    until: Position
    found: int
    streams: int
    before: Mapping[str, int]
    after: Mapping[str, int]

    def __str__(self) -> str:
        was, has = sum(self.before.values()), sum(self.after.values())
        earlier = f", {self.found} of them by an earlier run" if self.found else ""
        return f"{was} events of {self.streams} streams became {has}{earlier}; all checked"


class _Planned(NamedTuple):
    stream: StreamId
    new: NewEvent
    recorded_time: datetime


def copy(
    source: EventStore, target: Callable[[Replay], EventStore], rewrite: Rewrite, check: Check | None = None
) -> Copied:
    """Copy ``source``, rewritten, into the store that ``target`` opens with the clock it is given, and check all of it.

    The order of all events stays, as do valid and recorded times. The first event in the place of a source keeps its
    id, further ones get ids that follow from it. ``source`` is only read, and may be written meanwhile.

    Called again after a kill, or when ``source`` has grown, it compares what is there with what it would have
    written, event by event, and goes on after it. So: copy, stop the writers, copy again, switch.

    Memory: the rewritten rest of the streams that have begun and not ended at the place that is copied.
    Raises CopyDiffers when the target has something else, or ``check`` finds a stream wrong; what the stores and
    ``rewrite`` raise. Until it returns, the target is not to be used.
    """
    clock = Replay()
    store = target(clock)
    try:
        until = source.head()
        plan = _plan(source, rewrite, until)
        found = _compare(store, plan, complete=False)
        _append(store, plan, clock)
        clock.now = None
        _compare(store, _plan(source, rewrite, until), complete=True)
        streams, before = _check(source, rewrite, check, until)
        after = Counter(each.type for each in store.read_all())
    except BaseException:
        store.close()
        raise
    return Copied(store, until, found, streams, before, after)


def _plan(source: EventStore, rewrite: Rewrite, until: Position) -> Iterator[_Planned]:
    """What the target has to have, in its order."""
    rest: dict[StreamId, dict[Version, list[Rewritten]]] = {}
    left: Counter[StreamId] = Counter()
    for recorded in source.read_all(until=until):
        stream = recorded.stream
        if isinstance(rewrite, Each):
            here = list(rewrite([recorded]))
        else:
            if stream not in rest:
                history = _history(source, stream, until)
                rest[stream], left[stream] = _by_version(stream, rewrite(history), history), len(history)
            here = rest[stream].pop(recorded.version, [])
            left[stream] -= 1
            if not left[stream]:
                del rest[stream], left[stream]
        for number, each in enumerate(here):
            yield _Planned(each.stream or stream, _new(each, number), recorded.recorded_time)


def _history(source: EventStore, stream: StreamId, until: Position) -> list[Recorded]:
    return [recorded for recorded in source.read(stream) if recorded.position <= until]


def _by_version(
    stream: StreamId, rewritten: Iterable[Rewritten], history: Sequence[Recorded]
) -> dict[Version, list[Rewritten]]:
    by_version: dict[Version, list[Rewritten]] = defaultdict(list)
    last = 0
    for each in rewritten:
        version = each.source.version
        if each.source.stream != stream or not last <= version <= len(history):
            raise ValueError(
                f"{stream}: the rewrite puts {each.event!r} in the place of {each.source.stream} version {version}, "
                f"after version {last}; it has to give the events of this stream in the order of their sources"
            )
        by_version[version].append(each)
        last = version
    return by_version


def _new(each: Rewritten, number: int) -> NewEvent:
    source = each.source
    return NewEvent(
        each.event,
        id=uuid5(source.id, str(number)) if number else source.id,
        valid_time=source.valid_time,
        causation=source.causation,
        correlation=source.correlation,
        metadata=source.metadata,
    )


def _append(store: EventStore, plan: Iterator[_Planned], clock: Replay) -> None:
    """Append what is left of the plan: all that was recorded together together, as far as one append can hold it."""
    for recorded_time, together in groupby(plan, key=lambda each: each.recorded_time):
        clock.now = recorded_time
        for appends in _appends(together):
            store.append_all(appends)


def _appends(together: Iterable[_Planned]) -> Iterator[list[Append]]:
    """An append has each stream once; a stream that comes back begins another, so that the order stays."""
    appends: list[Append] = []
    there: set[StreamId] = set()
    size = 0
    for stream, run in groupby(together, key=lambda each: each.stream):
        events = [each.new for each in run]
        if stream in there or size >= _TOGETHER:
            yield appends
            appends, there, size = [], set(), 0
        appends.append(Append(stream, events))
        there.add(stream)
        size += len(events)
    if appends:
        yield appends


def _compare(store: EventStore, plan: Iterator[_Planned], complete: bool) -> int:
    """How many events of ``store`` are as planned: all of them, else CopyDiffers. ``complete``: none is missing."""
    number = 0
    versions: Counter[StreamId] = Counter()
    for number, recorded in enumerate(store.read_all(), start=1):
        planned = next(plan, None)
        versions[recorded.stream] += 1
        if planned is None or _seen(recorded) != _wanted(planned, versions[recorded.stream]):
            wanted = f"{planned.new.event!r} in {planned.stream}" if planned else "nothing"
            raise CopyDiffers(
                f"event {number} of the new store is {recorded.event!r} in {recorded.stream}, where this copy has "
                f"{wanted}: it is another copy, or the rewrite has changed; begin again with an empty store"
            )
    if complete and (planned := next(plan, None)):
        raise CopyDiffers(f"after {number} events the new store lacks {planned.new.event!r} in {planned.stream}")
    return number


def _seen(recorded: Recorded) -> tuple[Any, ...]:
    about = (recorded.causation, recorded.correlation, dict(recorded.metadata))
    times = (recorded.valid_time, recorded.recorded_time)
    return recorded.id, recorded.stream, recorded.version, recorded.event, *times, *about


def _wanted(planned: _Planned, version: int) -> tuple[UUID | object, ...]:
    new = planned.new
    about = (new.causation, new.correlation, dict(new.metadata))
    return new.id, planned.stream, version, new.event, new.valid_time, planned.recorded_time, *about


def _check(source: EventStore, rewrite: Rewrite, check: Check | None, until: Position) -> tuple[int, Counter[str]]:
    """The number of streams and the events per type of ``source``; CopyDiffers when ``check`` finds a stream wrong."""
    streams: set[StreamId] = set()
    before: Counter[str] = Counter()
    wrong: list[str] = []
    for recorded in source.read_all(until=until):
        before[recorded.type] += 1
        if recorded.stream not in streams and check:
            history = _history(source, recorded.stream, until)
            new = [each.event for each in rewrite(history)]
            if complaint := check(recorded.stream, [each.event for each in history], new):
                wrong.append(f"{recorded.stream}: {complaint}")
        streams.add(recorded.stream)
    if wrong:
        raise CopyDiffers(
            f"{len(wrong)} of {len(streams)} streams are not what they were; {'; '.join(wrong[:_SHOWN])}"
            f"{'; …' if len(wrong) > _SHOWN else ''}. Mend the rewrite, and begin again with an empty store"
        )
    return len(streams), before
