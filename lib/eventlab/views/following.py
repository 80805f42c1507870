"""The events of a store in batches: first those that are there, page by page, then live as they come."""

from collections.abc import Iterator, Sequence
from itertools import islice

from sqlalchemy import Column, MetaData, Table, func, select

from eventlab.events.envelope import Position, Recorded
from eventlab.events.errors import EventError
from eventlab.store import SqlEventStore
from eventlab.store.trouble import told_plainly

_PAGE = 1_000  # events per transaction of a view


def where(store: SqlEventStore) -> str:
    """The store's database, for messages."""
    return store.engine.url.render_as_string(hide_password=True)


def pages(store: SqlEventStore, after: Position) -> Iterator[Sequence[Recorded]]:
    """What is committed now, in order. An event that cannot be decoded raises EventError after those before it."""
    events = store.read_all(after)
    while True:
        page: list[Recorded] = []
        trouble = None
        try:
            page.extend(islice(events, _PAGE))
        except EventError as error:
            trouble = error
        if page:
            yield page
        if trouble is not None:
            raise trouble
        if not page:
            return


def follow(store: SqlEventStore, after: Position, idle: float) -> Iterator[Sequence[Recorded]]:
    """Catch up, then follow live; ends when nothing came for ``idle`` seconds."""
    for page in pages(store, after):
        yield page
        after = page[-1].position
    for first in store.subscribe(after, idle=idle):
        if first.position <= after:
            continue  # it came with a page that was read meanwhile
        yield [first]
        after = first.position
        for page in pages(store, after):  # what was written while the first was served, in batches
            yield page
            after = page[-1].position


def head(store: SqlEventStore) -> Position:
    """The position of the last event; 0 for an empty store."""
    position = _positions(store)
    with told_plainly(where(store)), store.engine.connect() as connection:
        return Position(connection.scalar(select(func.max(position))) or 0)


def events_after(store: SqlEventStore, after: Position) -> int:
    """How many events there are after a position."""
    position = _positions(store)
    with told_plainly(where(store)), store.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(position.table).where(position > after)) or 0


def _positions(store: SqlEventStore) -> Column[int]:
    return Table("events", MetaData(schema=store.schema), Column("position", key="position")).c.position
