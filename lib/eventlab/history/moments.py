"""Which events of a stream had happened at a moment: a version, or a time on one of two axes."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from operator import attrgetter
from typing import Literal, get_args

from eventlab.events.envelope import Recorded, StreamId, Version
from eventlab.store.contract import EventStore

Axis = Literal["valid", "recorded"]
"""``valid``: when it happened in the world. ``recorded``: when the store learned of it. A fact that is booked late or
backdated lies at two places; the two axes are those of a bitemporal database (Snodgrass 1999, *Developing
Time-Oriented Database Applications in SQL*, valid time and transaction time)."""

Moment = int | datetime | str
"""A version; or a time with its zone, also written in ISO 8601: ``"2026-03-03T18:00+00:00"``."""


def instant(moment: object) -> datetime:
    """The time, with its zone. Raises ValueError when it is none, or has no zone."""
    try:
        time = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    except ValueError as error:
        raise ValueError(f"{moment!r} is not a time; write it as 2026-03-03T18:00+00:00") from error
    if not isinstance(time, datetime):
        kind = "a whole day" if isinstance(time, date) else f"no time but {type(time).__name__}"
        raise ValueError(f"{time} is {kind}; give one moment, as 2026-03-03T18:00+00:00")
    if time.tzinfo is None:
        raise ValueError(f"{time} has no time zone, so it is not one moment; add one: {time.isoformat()}+00:00 is UTC")
    return time


def had_happened(moment: Moment, axis: Axis) -> Callable[[Recorded], bool]:
    """Whether an event stands at or before ``moment``. Raises ValueError when there can be no such moment or axis."""
    if axis not in get_args(Axis):
        raise ValueError(f"there is no time axis {axis!r}: choose one of {', '.join(get_args(Axis))}")
    if isinstance(moment, int):
        if moment < 0:
            raise ValueError(f"there is no version {moment}: versions begin at 1, and 0 is before the first event")
        return lambda recorded: recorded.version <= moment
    time, time_of = instant(moment), attrgetter(f"{axis}_time")
    return lambda recorded: bool(time_of(recorded) <= time)


def whole(store: EventStore, stream: StreamId, until: Version | None = None) -> list[Recorded]:
    """The events of the stream, all or up to a version. Raises LookupError when there is no such stream."""
    events = list(store.read(stream, until=until))
    if not events and until != 0:
        raise LookupError(f"there is no stream {stream} in this store")
    return events


def events_until(store: EventStore, stream: StreamId, moment: Moment, axis: Axis) -> list[Recorded]:
    """The events that had happened at ``moment``, that moment included, in the order of their versions.

    Raises ValueError for a version that the stream does not have, for a time without a zone, and for a recorded time
    in the future; LookupError when there is no such stream.
    """
    happened = had_happened(moment, axis)
    if not isinstance(moment, int):
        events = whole(store, stream)
        if axis == "recorded":
            _check_not_ahead(instant(moment), events)
        return [recorded for recorded in events if happened(recorded)]
    events = whole(store, stream, Version(moment))
    if len(events) < moment:
        raise ValueError(f"there is no version {moment}: {stream} ends at version {events[-1].version}")
    return events


def _check_not_ahead(time: datetime, events: list[Recorded]) -> None:
    """Raises ValueError for a time of which nobody knows yet what will have been recorded by then.

    A store whose clock is ahead of this machine's may have recorded something there already.
    """
    newest, now = max(recorded.recorded_time for recorded in events), datetime.now(UTC)
    if time > max(newest, now):
        raise ValueError(f"{time} is in the future (now is {now}): what will be on record then, nobody knows yet")


def events_as_known(store: EventStore, stream: StreamId, time: Moment, known_at: Moment) -> list[Recorded]:
    """The events that had happened at ``time`` and had been recorded at ``known_at``, in the order of their versions.

    Raises as :func:`events_until` does.
    """
    happened = had_happened(time, "valid")
    return [recorded for recorded in events_until(store, stream, known_at, "recorded") if happened(recorded)]
