"""What the event store says to PostgreSQL: appends without a lock, readers that wait at gaps, and LISTEN/NOTIFY.

Appends that commit at the same time share one flush of the write-ahead log; a lock around them would forbid that. The
price: positions can become visible out of order (pitfall P35), so a reader waits wherever one is missing until nobody
can fill it any more. See docs/decisions/commit-order.md.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from typing import Any, ClassVar
from uuid import UUID

import msgspec
import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import Engine, Table

from eventlab.events.envelope import Position, StreamId, Version
from eventlab.store.batches import Batch
from eventlab.store.contract import Appended, Unavailable
from eventlab.store.driver import Driver
from eventlab.store.rules import StoredEvent, check_empty
from eventlab.store.trouble import told_plainly

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

# The versions of all streams are compared before anything is written.
_APPEND = """
WITH wanted AS MATERIALIZED (
  SELECT w.*, coalesce((SELECT max(version) FROM {events} AS e WHERE e.stream = w.stream), 0) AS version
  FROM json_to_recordset(:batches) AS w(batch integer, stream text, low bigint, high bigint)
)
INSERT INTO {events} (position, stream, version, type, schema_version, data, id, valid_time, recorded_time,
  causation, correlation, metadata)
SELECT nextval(:sequence), stream, version + number, type, schema_version, data, id, coalesce(valid_time, :now), :now,
  causation, correlation, coalesce(metadata, '{{}}')
FROM json_to_recordset(:rows) AS new(batch integer, number bigint, type text, schema_version integer, data jsonb,
    id uuid, valid_time timestamptz, causation uuid, correlation uuid, metadata jsonb)
  JOIN wanted USING (batch)
WHERE (SELECT bool_and(version BETWEEN low AND high) FROM wanted)
ORDER BY batch, number
RETURNING version, position
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

    def __init__(self, driver: Driver, table: Table, engine: Engine, where: str) -> None:
        self._driver, self._engine, self._where = driver, engine, where
        self._table = engine.dialect.identifier_preparer.format_table(table)
        sequence = table.c.position.default
        self._sequence = engine.dialect.identifier_preparer.format_sequence(sequence)  # type: ignore[arg-type]
        self._append = driver.sql(_APPEND.format(events=self._table))
        # One channel for each table; the name of a channel has 63 letters at most.
        self._channel = f"eventlab_{sha256(self._table.encode()).hexdigest()[:32]}"
        # Nothing is lost with a notification: its transaction need not wait for the disk.
        self._notify = f"SELECT set_config('synchronous_commit', 'off', true), pg_notify('{self._channel}', '')"
        self._notified = 0.0
        self._settled = 0  # up to here every position has its event, or never will

    def append(self, cursor: Any, batches: Sequence[Batch], now: datetime) -> list[Appended] | None:
        """Store the batches and say where, or None when a stream is not as expected; one statement, one round trip.

        Raises the driver's UniqueViolation for known ids, and when another append was first.
        """
        wanted = [_Wanted(at, batch.stream, batch.low, batch.high) for at, batch in enumerate(batches)]
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
        parameters = {
            "batches": _json.encode(wanted).decode(),
            "rows": _json.encode(rows).decode(),
            "now": now,
            "sequence": self._sequence,
        }
        placed = iter(cursor.execute(self._append, parameters, prepare=True).fetchall())
        appended = []
        for batch in batches:
            places = list(islice(placed, len(batch.events)))
            if not places:
                return None
            versions, positions = zip(*places, strict=True)
            appended.append(Appended(tuple(map(Version, versions)), tuple(map(Position, positions))))
        return appended

    def restore(self, cursor: Any, events: Iterable[StoredEvent]) -> int:
        """Store events as they were, into a table without any, within the transaction that ``cursor`` is in."""
        cursor.execute(f"LOCK TABLE {self._table} IN EXCLUSIVE MODE")
        check_empty(cursor.execute(f"SELECT max(position) FROM {self._table}").fetchone()[0])
        columns = ", ".join(StoredEvent._fields)
        count = last = 0
        with cursor.copy(f"COPY {self._table} ({columns}) FROM STDIN") as copy:
            for each in events:
                stream, version, position, type_, schema_version, data, *others, metadata = each
                text = Jsonb(data if isinstance(data, str) else data.decode(), str)
                told = Jsonb(_json.encode(metadata).decode(), str)
                copy.write_row((str(stream), version, position, type_, schema_version, text, *others, told))
                count, last = count + 1, position
        if last:
            cursor.execute("SELECT setval(%s::regclass, %s)", (self._sequence, last))
        return count

    def commit(self, cursor: Any) -> None:
        """Nothing is left to do: the statement was its own transaction."""

    def appended(self) -> None:
        """Wake the subscribers that sleep."""
        now = time.monotonic()
        if now - self._notified >= _QUIET_SECONDS:
            self._notified = now
            with self._driver.cursor() as cursor:
                cursor.execute(self._notify)

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
        with told_plainly(self._where):
            connection = self._driver.connect()
        try:
            connection.detach()
            with told_plainly(self._where), self._driver.telling(connection.dbapi_connection):
                news = News(connection.dbapi_connection, self._channel, self._where)
            yield news
        except BaseException:
            connection.invalidate()
            raise
        finally:
            connection.close()


class News:
    """Listens; after something has come, looks often for a while, since not every append is announced."""

    def __init__(self, connection: Any, channel: str, where: str) -> None:
        self._connection, self._where = connection, where
        connection.autocommit = True
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
