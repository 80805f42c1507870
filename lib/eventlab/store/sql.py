"""The event store in SQLite or PostgreSQL: one table, one lock for appends, and constraints that have the last word."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any as Anything
from uuid import UUID

import msgspec
from sqlalchemy import Column, Connection, Row, create_engine, event, func, insert, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError

from eventlab.events.catalogue import registry as catalogue
from eventlab.events.codec import Encoded, JsonCodec
from eventlab.events.envelope import NewEvent, Position, Recorded, StreamId, Version
from eventlab.events.registry import TypeRegistry
from eventlab.store.contract import BEGINNING, START, Any, Appended, Expected, Unavailable
from eventlab.store.rules import (
    Place,
    StoredEvent,
    already_stored,
    check_batch,
    check_expected,
    recorded,
    stored,
    utc_now,
)
from eventlab.store.tables import create, events_table, lock_appends, prepare_connection
from eventlab.store.trouble import told_plainly

_PAGE = 1_000  # events per query: no transaction stays open while the caller works
_POLL_SECONDS = 0.05  # how often a live subscription looks: 20 index look-ups a second
_TRIES = 5  # against a writer that does not take the lock; with the lock the first try decides
_metadata = msgspec.json.Decoder(dict[str, str])


class SqlEventStore:
    """Keeps every promise of :class:`~eventlab.store.contract.EventStore` across processes and crashes.

    ``url`` is SQLAlchemy's: ``sqlite:///path/to/file`` or ``postgresql+psycopg://user:password@host/database``; the
    table is made when it is not there. ``schema`` (PostgreSQL only) keeps learners apart in one database.
    Raises Unavailable when the database cannot be reached, and ValueError for a URL that cannot serve.
    """

    def __init__(
        self,
        url: str | URL,
        registry: TypeRegistry = catalogue,
        clock: Callable[[], datetime] = utc_now,
        schema: str | None = None,
    ) -> None:
        url = _checked(url, schema)
        self._codec = JsonCodec(registry)
        self._clock = clock
        self._table = events_table(schema)
        self.schema = schema
        self._where = url.render_as_string(hide_password=True)
        # The JSON is encoded and decoded here, not in the driver. The ping finds connections that a restart cut.
        self.engine = create_engine(url, json_serializer=_as_is, json_deserializer=_as_is, pool_pre_ping=True)
        event.listen(self.engine, "connect", lambda made, _: prepare_connection(made, self.engine.dialect.name))
        with told_plainly(self._where):
            create(self.engine, self._table)

    def append(self, stream: StreamId, events: Sequence[NewEvent], expected: Expected = Any) -> Appended:
        """See :meth:`EventStore.append <eventlab.store.contract.EventStore.append>`.

        After Unavailable it is unknown whether the events are stored; the same events appended again are stored once.
        """
        check_batch(events)
        encoded = [self._codec.encode(new.event) for new in events]
        for _ in range(_TRIES):
            try:
                with told_plainly(self._where), self.engine.begin() as connection:
                    return self._append(connection, stream, events, encoded, expected)
            except IntegrityError:
                continue  # someone wrote without the lock: what is there now decides
        raise Unavailable(f"{self._where}: another program writes to {self._table} without the append lock; stop it")

    def _append(
        self,
        connection: Connection,
        stream: StreamId,
        events: Sequence[NewEvent],
        encoded: Sequence[Encoded],
        expected: Expected,
    ) -> Appended:
        lock_appends(connection, self._table)
        known = self._known(connection, [new.id for new in events])
        if known:
            return already_stored(stream, events, known)
        columns = self._table.c
        version = connection.scalar(select(func.max(columns.version)).where(columns.stream == str(stream))) or START
        check_expected(stream, expected, Version(version))
        position = connection.scalar(select(func.max(columns.position))) or BEGINNING
        now = self._clock()
        added = [
            stored(stream, Version(version + n), Position(position + n), new, data, now)
            for n, (new, data) in enumerate(zip(events, encoded, strict=True), start=1)
        ]
        connection.execute(insert(self._table), [_row(each) for each in added])
        return Appended(tuple(each.version for each in added), tuple(each.position for each in added))

    def read(self, stream: StreamId, after: Version = START, until: Version | None = None) -> Iterator[Recorded]:
        """See :meth:`EventStore.read <eventlab.store.contract.EventStore.read>`."""
        return self._pages(self._table.c.version, after, until, self._table.c.stream == str(stream))

    def read_all(self, after: Position = BEGINNING, until: Position | None = None) -> Iterator[Recorded]:
        """See :meth:`EventStore.read_all <eventlab.store.contract.EventStore.read_all>`."""
        return self._pages(self._table.c.position, after, until)

    def subscribe(self, after: Position = BEGINNING, idle: float | None = None) -> Iterator[Recorded]:
        """See :meth:`EventStore.subscribe <eventlab.store.contract.EventStore.subscribe>`.

        Looks every 50 ms. Raises Unavailable when the database goes; subscribe again after the last position.
        """
        last = time.monotonic()
        while True:
            for each in self.read_all(after):
                after = each.position
                yield each
                last = time.monotonic()
            if idle is not None and time.monotonic() - last >= idle:
                return
            time.sleep(_POLL_SECONDS)

    def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        self.engine.dispose()

    def _known(self, connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Place]:
        columns = self._table.c
        known = {}
        rest = iter(ids)
        while some := list(islice(rest, _PAGE)):  # databases limit the parameters of one query
            query = select(columns.id, columns.stream, columns.version, columns.position).where(columns.id.in_(some))
            for id_, stream, version, position in connection.execute(query):
                known[id_] = Place(StreamId.parse(stream), Version(version), Position(position))
        return known

    def _pages(self, key: Column[int], after: int, until: int | None, *where: Anything) -> Iterator[Recorded]:
        """What is committed now, fetched in pages: the first at once, so that trouble shows at the call."""
        query = select(self._table).where(*where).order_by(key).limit(_PAGE)
        page = self._fetch(query.where(key > after) if until is None else query.where(key > after, key <= until))
        if until is None and len(page) == _PAGE:
            with told_plainly(self._where), self.engine.connect() as connection:
                until = connection.scalar(select(func.max(key)).where(*where))

        def events(page: Sequence[Row[Anything]]) -> Iterator[Recorded]:
            while page:
                for row in page:
                    yield recorded(_stored(row), self._codec)
                if len(page) < _PAGE:
                    return
                page = self._fetch(query.where(key > page[-1]._mapping[key], key <= until))

        return events(page)

    def _fetch(self, query: Anything) -> Sequence[Row[Anything]]:
        with told_plainly(self._where), self.engine.connect() as connection:
            return connection.execute(query).all()


def _checked(url: str | URL, schema: str | None) -> URL:
    try:
        url = make_url(url)
        dialect = url.get_dialect().name
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ValueError(f"not the URL of a database that can serve here: {error}") from error
    if dialect not in ("sqlite", "postgresql"):
        raise ValueError(f"the event store runs on SQLite and PostgreSQL, not on {dialect}")
    if dialect == "sqlite" and (not url.database or ":memory:" in url.database):
        raise ValueError("SQLite in memory is gone with its connection; give a file, or use MemoryEventStore()")
    if dialect == "sqlite" and schema is not None:
        raise ValueError("SQLite has no schemas; use one file for each")
    return url


def _as_is(json: Anything) -> Anything:
    return json


def _row(each: StoredEvent) -> dict[str, Anything]:
    data = each.data if isinstance(each.data, str) else each.data.decode()
    metadata = msgspec.json.encode(each.metadata).decode()
    return each._asdict() | {"stream": str(each.stream), "data": data, "metadata": metadata}


def _stored(row: Row[Anything]) -> StoredEvent:
    stream, version, position, *others, metadata = tuple(row)
    return StoredEvent._make(
        (StreamId.parse(stream), Version(version), Position(position), *others, _metadata.decode(metadata))
    )
