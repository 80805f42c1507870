"""What the event store says to PostgreSQL: appends without a lock, readers that wait at gaps, and LISTEN/NOTIFY.

Appends that commit at the same time share one flush of the write-ahead log; a lock around them would forbid that. The
price: positions can become visible out of order (pitfall P35), so a reader waits wherever one is missing until nobody
can fill it any more. See docs/decisions/commit-order.md.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from typing import Any, ClassVar
from uuid import UUID

import msgspec
import psycopg
from sqlalchemy import Engine, Table

from eventlab.events.envelope import Position, StreamId, Version
from eventlab.store.batches import Batch
from eventlab.store.contract import Appended, Unavailable
from eventlab.store.driver import Driver
from eventlab.store.rules import StoredEvent, check_empty

# A notification takes a lock of the whole server while its transaction commits, so it comes after the append, and not
# after each: a subscriber that was woken looks every _LOOK_SECONDS for _AWAKE_SECONDS, far longer than _QUIET_SECONDS.
_QUIET_SECONDS = 0.1
_AWAKE_SECONDS = 0.25
_LOOK_SECONDS = 0.002
# Should a writer be killed between its append and its notification.
_ASLEEP_SECONDS = 1.0
_GAP_SECONDS = 0.001  # between looks whether a writer has ended: most take less than this

_json = msgspec.json.Encoder()
_metadata = msgspec.json.Decoder(dict[str, str])
_parse = lru_cache(maxsize=4096)(StreamId.parse)

_INSERT = """
INSERT INTO {events} (position, stream, version, type, schema_version, data, id, valid_time, recorded_time,
  causation, correlation, metadata)
SELECT nextval(:sequence), stream, version + number, type, schema_version, data, id, coalesce(valid_time, :now), :now,
  causation, correlation, coalesce(metadata, '{{}}')
FROM json_to_recordset(:rows) AS new(batch integer, number bigint, type text, schema_version integer, data jsonb,
  id uuid, valid_time timestamptz, causation uuid, correlation uuid, metadata jsonb)
"""

# One stream. Nothing is sorted: a scan gives the rows in the order of the JSON, and one other row changes none of it.
_APPEND = f"""{_INSERT}
  CROSS JOIN (SELECT CAST(:stream AS text) AS stream, coalesce(max(version), 0) AS version
              FROM {{events}} WHERE stream = :stream) AS there
WHERE version BETWEEN :low AND :high
RETURNING version, position
"""

# Several: the versions of all are compared before anything is written.
_APPEND_ALL = f"""
WITH wanted AS MATERIALIZED (
  SELECT w.*, coalesce((SELECT max(version) FROM {{events}} AS e WHERE e.stream = w.stream), 0) AS version
  FROM json_to_recordset(:batches) AS w(batch integer, stream text, low bigint, high bigint)
)
{_INSERT}
  JOIN wanted USING (batch)
