"""The event store in SQLite or PostgreSQL: one table, and two constraints that have the last word.

What differs between the two is in :mod:`eventlab.store.sqlite` and :mod:`eventlab.store.postgresql`.
"""

import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from threading import Event
from typing import Any as Anything
from uuid import UUID

import msgspec
from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, IntegrityError

from eventlab.events.catalogue import registry as catalogue
from eventlab.events.codec import JsonCodec
from eventlab.events.envelope import NewEvent, Position, Recorded, StreamId, Version
from eventlab.events.errors import EventError, Unreadable
from eventlab.events.registry import TypeRegistry
from eventlab.store.batches import Batch, batch
from eventlab.store.contract import BEGINNING, START, Any, Append, Appended, Expected, StoreError, Unavailable
from eventlab.store.database import check_url, open_engine
from eventlab.store.driver import PART, Driver
from eventlab.store.former import rewrite
from eventlab.store.postgresql import Postgresql
from eventlab.store.rules import (
    LAST,
    Place,
    StoredEvent,
    already_stored,
    check_appends,
    check_expected,
    check_stream,
    check_times,
    recorded,
    told_by,
    utc_now,
    within,
)
from eventlab.store.sealing import Sealing
from eventlab.store.sqlite import Sqlite
from eventlab.store.tables import PATIENCE_SECONDS, create, events_table
from eventlab.store.trouble import told_plainly

_PAGE = 1_000  # events per query: no transaction stays open while the caller works
_STOP_SECONDS = 0.25  # how soon one who waits for events notices that he shall stop

# What a view does within the append's own transaction.
Inline = Callable[[Connection, Sequence[Recorded]], None]


