"""Which events of a stream had happened at a moment: a version, a position, or a time on one of two axes."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from difflib import get_close_matches
from numbers import Integral
from operator import attrgetter
from typing import Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from eventlab.events.envelope import Recorded, StreamId, Version
from eventlab.store.contract import EventStore

Axis = Literal["valid", "recorded"]
"""``valid``: when it happened in the world. ``recorded``: when the store learned of it. A fact that is booked late or
backdated lies at two places; the two axes are those of a bitemporal database (Snodgrass 1999, *Developing
Time-Oriented Database Applications in SQL*, valid time and transaction time)."""

Moment = int | datetime | str
"""A version of one stream, or a position in the whole store; or a time with its zone, which may be text in ISO 8601,
``"2026-03-03T18:00+01:00"``, also with the name of the zone, ``"2026-03-03T18:00 Europe/Berlin"``."""

# A time and the name of its zone, after a space, or in brackets as in RFC 9557.
_WITH_ZONE = re.compile(r"(.*\d)(?: |\[)([A-Za-z][\w+/-]*)\]?")


def instant(moment: object) -> datetime:
    """The time, with its zone. Raises ValueError when it is none, has no zone, or names one that does not exist."""
    time = _written(moment) if isinstance(moment, str) else moment
    if not isinstance(time, datetime):
        kind = "a whole day" if isinstance(time, date) else f"no time but {type(time).__name__}"
        raise ValueError(f"{time} is {kind}; give one moment, as 2026-03-03T18:00+00:00")
    if time.utcoffset() is None:
        raise ValueError(f"{time} has no time zone, so it is not one moment; add one: {time.isoformat()}+00:00 is UTC")
    return time


def _written(text: str) -> datetime:
    with_zone = _WITH_ZONE.fullmatch(text)
    try:
        time = datetime.fromisoformat(with_zone[1] if with_zone else text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time; write it as 2026-03-03T18:00+00:00") from error
    if with_zone is None:
        return time
    if time.tzinfo is not None:
        raise ValueError(f"{text!r} has an offset and a zone; give one of them")
    time = time.replace(tzinfo=_zone(with_zone[2]))
    if time.utcoffset() != time.replace(fold=1).utcoffset():
        raise ValueError(f"{text!r} is not one moment, because the clocks change there; give the offset from UTC")
    return time


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: it names a directory of zones, "Europe"
        near = get_close_matches(name, available_timezones(), n=1)
        hint = f"did you mean {near[0]}?" if near else "zones are written as Europe/Berlin"
        raise ValueError(f"there is no time zone {name!r}: {hint}") from None


def check_axis(axis: str) -> None:
    """Raises ValueError when there is no such time axis."""
    if axis not in get_args(Axis):
        raise ValueError(f"there is no time axis {axis!r}: choose one of {', '.join(get_args(Axis))}")


def in_order(a: Moment, b: Moment, what: str) -> tuple[Moment, Moment]:
    """Both moments, numbers as Python's own.

    Raises ValueError when ``a`` is after ``b``, or one is a ``what`` (version or position) and the other a time.
    """
    a, b = plain(a, what), plain(b, what)
    if isinstance(a, int) and isinstance(b, int):
        upside_down = b < a
    elif isinstance(a, int) or isinstance(b, int):
        raise ValueError(f"{a} and {b} cannot be compared: give two {what}s or two times")
    else:
        upside_down = instant(b) < instant(a)
    if upside_down:
        raise ValueError(f"{a} is after {b}: give the earlier moment first")
    return a, b


def check_span(time: datetime, first: datetime, last: datetime, what: str) -> None:
    """Raises ValueError for a time before the ``first`` event of ``what``, or in the future.

    What lies ahead of this machine's clock, but not after the ``last`` time on record, can be asked: a fact may be
    valid from a day to come, and another clock may be ahead.
    """
    if time < first:
        raise ValueError(f"there was nothing at {time}: {what} begins at {first}")
    check_known(time, last)


def check_known(time: datetime, last: datetime) -> None:
    """Raises ValueError for a time in the future, unless the ``last`` time on record is still later."""
    if time > max(last, datetime.now(UTC)):
        raise ValueError(f"{time} is in the future: what will have happened then, nobody knows yet")


def whole_number(number: object, what: str) -> int:
    """``number``, a ``what`` (version or position), as Python's own; a data frame gives NumPy's.

    Raises ValueError when it is no whole number.
    """
    if isinstance(number, bool) or not isinstance(number, Integral):
        raise ValueError(f"a {what} is a whole number, not {number!r}")
    return int(number)


def plain(moment: Moment, what: str) -> Moment:
    """``moment``; when it counts something, a ``what``, as :func:`whole_number` gives it."""
    given: object = moment
    return whole_number(given, what) if isinstance(given, Integral) else moment


def check_position(position: int, head: int) -> None:
    """Raises ValueError for a position that no event of the store can have; 0 is before the first."""
    if position < 0:
        raise ValueError(f"there is no position {position}: positions begin at 1, and 0 is before the first event")
    if position > head:
        raise ValueError(f"there is no position {position}: the last event has position {head}")


def had_happened(moment: Moment, axis: Axis) -> Callable[[Recorded], bool]:
    """Whether an event stands at or before ``moment``, a version or a time.

    Raises ValueError when there can be no such moment or axis.
    """
    check_axis(axis)
    if isinstance(moment, int):
        if moment < 0:
            raise ValueError(f"there is no version {moment}: versions begin at 1, and 0 is before the first event")
        return lambda recorded: recorded.version <= moment
    time, time_of = instant(moment), attrgetter(f"{axis}_time")
    return lambda recorded: bool(time_of(recorded) <= time)


def whole(store: EventStore, stream: StreamId, until: Version | None = None) -> list[Recorded]:
    """The events of the stream, all or up to a version. Raises LookupError when there is no such stream."""
    events = list(store.read(stream, until=until))
    if not (events or (until == 0 and list(store.read(stream, until=Version(1))))):
        raise LookupError(f"there is no stream {stream} in this store")
    return events


def events_until(store: EventStore, stream: StreamId, moment: Moment, axis: Axis) -> list[Recorded]:
    """The events that had happened at ``moment``, a version or a time, itself included, in the order of their versions.

    Raises ValueError for a version that the stream does not have, and for a time without a zone, before the first event
    or in the future; LookupError when there is no such stream.
    """
    moment = plain(moment, "version")
    happened = had_happened(moment, axis)
    if not isinstance(moment, int):
        events = whole(store, stream)
        last = max(max(recorded.recorded_time, recorded.valid_time) for recorded in events)
        check_span(instant(moment), min(getattr(recorded, f"{axis}_time") for recorded in events), last, str(stream))
        return [recorded for recorded in events if happened(recorded)]
    events = whole(store, stream, Version(moment))
    if len(events) < moment:
        raise ValueError(f"there is no version {moment}: {stream} ends at version {events[-1].version}")
    return events