WHERE (SELECT bool_and(version BETWEEN low AND high) FROM wanted)
ORDER BY batch, number
RETURNING version, position
"""

# From so many events on they are copied into the table: there a COPY with the statements around it takes as much
# processor time, of both sides, as one JSON that the server takes apart (6.7 ms; with 200 events 4.3 against 3.5, with
# 10 events 1.9 against 1.1; 29 November 2026, on a busy machine).
_COPIED = 400
_NULL = r"\N"

_VERSIONS = """
SELECT w.batch, coalesce((SELECT max(version) FROM {events} AS e WHERE e.stream = w.stream), 0)
FROM json_to_recordset(:batches) AS w(batch integer, stream text) ORDER BY batch
"""

# Whoever inserts locks the table so before it draws a number, until its transaction has ended and is visible.
_WRITERS = """
SELECT array_agg(virtualtransaction) FROM pg_locks
WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND relation = to_regclass(:table)
"""


class _Wanted(msgspec.Struct, gc=False):
    """A stream, and the versions from ``low`` to ``high`` at which it may be."""

    batch: int
    stream: str
    low: int
    high: int


class _Row(msgspec.Struct, gc=False, omit_defaults=True):
    """The event ``number`` (from 1) of a batch. What is not said is not sent, and not parsed."""

    batch: int
    number: int
    type: str
    schema_version: int
    data: msgspec.Raw
    id: UUID
    valid_time: datetime | None = None
    causation: UUID | None = None
    correlation: UUID | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)


class Postgresql:
    """The statements of one store, and the form of its rows."""

    SELECTED = "stream, version, position, type, schema_version, data::text, id, valid_time, recorded_time, causation, "
    SELECTED += "correlation, metadata::text"
    DATA = "data::text"
    ONE_OF: ClassVar[str] = "= ANY ({})"
    ONE_OF_IDS: ClassVar[str] = ONE_OF

    def __init__(self, driver: Driver, table: Table, engine: Engine, where: str) -> None:
        self._driver, self._engine, self._where = driver, engine, where
        self._table = engine.dialect.identifier_preparer.format_table(table)
        sequence = table.c.position.default
        self._sequence = engine.dialect.identifier_preparer.format_sequence(sequence)  # type: ignore[arg-type]
        self._append = driver.sql(_APPEND.format(events=self._table))
        self._append_all = driver.sql(_APPEND_ALL.format(events=self._table))
        self._versions = driver.sql(_VERSIONS.format(events=self._table))
        self._draw = driver.sql("SELECT nextval(:sequence) FROM generate_series(1, :count)")
        self._copy_in = f"COPY {self._table} ({', '.join(StoredEvent._fields)}) FROM STDIN"
        # One channel for each table; the name of a channel has 63 letters at most.
        self._channel = f"eventlab_{sha256(self._table.encode()).hexdigest()[:32]}"
        # Nothing is lost with a notification: its transaction need not wait for the disk.
        self._notify = f"SELECT set_config('synchronous_commit', 'off', true), pg_notify('{self._channel}', '')"
        self._notified = 0.0
        self._settled = 0  # up to here every position has its event, or never will

    def append(self, cursor: Any, batches: Sequence[Batch], now: datetime) -> list[Appended] | None:
        """Store the batches and say where, or None when a stream is not as expected.

        Raises the driver's UniqueViolation for known ids, and when another append was first.
        """
        if sum(len(batch.events) for batch in batches) < _COPIED:
            return self._append_at_once(cursor, batches, now)
        with cursor.connection.transaction():
            return self._copy(cursor, batches, now)

    def _append_at_once(self, cursor: Any, batches: Sequence[Batch], now: datetime) -> list[Appended] | None:
        """One statement, one round trip."""
        rows = [
            _Row(
                at,
                number,
                *type_,
                msgspec.Raw(data),
                new.id,
                new.valid_time,
                new.causation,
                new.correlation,
                dict(new.metadata),
            )
            for at, batch in enumerate(batches)
            for number, (new, type_, data) in enumerate(zip(batch.events, batch.types, batch.data, strict=True), 1)
        ]
        parameters = {"rows": _json.encode(rows).decode(), "now": now, "sequence": self._sequence}
        if len(batches) == 1:
            statement, [only] = self._append, batches
            parameters |= {"stream": only.stream, "low": only.low, "high": only.high}
        else:
            statement = self._append_all
            parameters["batches"] = _json.encode(_wanted(batches)).decode()
        placed = iter(cursor.execute(statement, parameters, prepare=True).fetchall())
        appended = []
        for batch in batches:
            places = list(islice(placed, len(batch.events)))
            if not places:
                return None
            appended.append(Appended(*zip(*places, strict=True)))
        return appended

    def _copy(self, cursor: Any, batches: Sequence[Batch], now: datetime) -> list[Appended] | None:
        """Versions first, then positions, then the events; within one transaction."""
        # As an INSERT does: so that readers wait for the numbers that are drawn here.
        cursor.execute(f"LOCK TABLE {self._table} IN ROW EXCLUSIVE MODE")
        versions = cursor.execute(self._versions, {"batches": _json.encode(_wanted(batches)).decode()}).fetchall()
        if not all(batch.low <= last <= batch.high for batch, (_, last) in zip(batches, versions, strict=True)):
            return None
        count = sum(len(batch.events) for batch in batches)
        drawn = cursor.execute(self._draw, {"sequence": self._sequence, "count": count}).fetchall()
        positions = iter([position for (position,) in drawn])
        appended = []
        with cursor.copy(self._copy_in) as copy:
            for batch, (_, last) in zip(batches, versions, strict=True):
                mine = tuple(islice(positions, len(batch.events)))
                copy.write("".join(_lines(batch, last + 1, mine, now.isoformat())))
                appended.append(Appended(tuple(range(last + 1, last + 1 + len(mine))), mine))
        return appended

    def restore(self, cursor: Any, events: Iterable[StoredEvent]) -> int:
        """Store events as they were, into a table without any, within the transaction that ``cursor`` is in."""
        cursor.execute(f"LOCK TABLE {self._table} IN EXCLUSIVE MODE")
        check_empty(cursor.execute(f"SELECT max(position) FROM {self._table}").fetchone()[0])
        count = last = 0
        with cursor.copy(self._copy_in) as copy:
            for each in events:
                stream, version, position, type_, schema_version, data, *others, metadata = each
                text = data if isinstance(data, str) else data.decode()
                told = _json.encode(metadata).decode()
                copy.write_row((str(stream), version, position, type_, schema_version, text, *others, told))
                count, last = count + 1, position
        if last:
            cursor.execute("SELECT setval(%s::regclass, %s)", (self._sequence, last))
        return count

    def commit(self, cursor: Any) -> None:
        """Nothing is left to do: the statement was its own transaction."""

    def appended(self) -> None:
        """Wake the subscribers that sleep. What is stored is stored, also when the server goes meanwhile."""
        now = time.monotonic()
        if now - self._notified >= _QUIET_SECONDS:
            self._notified = now
            with suppress(Unavailable):
                self._driver.use(lambda cursor: cursor.execute(self._notify))

    def stored(self, row: Sequence[Any]) -> StoredEvent:
        """A selected row as the event that it holds."""
        stream, version, position, *others, metadata = row
        told = {} if metadata == "{}" else _metadata.decode(metadata)
        return StoredEvent._make((_parse(stream), Version(version), Position(position), *others, told))

    def parameter(self, value: object) -> object:
        """``value`` as this database takes it."""
        return value

    def settle(self, patience: float) -> int | None:
        """The position of the last visible event, once no event before it can appear any more.

        None when a writer that was there does not end within ``patience`` seconds.
        """
        look = f"SELECT (SELECT max(position) FROM {self._table}), ({_WRITERS})"
        last, writers = self._driver.rows(look, table=self._table)[0]
        if not last or last <= self._settled:
            return last or 0
        if writers:
            span = f"SELECT count(*) FROM {self._table} WHERE position > :after AND position <= :last"
            if self._driver.rows(span, after=self._settled, last=last)[0][0] == last - self._settled:
                writers = ()  # none is missing
        deadline = time.monotonic() + patience
        while writers:
            if time.monotonic() > deadline:
                return None
            time.sleep(_GAP_SECONDS)
            writers = set(writers).intersection(self._driver.rows(_WRITERS, table=self._table)[0][0] or ())
        self._settled = last
        return int(last)

    def unbroken(self, after: int, positions: Sequence[int]) -> int:
        """How many of the visible ``positions`` come before the first that is missing."""
        return next((n for n, position in enumerate(positions) if position != after + 1 + n), len(positions))

    @contextmanager
    def news(self) -> Iterator["News"]:
        """What tells a subscriber when to look again; a connection of its own."""
        with self._driver.apart() as cursor:
            yield News(cursor.connection, self._channel, self._where)


class News:
    """Listens; after something has come, looks often for a while, since not every append is announced."""

    def __init__(self, connection: Any, channel: str, where: str) -> None:
        self._connection, self._where = connection, where
        connection.execute(f"LISTEN {channel}")
        self.expect_more()

    def expect_more(self) -> None:
        """Events came: others will soon."""
        self._awake_until = time.monotonic() + _AWAKE_SECONDS

    def wait(self, seconds: float) -> None:
        """Until there may be something new, ``seconds`` at most. Raises Unavailable when the connection breaks."""
        awake = time.monotonic() < self._awake_until
        patience = min(seconds, _LOOK_SECONDS if awake else _ASLEEP_SECONDS)
        try:
            for _ in self._connection.notifies(timeout=patience, stop_after=1):
                self.expect_more()
        except psycopg.Error as error:
            raise Unavailable(
                f"{self._where}: the connection broke; subscribe again after the last position"
            ) from error


def _wanted(batches: Sequence[Batch]) -> list[_Wanted]:
    return [_Wanted(at, batch.stream, batch.low, batch.high) for at, batch in enumerate(batches)]


def _lines(batch: Batch, version: int, positions: Iterable[int], now: str) -> Iterator[str]:
    """A batch whose first event gets ``version``, as COPY reads it: its own text format, which it parses fastest.

    The fields are those of StoredEvent (https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2).
    """
    stream = _escaped(batch.stream)
    for new, (type_, schema_version), data, position in zip(
        batch.events, batch.types, batch.data, positions, strict=True
    ):
        yield (
            f"{stream}\t{version}\t{position}\t{_escaped(type_)}\t{schema_version}\t{_escaped(data.decode())}\t"
            f"{new.id.hex}\t{new.valid_time or now}\t{now}\t{new.causation or _NULL}\t{new.correlation or _NULL}\t"
            f"{_escaped(_json.encode(new.metadata).decode()) if new.metadata else '{}'}\n"
        )
        version += 1


def _escaped(text: str) -> str:
    """``text`` within COPY's format."""
    return text.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")
