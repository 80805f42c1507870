"""The rules that every store applies in the same words: batches, expectations, repeated ids, stored to recorded."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from eventlab.events.codec import Encoded, JsonCodec
from eventlab.events.envelope import NewEvent, Position, Recorded, StreamId, Version
from eventlab.events.errors import EventError
from eventlab.events.registry import TypeRegistry
from eventlab.store.contract import (
    START,
    Append,
    Appended,
    Expectation,
    Expected,
    NoStream,
    StoreError,
    StreamExists,
    WrongExpectedVersion,
)
from eventlab.store.sealing import Sealing

LAST = 2**63 - 1  # what a database's integer holds
_LONGEST_NAME = 1_000  # bytes of a stream's name; an index of PostgreSQL takes 2,704
_LISTS = (list, tuple, Sequence)  # the first two are told by a look, any other sequence by asking an abstract class
_SURROGATE = re.compile("[\ud800-\udfff]")


class StoredEvent(NamedTuple):
    """An event as a store holds it: the fields of Recorded, with the data still encoded."""

    stream: StreamId
    version: Version
    position: Position
    type: str
    schema_version: int
    data: bytes | str
    id: UUID
    valid_time: datetime
    recorded_time: datetime
    causation: UUID | None
    correlation: UUID | None
    metadata: Mapping[str, str]


class Place(NamedTuple):
    """Where a stored event stands."""

    stream: StreamId
    version: Version
    position: Position


def told_by(clock: Callable[[], datetime]) -> datetime:
    """The time of ``clock``, in UTC. Raises ValueError when it has no zone."""
    now = clock()
    if type(now) is datetime and now.tzinfo is UTC:  # as utc_now gives it: nothing to check, nothing to change
        return now
    check_times(now)
    return now.astimezone(UTC)


def utc_now() -> datetime:
    """The time of this machine's clock, in UTC."""
    return datetime.now(UTC)


def check_years(time: datetime) -> None:
    """Raises ValueError for a time that lies in no year from 1 to 9999 of UTC: it could not be read back."""
    try:
        time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"the time {time} is outside the years 1 to 9999 of UTC") from error


def check_stream(stream: StreamId) -> None:
    """Raises TypeError for what is no stream, and ValueError for a name that not every database can hold."""
    if not isinstance(stream, StreamId):
        raise TypeError(f"a stream is a StreamId, not {stream!r}; StreamId.parse() makes one of its name")
    name = str(stream)
    if not _is_text(name):
        raise ValueError(f"the name of a stream has no character NUL and no lone surrogates, not {name!r}")
    if len(name.encode()) > _LONGEST_NAME:
        raise ValueError(f"the name of the stream {name[:30]!r}… is too long: {_LONGEST_NAME} bytes at most")


def _is_text(text: str) -> bool:
    return "\0" not in text and (text.isascii() or not _SURROGATE.search(text))


def within(bound: int) -> int:
    """A bound that a database can hold, with the same versions or positions on both sides."""
    return min(max(bound, 0), LAST)


def check_expectation(expected: object) -> None:
    """Raises TypeError for what no stream could be expected to be."""
    if not isinstance(expected, (Expectation, int)) or isinstance(expected, bool):
        raise TypeError(f"expected is a Version, NoStream, StreamExists or Any, not {expected!r}")


def check_expected(stream: StreamId, expected: Expected, actual: Version) -> None:
    """Raises WrongExpectedVersion unless ``stream`` at version ``actual`` is as ``expected``."""
    if isinstance(expected, Expectation):
        right = not (expected is NoStream and actual > START) and not (expected is StreamExists and actual == START)
    else:
        right = expected == actual
    if not right:
        raise WrongExpectedVersion(stream, expected, actual)


def bounds(expected: Expected) -> tuple[int, int]:
    """The versions at which a stream is as ``expected``: the least and the greatest."""
    if isinstance(expected, Expectation):
        return int(expected is StreamExists), 0 if expected is NoStream else LAST
    bound = int(min(max(expected, -1), LAST))
    return bound, bound


def check_appends(appends: Sequence[Append]) -> None:
    """Raises ValueError when there is nothing to append, a stream or an id comes twice, or metadata is not text.

    TypeError for what is no append at all: of a generator nothing would be left to store.
    """
    if not isinstance(appends, _LISTS):
        raise TypeError(f"several appends are a list, not {appends!r:.100}")
    if not appends:
        raise ValueError("nothing to append: the list of appends is empty")
    for each in appends:
        check_stream(each.stream)
        check_expectation(each.expected)
        if not isinstance(each.events, _LISTS):
            raise TypeError(f"the events for {each.stream} are a list, not {each.events!r:.100}")
        if not each.events:
            raise ValueError(f"nothing to append to {each.stream}: the list of events is empty")
        _check_events(each.events)
    if len(appends) > 1 and len({each.stream for each in appends}) != len(appends):
        raise ValueError("a stream comes twice in one append; put its events together")
    if len({new.id.int for each in appends for new in each.events}) != sum(len(each.events) for each in appends):
        raise ValueError("two events of one append have the same id; each event needs its own")


