"""What the event store says to SQLite: one writer at a time, so positions have no gaps; looking for news is cheap."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import convert
from sqlalchemy import Table

from eventlab.events.envelope import Position, StreamId, Version
from eventlab.store.batches import Batch
from eventlab.store.contract import Appended
from eventlab.store.driver import Driver
from eventlab.store.rules import StoredEvent, check_empty

# A look is a read of one page of the file's header, from memory: some 5 µs.
_LOOK_SECONDS = 0.005
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_json = msgspec.json.Encoder()
_metadata = msgspec.json.Decoder(dict[str, str])
_parse = lru_cache(maxsize=4096)(StreamId.parse)


class Sqlite:
    """The statements of one store, and the form of its rows."""

    SELECTED = "stream, version, position, type, schema_version, data, id, valid_time, recorded_time, causation, "
    SELECTED += "correlation, metadata"
    DATA = "data"
    ONE_OF: ClassVar[str] = "IN (SELECT value FROM json_each({}))"
    # JSON has no bytes, so ids come one after the other, 16 bytes each.
    ONE_OF_IDS: ClassVar[str] = (
        "IN (WITH RECURSIVE part(at) AS (VALUES (1) UNION ALL SELECT at + 16 FROM part WHERE at + 16 < length({0})) "
        "SELECT substr({0}, at, 16) FROM part)"
    )

    def __init__(self, driver: Driver, table: Table) -> None:
        self._driver = driver
        self._last = driver.sql("SELECT max(position) FROM events")
        self._ends = driver.sql(f"SELECT ({self._last}), (SELECT max(version) FROM events WHERE stream = :stream)")
        columns = [column.name for column in table.columns]
        self._insert = f"INSERT INTO events ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"

    def append(self, cursor: Any, batches: Sequence[Batch], now: datetime) -> list[Appended] | None:
        """Store the batches and say where, or None when a stream is not as expected; within one transaction.

        Raises the driver's IntegrityError for known ids. The transaction is begun here, and left to the caller to end.
        """
        cursor.execute("BEGIN IMMEDIATE")
        appended, firsts, next_ = [], [], 0
        for batch in batches:
            position, version = cursor.execute(self._ends, {"stream": batch.stream}).fetchone()
            if not batch.low <= (version or 0) <= batch.high:
                cursor.execute("ROLLBACK")
                return None
            first, next_ = (version or 0) + 1, next_ or (position or 0) + 1
            firsts.append((first, next_))
            count = len(batch.events)
            appended.append(Appended(tuple(range(first, first + count)), tuple(range(next_, next_ + count))))
            next_ += count
        cursor.executemany(self._insert, _rows(batches, firsts, microseconds(now)))
        return appended

    def restore(self, cursor: Any, events: Iterable[StoredEvent]) -> int:
        """Store events as they were, into a table without any; the transaction is begun here."""
        cursor.execute("BEGIN IMMEDIATE")
        check_empty(cursor.execute(self._last).fetchone()[0])
        rows = (
            (
                str(each.stream),
                each.version,
                each.position,
                each.type,
                each.schema_version,
                each.data if isinstance(each.data, str) else each.data.decode(),
                each.id.bytes,
                microseconds(each.valid_time),
                microseconds(each.recorded_time),
                each.causation and each.causation.bytes,
                each.correlation and each.correlation.bytes,
                _json.encode(each.metadata).decode() if each.metadata else "{}",
            )
            for each in events
        )
        return int(cursor.executemany(self._insert, rows).rowcount)

    def commit(self, cursor: Any) -> None:
        """End the transaction of an append."""
        cursor.execute("COMMIT")

    def appended(self) -> None:
        """Nobody has to be told: subscribers look."""

    def stored(self, row: Sequence[Any]) -> StoredEvent:
        """A selected row as the event that it holds."""
        stream, version, position, type_, schema, data, id_, valid, learned, cause, conversation, metadata = row
        recorded_time = _time(learned)
        return StoredEvent(
            _parse(stream),
            Version(version),
            Position(position),
            type_,
            schema,
            data,
            convert(id_, UUID),  # a third of the time that UUID(bytes=id_) takes
            recorded_time if valid == learned else _time(valid),
            recorded_time,
            cause and convert(cause, UUID),
            conversation and convert(conversation, UUID),
            {} if metadata == "{}" else _metadata.decode(metadata),
        )

    def parameter(self, value: object) -> object:
        """``value`` as this database takes it."""
        match value:
            case datetime():
                return microseconds(value)
            case list() if value and isinstance(value[0], UUID):
                return b"".join(id_.bytes for id_ in value)
            case list():
                return _json.encode(value).decode()
        return value

    def settle(self, patience: float) -> int:
        """The position of the last event. All below it are visible, since they were written one after the other."""
        last: int | None = self._driver.rows("SELECT max(position) FROM events")[0][0]
        return last or 0

    def unbroken(self, after: int, positions: Sequence[int]) -> int:
        """How many of the visible ``positions`` have all before them: all."""
        return len(positions)

    @contextmanager
    def news(self) -> Iterator["News"]:
        """What tells a subscriber when to look again."""
        with self._driver.apart() as cursor:
            yield News(cursor)


class News:
    """Looks whether another connection has committed anything (https://www.sqlite.org/pragma.html#pragma_data_version)."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._seen = -1

    def expect_more(self) -> None:
        """Looks are cheap here: they come in the same time always."""

    def wait(self, seconds: float) -> None:
        """Until something was committed since the last call, ``seconds`` at most."""
        end = time.monotonic() + seconds
        while True:
            version = self._cursor.execute("PRAGMA data_version").fetchone()[0]
            if version != self._seen or time.monotonic() >= end:
                self._seen = version
                return
            time.sleep(_LOOK_SECONDS)


def _rows(batches: Sequence[Batch], firsts: Sequence[tuple[int, int]], learned: int) -> Iterator[tuple[Any, ...]]:
    """The rows of ``batches``, of which each begins at its version and its position in ``firsts``.

    Plain ints: the driver asks its adapters about each value of another class.
    """
    for batch, (version, position) in zip(batches, firsts, strict=True):
        for new, (type_, schema_version), data in zip(batch.events, batch.types, batch.data, strict=True):
            yield (
                batch.stream,
                version,
                position,
                type_,
                schema_version,
                data.decode(),
                new.id.int.to_bytes(16),  # as its ``bytes``, which is a function written in Python
                learned if new.valid_time is None else microseconds(new.valid_time),
                learned,
                new.causation and new.causation.bytes,
                new.correlation and new.correlation.bytes,
                _json.encode(new.metadata).decode() if new.metadata else "{}",
            )
            version, position = version + 1, position + 1


def microseconds(time: datetime) -> int:
    """Since 1970 began in UTC: how a time is stored, and exact in every year."""
    return (time - _EPOCH) // _MICROSECOND


def _time(microseconds: int) -> datetime:
    return _EPOCH + _MICROSECOND * microseconds