class SqlEventStore:
    """Keeps every promise of :class:`~eventlab.store.contract.EventStore` across processes and crashes.

    ``url`` is SQLAlchemy's: ``sqlite:///path/to/file`` or ``postgresql+psycopg://user:password@host/database``; the
    table is made when it is not there. ``schema`` (PostgreSQL only) keeps learners apart in one database.
    ``inline`` are called with each append, in its transaction: what one of them raises refuses the append.
    ``sealing`` keeps personal fields unreadable at rest (:class:`eventlab.forgetting.Sealer`).
    Raises Unavailable when the database cannot be reached, and ValueError for a URL that cannot serve.
    """

    def __init__(
        self,
        url: str | URL,
        registry: TypeRegistry = catalogue,
        clock: Callable[[], datetime] = utc_now,
        schema: str | None = None,
        inline: Sequence[Inline] = (),
        sealing: Sealing | None = None,
    ) -> None:
        url = check_url(url, schema)
        self.schema = schema
        self._codec = JsonCodec(registry)
        self._sealing = sealing
        self._clock = clock
        self._inline = tuple(inline)
        self._where = url.render_as_string(hide_password=True)
        self.engine = open_engine(url)
        table = events_table(schema)
        self._table = self.engine.dialect.identifier_preparer.format_table(table)
        self._driver = Driver(self.engine, self._where)
        sqlite = self.engine.dialect.name == "sqlite"
        with told_plainly(self._where):
            create(self.engine, table)
            if sqlite:
                rewrite(self.engine)
        self._database: Sqlite | Postgresql
        if sqlite:
            self._database = Sqlite(self._driver, table)
        else:
            self._database = Postgresql(self._driver, table, self.engine, self._where)

    # -- append -------------------------------------------------------------------------------------------------

    def append(self, stream: StreamId, events: Sequence[NewEvent], expected: Expected = Any) -> Appended:
        """See :meth:`EventStore.append <eventlab.store.contract.EventStore.append>`.

        After Unavailable it is unknown whether the events are stored; the same events appended again are stored once.
        """
        return self.append_all([Append(stream, events, expected)])[0]

    def append_all(self, appends: Sequence[Append]) -> list[Appended]:
        """See :meth:`EventStore.append_all <eventlab.store.contract.EventStore.append_all>`."""
        check_appends(appends)
        sealed = appends if self._sealing is None else [self._sealing.seal(each) for each in appends]
        batches = [batch(each, self._codec) for each in sealed]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (appended := self._try(appends, batches)) is None:
            if (known := self._refusal(appends)) is not None:
                return known
            if time.monotonic() > deadline:  # each time another writer was first
                raise Unavailable(f"{self._where}: too many writers append to {appends[0].stream}; try again later")
        self._database.appended()
        return appended

    def _try(self, appends: Sequence[Append], batches: Sequence[Batch]) -> list[Appended] | None:
        """Where the events are stored now; None when what is stored already forbids it."""
        now = told_by(self._clock)
        try:
            if self._inline:
                return self._append_with_views(appends, batches, now)
            return self._append(batches, now)
        except DataError as error:
            raise self._not_taken(appends, error) from error
        except Unavailable as error:
            match getattr(getattr(error.__cause__, "orig", None), "sqlstate", None):
                case "40P01":  # a deadlock
                    return None
                case "54000":  # a limit of the server; to wait for another time would be in vain
                    raise self._not_taken(appends, error.__cause__) from error
            raise

    def _not_taken(self, appends: Sequence[Append], error: Anything) -> StoreError:
        streams = ", ".join(str(each.stream) for each in appends)
        said = " ".join(str(error.orig).split())
        return StoreError(f"{self._where}: it does not take the events of {streams}; nothing was stored ({said})")

    def _append(self, batches: Sequence[Batch], now: datetime) -> list[Appended] | None:
        def work(cursor: Anything) -> list[Appended] | None:
            if appended := self._database.append(cursor, batches, now):
                self._database.commit(cursor)
            return appended

        try:
            return self._driver.again(work)  # twice is once: the events have ids
        except IntegrityError:
            return None

    def _append_with_views(
        self, appends: Sequence[Append], batches: Sequence[Batch], now: datetime
    ) -> list[Appended] | None:
        with told_plainly(self._where), self.engine.connect() as connection, connection.begin() as transaction:
            connected: Anything = connection.connection.dbapi_connection
            try:
                with self._driver.telling(connected):
                    appended = self._database.append(connected.cursor(), batches, now)
            except IntegrityError:  # of the events; one that a view raises is the view's refusal
                appended = None
            if appended is None:
                transaction.rollback()
                return None
            rows = self._recorded(appends, batches, appended, now)
            for update in self._inline:
                update(connection, rows)
            return appended

    def _recorded(
        self, appends: Sequence[Append], batches: Sequence[Batch], appended: Sequence[Appended], now: datetime
    ) -> list[Recorded]:
        return [
            Recorded(
                append.stream,
                version,
                position,
                type_,
                schema_version,
                new.event,
                new.id,
                now if new.valid_time is None else new.valid_time.astimezone(UTC),
                now,
                new.causation,
                new.correlation,
                dict(new.metadata),
            )
            for append, encoded, at in zip(appends, batches, appended, strict=True)
            for new, (type_, schema_version), version, position in zip(
                append.events, encoded.types, at.versions, at.positions, strict=True
            )
        ]

    def _refusal(self, appends: Sequence[Append]) -> list[Appended] | None:
        """The first answer again for ids that are known; None when nothing stands in the way any more.

        Raises WrongExpectedVersion, and ValueError when only some of the ids are known.
        """
        known = self._known([new.id for each in appends for new in each.events])
        if known:
            return [already_stored(each.stream, each.events, known) for each in appends]
        for each in appends:
            last = f"SELECT max(version) FROM {self._table} WHERE stream = :stream"
            version = self._driver.rows(last, stream=str(each.stream))[0][0]
            check_expected(each.stream, each.expected, Version(version or START))
        return None

    def _known(self, ids: Sequence[UUID]) -> dict[UUID, Place]:
        known = {}
        one_of = self._database.ONE_OF_IDS.format(":ids")
        query = f"SELECT id, stream, version, position FROM {self._table} WHERE id {one_of}"
        rest = iter(ids)
        while some := list(islice(rest, _PAGE)):
            for id_, stream, version, position in self._driver.rows(query, ids=self._database.parameter(some)):
                found = id_ if isinstance(id_, UUID) else UUID(bytes=id_)
                known[found] = Place(StreamId.parse(stream), Version(version), Position(position))
        return known

    # -- read ---------------------------------------------------------------------------------------------------

    def read(
        self,
        stream: StreamId,
        after: Version = START,
        until: Version | None = None,
        *,
        backwards: bool = False,
        types: Collection[type] = (),
        since: datetime | None = None,
        before: datetime | None = None,
    ) -> Iterator[Recorded]:
        """See :meth:`EventStore.read <eventlab.store.contract.EventStore.read>`."""
        check_stream(stream)
        narrowed = self._narrowed(types, since, before)
        return self._pages("version", after, until, backwards, {"stream": ("=", str(stream)), **narrowed})

    def read_all(
        self,
        after: Position = BEGINNING,
        until: Position | None = None,
        *,
        backwards: bool = False,
        types: Collection[type] = (),
        since: datetime | None = None,
        before: datetime | None = None,
    ) -> Iterator[Recorded]:
        """See :meth:`EventStore.read_all <eventlab.store.contract.EventStore.read_all>`.

        An append that is under way and may come before what is visible is waited for.
        """
        narrowed = self._narrowed(types, since, before)
        last = self._settled(PATIENCE_SECONDS)
        return self._pages("position", after, last if until is None else min(until, last), backwards, narrowed)

    def read_stored(self, after: Position = BEGINNING, until: Position | None = None) -> Iterator[StoredEvent]:
        """As :meth:`read_all`, each event as it is stored: what copies of the store must not change."""
        last = self._settled(PATIENCE_SECONDS)
        return self._stored_pages("position", after, last if until is None else min(until, last), False, {})

    def stored_rows(self, after: Position, until: Position | None = None) -> Iterator[list[tuple[Anything, ...]]]:
        """As :meth:`read_stored`, in pages, with the fields as the database gives them: what archives go through fast.

        Ids are bytes and times microseconds on SQLite; streams and metadata are text everywhere.
        """
        # Without an upper bound, as in _stored_pages.
        query = (
            f"SELECT {self._database.SELECTED} FROM {self._table} "
            f"WHERE position > :after ORDER BY position LIMIT {_PAGE}"
        )
        settled = self._settled(PATIENCE_SECONDS)
        last = settled if until is None else min(within(until), settled)
        while page := [row for row in self._driver.rows(query, after=within(after)) if row[2] <= last]:
            yield page
            after = page[-1][2]

    def restore(self, events: Iterable[StoredEvent]) -> int:
        """Put back what :meth:`read_stored` gave, all or nothing; how many events. Raises StoreError unless empty."""
        with told_plainly(self._where), self.engine.connect() as connection, connection.begin():
            connected: Anything = connection.connection.dbapi_connection
            with self._driver.telling(connected):
                return self._database.restore(connected.cursor(), events)

    def load(self, stream: StreamId, after: Version = START) -> tuple[list[object], Version]:
        """See :meth:`EventStore.load <eventlab.store.contract.EventStore.load>`."""
        columns = f"type, schema_version, {self._database.DATA}" + ("" if self._sealing is None else ", id")
        query = f"SELECT {columns} FROM {self._table} WHERE stream = :stream AND version > :after ORDER BY version"
        try:
            # Most streams are short, and what makes the rest of a long one fast takes a short one half as long again.
            rows = self._driver.rows(f"{query} LIMIT {PART}", stream=str(stream), after=within(after))
            events = self._decoded(rows)
            if len(rows) == PART:
                events += self._driver.read(self._decoded, query, stream=str(stream), after=after + PART)
        except EventError:
            # Slower, and says which event it is.
            found = list(self.read(stream, after))
            return [each.event for each in found], found[-1].version
        return events, Version(after + len(events))  # versions have no gaps

    def _decoded(self, rows: Iterable[tuple[Anything, ...]]) -> list[object]:
        if self._sealing is None:
            return self._codec.decode_all(rows)
        kept = list(rows)
        events = self._codec.decode_all(row[:3] for row in kept)
        return [self._sealing.open(each, row[3]) for each, row in zip(events, kept, strict=True)]

    def head(self) -> Position:
        """See :meth:`EventStore.head <eventlab.store.contract.EventStore.head>`."""
        return Position(self._driver.rows(f"SELECT max(position) FROM {self._table}")[0][0] or BEGINNING)

    def _narrowed(
        self, types: Collection[type], since: datetime | None, before: datetime | None
    ) -> dict[str, tuple[str, Anything]]:
        check_times(since, before)
        found: dict[str, tuple[str, Anything]] = {}
        if types:
            names = [name for cls in types for name in self._codec.registry.of_class(cls).names]
            found["type"] = (self._database.ONE_OF, self._database.parameter(names))
        if since is not None:
            found["recorded_time"] = (">=", self._database.parameter(since))
        if before is not None:
            found["recorded_time "] = ("<", self._database.parameter(before))
        return found

    def _pages(
        self, key: str, after: int, until: int | None, backwards: bool, where: dict[str, tuple[str, Anything]]
    ) -> Iterator[Recorded]:
        stored = self._stored_pages(key, after, until, backwards, where)
        return (recorded(each, self._codec, self._sealing) for each in stored)

    def _stored_pages(
        self, key: str, after: int, until: int | None, backwards: bool, where: dict[str, tuple[str, Anything]]
    ) -> Iterator[StoredEvent]:
        """What is committed now, fetched in pages: the first at once, so that trouble shows at the call."""
        parameters = {f"p{n}": value for n, (_, value) in enumerate(where.values())}
        conditions = [
            f"{column} {sign.format(f':p{n}')}" if "{}" in sign else f"{column} {sign} :p{n}"
            for n, (column, (sign, _)) in enumerate(where.items())
        ]
        conditions += [f"{key} > :after"]
        select, order = f"SELECT {self._database.SELECTED} FROM {self._table} WHERE ", f"ORDER BY {key}"
        bounded = f"{select}{' AND '.join([*conditions, f'{key} <= :until'])} {order}"
        bounded += f"{' DESC' if backwards else ''} LIMIT {_PAGE}"
        # Between two bounds PostgreSQL expects few rows until its first ANALYZE, and sorts all there are for each page.
        unbounded = f"{select}{' AND '.join(conditions)} {order} LIMIT {_PAGE}"

        def fetch(after: int, until: int) -> list[tuple[Anything, ...]]:
            if key == "position" and not backwards and until - after > _PAGE:
                rows = self._driver.rows(unbounded, after=after, **parameters)
                return [row for row in rows if row[2] <= until]
            return self._driver.rows(bounded, after=after, until=until, **parameters)

        after, until = within(after), None if until is None else within(until)
        page = fetch(after, LAST if until is None else until)
        if key == "version" and until is None and not backwards and len(page) == _PAGE:
            # What is appended while the caller reads is not part of the answer.
            until = self._driver.rows(
                f"SELECT max(version) FROM {self._table} WHERE stream = :p0", p0=parameters["p0"]
            )[0][0]
        return self._walk(fetch, page, key, (after, LAST if until is None else until), backwards)

    def _walk(
        self,
        fetch: Callable[[int, int], list[tuple[Anything, ...]]],
        page: list[tuple[Anything, ...]],
        key: str,
        span: tuple[int, int],
        backwards: bool,
    ) -> Iterator[StoredEvent]:
        after, until = span
        number = 1 if key == "version" else 2
        while page:
            for row in page:
                yield self._stored(row)
            if len(page) < _PAGE:
                return
            last = page[-1][number]
            after, until = (after, last - 1) if backwards else (last, until)
            page = fetch(after, until)

    def _stored(self, row: tuple[Anything, ...]) -> StoredEvent:
        try:
            return self._database.stored(row)
        except (ValueError, TypeError, OverflowError, msgspec.MsgspecError) as error:
            raise Unreadable(f"{row[0]} version {row[1]} (position {row[2]}) cannot be read: {error}") from error

    # -- follow -------------------------------------------------------------------------------------------------

    def follow(
        self, after: Position = BEGINNING, idle: float | None = None, stop: Event | None = None
    ) -> Generator[Sequence[Recorded], None, None]:
        """See :meth:`EventStore.follow <eventlab.store.contract.EventStore.follow>`.

        Ends when ``stop`` is set, too, within a quarter of a second. Holds one connection until it ends or is closed.
        On PostgreSQL it is woken by NOTIFY, on SQLite it looks every 5 ms whether the file has changed.
        Raises Unavailable when the database goes; subscribe again after the last position.
        """
        with self._database.news() as news:
            heard = time.monotonic()
            while stop is None or not stop.is_set():
                left = PATIENCE_SECONDS if idle is None else heard + idle - time.monotonic()
                if stop is not None:
                    left = min(left, _STOP_SECONDS)
                if page := self._next(after, left, idle is None and stop is None):
                    yield page
                    after, heard = page[-1].position, time.monotonic()
                    news.expect_more()
                elif left <= 0:
                    return
                else:
                    news.wait(left)

    def _next(self, after: int, patience: float, must: bool) -> Sequence[Recorded]:
        """The next page of what is settled, as far as it can be decoded; raises EventError when nothing of it can.

        None yet is no page; when it ``must`` and a writer holds it up for ``patience`` seconds, that is Unavailable.
        """
        found = self._decodable(self._pages("position", after, None, False, {}))
        whole = self._database.unbroken(after, [each.position for each in found])
        if found and not whole:
            until = self._settled(patience) if must else self._database.settle(max(patience, 0.0))
            return [] if until is None else self._decodable(self._pages("position", after, until, False, {}))
        return found[:whole]

    def _decodable(self, events: Iterator[Recorded]) -> list[Recorded]:
        found: list[Recorded] = []
        try:
            found.extend(islice(events, _PAGE))
        except EventError:
            if not found:
                raise
        return found

    def _settled(self, patience: float) -> int:
        last = self._database.settle(patience)
        if last is None:
            raise Unavailable(
                f"{self._where}: another writer did not finish, and may still fill a position before others that are "
                f"visible; look in pg_stat_activity for a stopped program that holds an append to {self._table} open"
            )
        return last

    def subscribe(self, after: Position = BEGINNING, idle: float | None = None) -> Generator[Recorded, None, None]:
        """See :meth:`EventStore.subscribe <eventlab.store.contract.EventStore.subscribe>`; :meth:`follow`, singly."""
        with closing(self.follow(after, idle)) as pages:
            for page in pages:
                yield from page

    def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        self.engine.dispose()