def _check_events(events: Sequence[NewEvent]) -> None:
    for new in events:
        if not isinstance(new, NewEvent):
            raise TypeError(f"what is appended are NewEvents, not {new!r:.100}")
        for key, value in new.metadata.items() if new.metadata else ():
            if not isinstance(key, str) or not isinstance(value, str) or not _is_text(key + value):
                raise ValueError(
                    f"metadata is text to text without the character NUL and lone surrogates, not {key!r}: {value!r}"
                )
        if new.valid_time is not None:
            check_years(new.valid_time)


def check_empty(last: int | None) -> None:
    """Raises StoreError when there is a ``last`` position already: events keep their places only in an empty store."""
    if last:
        raise StoreError(
            f"the store has events already (up to position {last}), and restored events keep their positions: "
            "restore into an empty one; nothing was stored"
        )


def gapless(events: Iterable[StoredEvent]) -> Iterator[StoredEvent]:
    """``events``. Raises StoreError at the first position that is not the next of 1, 2, 3, …"""
    for place, each in enumerate(events, start=1):
        if each.position != place:
            raise StoreError(
                f"this store counts its events, so it cannot have {each.stream} version {each.version} at position "
                f"{each.position}, where event {place} stands: restore into an SQL store"
            )
        yield each


def narrows(
    types: Collection[type], since: datetime | None, before: datetime | None, registry: TypeRegistry
) -> Callable[[StoredEvent], bool]:
    """Whether a stored event is among those asked for. Raises UnknownEventType, and ValueError for naive times."""
    names = {name for cls in types for name in registry.of_class(cls).names}
    check_times(since, before)
    return lambda event: (
        (not names or event.type in names)
        and (since is None or event.recorded_time >= since)
        and (before is None or event.recorded_time < before)
    )


def check_times(*times: datetime | None) -> None:
    """Raises ValueError for a time without a zone, or outside the calendar; TypeError for what is no time."""
    for time in times:
        if time is None:
            continue
        if not isinstance(time, datetime):
            raise TypeError(f"a time is a datetime with a zone, not {time!r}")
        if time.tzinfo is None:
            raise ValueError(f"the time {time} has no time zone; add one, for example UTC")
        check_years(time)


def already_stored(stream: StreamId, events: Sequence[NewEvent], known: Mapping[UUID, Place]) -> Appended:
    """The first answer again, for events of which at least one is ``known`` by its id.

    Raises ValueError when only some are known, or when they stand in another stream.
    """
    for new in events:
        if new.id not in known:
            raise ValueError(f"{stream}: only some of the {len(events)} event ids are stored already ({new.id} is not)")
        if known[new.id].stream != stream:
            raise ValueError(f"{stream}: the event id {new.id} is already stored in {known[new.id].stream}")
    return Appended(tuple(known[new.id].version for new in events), tuple(known[new.id].position for new in events))


def stored(
    stream: StreamId, version: Version, position: Position, new: NewEvent, encoded: Encoded, now: datetime
) -> StoredEvent:
    """``new`` as it is stored at ``version`` and ``position``; times in UTC, a missing valid time is ``now``."""
    learned = now.astimezone(UTC)
    valid = learned if new.valid_time is None else new.valid_time.astimezone(UTC)
    return StoredEvent(
        stream, version, position, *encoded, new.id, valid, learned, new.causation, new.correlation, dict(new.metadata)
    )


def recorded(event: StoredEvent, codec: JsonCodec, sealing: Sealing | None = None) -> Recorded:
    """The decoded and opened form of a stored event. Raises EventError with the event's place in front."""
    stream, version, position, type_, schema_version, data, id_, valid, learned, cause, conversation, metadata = event
    try:
        decoded = codec.decode(type_, schema_version, data)
        if sealing is not None:
            decoded = sealing.open(decoded, id_)
    except EventError as error:
        raise error.at(f"{stream} version {version} (position {position})") from error.__cause__
    return Recorded(
        stream, version, position, type_, schema_version, decoded, id_, valid, learned, cause, conversation, metadata
    )
