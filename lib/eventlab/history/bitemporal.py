"""One entity on both time axes at once: what was believed at each recorded time about each valid time."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, cast

from eventlab.domain.decider import Command, Decider, Event, State
from eventlab.events.envelope import Recorded, StreamId
from eventlab.history.moments import check_known, instant, whole
from eventlab.store.contract import EventStore

MOST_MOMENTS = 200  # per axis: the states of all pairs are kept, so that one can point at any


@dataclass(frozen=True, slots=True)
class Bitemporal(Generic[State]):
    """``valid`` and ``recorded`` are the moments at which something changes on each axis, ascending.

    ``states[r][v]`` is what was believed from ``recorded[r]`` on about the time from ``valid[v]`` on, each up to the
    next moment of its axis. ``events`` are those behind the last of them, in the order of their versions.
    """

    events: tuple[Recorded, ...]
    valid: tuple[datetime, ...]
    recorded: tuple[datetime, ...]
    states: tuple[tuple[State, ...], ...]

    @property
    def late(self) -> tuple[Recorded, ...]:
        """The events that were recorded after they had happened."""
        return tuple(event for event in self.events if event.recorded_time > event.valid_time)

    def at(self, time: datetime | str, known_at: datetime | str) -> State:
        """What was believed at ``known_at`` about ``time``.

        Raises ValueError for a moment before the first one or in the future, as :func:`eventlab.history.as_believed`.
        """
        last = max(max(event.recorded_time, event.valid_time) for event in self.events)
        for moment in (time, known_at):
            check_known(instant(moment), last)
        return self.states[_place(known_at, self.recorded)][_place(time, self.valid)]


def _place(moment: datetime | str, moments: Sequence[datetime]) -> int:
    place = bisect_right(moments, instant(moment)) - 1
    if place < 0:
        raise ValueError(f"{moment} is before {moments[0]}, where this picture of both times begins")
    return place


def bitemporal(
    store: EventStore,
    decider: Decider[State, Command, Event],
    stream: StreamId,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
) -> Bitemporal[State]:
    """What was believed when, about all valid times from ``since`` to ``until`` (default: all there are).

    The state of each pair of moments is that of :func:`eventlab.history.as_believed`.
    Raises ValueError when nothing happened in that time, when it has more than 200 moments on an axis, and for a time
    without a zone; LookupError when there is no such stream.
    """
    first, last = since and instant(since), until and instant(until)
    events = [event for event in whole(store, stream) if not last or event.valid_time <= last]
    within = [event for event in events if not first or event.valid_time >= first]
    if not within:
        raise ValueError(f"nothing happened to {stream} from {since or 'its beginning'} to {until or 'its end'}")
    begin = min(event.recorded_time for event in within)
    valid = sorted({event.valid_time for event in within})
    recorded = sorted({event.recorded_time for event in events if event.recorded_time >= begin})
    for moments, axis in ((valid, "valid"), (recorded, "recorded")):
        if len(moments) > MOST_MOMENTS:
            raise ValueError(
                f"{stream} has {len(moments):,} {axis} times there, more than {MOST_MOMENTS}: give since=… or until=…"
            )
    about = [
        list(_believed(decider, [event for event in events if event.valid_time <= time], recorded)) for time in valid
    ]
    return Bitemporal(tuple(events), tuple(valid), tuple(recorded), tuple(zip(*about, strict=True)))


def _believed(
    decider: Decider[State, Command, Event], events: Sequence[Recorded], recorded: Sequence[datetime]
) -> Iterator[State]:
    """The state at each recorded time: from the one before, unless a clock went back and there is no going on."""
    state, before = decider.initial, list[Recorded]()
    for moment in recorded:
        known = [event for event in events if event.recorded_time <= moment]
        if known[: len(before)] != before:
            state, before = decider.initial, []
        state = decider.fold((cast(Event, event.event) for event in known[len(before) :]), state)
        before = known
        yield state
