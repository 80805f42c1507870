"""The events of a store as a view takes them: page by page, and how many there are."""

from collections.abc import Iterator, Sequence
from itertools import islice

from sqlalchemy import Column, MetaData, Table, func, select

from eventlab.events.envelope import Position, Recorded
from eventlab.events.errors import EventError
from eventlab.store import SqlEventStore
from eventlab.store.trouble import told_plainly
from eventlab.views.bookkeeping import Home

_PAGE = 1_000  # events per transaction of a view


def where(home: Home) -> str:
    """The view's database, for messages."""
    return home.engine.url.render_as_string(hide_password=True)


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


def events_after(store: SqlEventStore, after: Position) -> int:
    """How many events there are after a position."""
    position: Column[int] = Column("position")
    events = Table("events", MetaData(schema=store.schema), position)
    with told_plainly(where(store)), store.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(events).where(position > after)) or 0
