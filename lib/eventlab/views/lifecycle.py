"""A version of a view is made, goes live in the place of another one, and is dropped: blue/green without downtime.

Readers select from the name that the view's table was defined with. That name is a view in the sense of SQL, onto the
tables of the live version, so a reader sees the old version or the new one and never neither.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection, delete, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateView

from eventlab.events.envelope import Position
from eventlab.store import SqlEventStore, Unavailable
from eventlab.store.trouble import told_plainly
from eventlab.views.bookkeeping import INLINE, Home, begin, bookkeeping, hold_appends, make_tables
from eventlab.views.errors import ViewError
from eventlab.views.following import pages, where
from eventlab.views.target import Target
from eventlab.views.view import View

# Readers queue behind a switch that waits for a long reader (PostgreSQL's lock queue): it gives way this soon.
_SWITCH_WAITS_MS = 200
_SWITCH_PAUSE_SECONDS = 0.5
_SWITCH_PATIENCE_SECONDS = 60.0
_LOCK_TIMEOUT = "55P03"  # PostgreSQL's lock_not_available


def create(home: Home, view: View) -> None:
    """Make the tables of this version of ``view``, empty, unless they are there; the first version is live at once.

    Raises ViewError when this version is there with other columns or lanes, or its tables' names are taken.
    """
    target = Target(view, home.schema)
    with told_plainly(where(home)):
        with home.engine.connect() as connection:  # only reads: where all is there nobody has to wait for a writer
            if _is_made(connection, target):
                return
        with home.engine.begin() as connection:
            begin(connection)
            make_tables(connection, home.schema)
            if not _is_made(connection, target):
                _make(connection, target)


def _is_made(connection: Connection, target: Target) -> bool:
    checkpoints = target.books.checkpoints
    inspector = inspect(connection)
    if not inspector.has_table(checkpoints.name, target.schema):
        return False
    if connection.scalar(select(checkpoints.c.version).where(*target.is_this).limit(1)) is None:
        return False
    target.positions(connection)
    for table in target.tables.values():
        if {column["name"] for column in inspector.get_columns(table.name, target.schema)} != set(table.c.keys()):
            raise ViewError(
                f"{target.view}: the table {table.name} has other columns than the view; raise its version and rebuild"
            )
    return True


def _make(connection: Connection, target: Target) -> None:
    view, (live, checkpoints, _) = target.view, target.books
    first = _live(connection, target.schema, view.name) is None
    taken = [table.name for table in target.tables.values()] + (list(target.tables) if first else [])
    for name in taken:
        if inspect(connection).has_table(name, target.schema):
            raise ViewError(f"{view}: the database has a table or view {name!r} already; choose another name")
    for table in target.tables.values():
        table.create(connection)
    lanes = [{"view": view.name, "version": view.version, "lane": lane, "position": 0} for lane in range(view.lanes)]
    connection.execute(insert(checkpoints), lanes)
    if first:
        connection.execute(insert(live).values(view=view.name, version=view.version, inline=False))
        _point_readers(connection, target)


def live_version(home: Home, view: View) -> int | None:
    """The version that readers of ``view`` see now; None before the first one is made."""
    with told_plainly(where(home)), home.engine.connect() as connection:
        return _live(connection, home.schema, view.name)


def check_made(home: Home, view: View) -> None:
    """Raises ViewError unless some version of ``view`` was made there."""
    if live_version(home, view) is None:
        raise ViewError(f"there is no view {view.name} in this database; create() it or start() it")


def switch(store: SqlEventStore, view: View) -> Position:
    """Let readers see this version of ``view`` from now on; the position up to which it then has all events.

    In one transaction: the last events are applied, and the readers' names lead to this version's tables. It is
    never behind the version that it replaces. Switching back to that one is the same call.
    Raises ViewError when this version was not created, or has parked events; HandlerFailed with nothing changed.
    """
    target = Target(view, store.schema)
    return switch_after(store, target, lambda connection: finish(connection, store, target))


def switch_after(home: Home, target: Target, last: Callable[[Connection], Position]) -> Position:
    """Let readers see ``target`` once ``last`` has applied what was missing; gives what that gives.

    Both in one transaction, in which the checkpoints of all versions stand still.
    """
    check_made(home, target.view)
    deadline = time.monotonic() + _SWITCH_PATIENCE_SECONDS
    while True:
        try:
            with told_plainly(where(home)):
                return _switch(home, target, last)
        except Unavailable as error:
            waited = (
                isinstance(error.__cause__, DBAPIError)
                and getattr(error.__cause__.orig, "sqlstate", None) == _LOCK_TIMEOUT
            )
            if not waited or time.monotonic() > deadline:
                raise
            time.sleep(_SWITCH_PAUSE_SECONDS)  # a reader holds the old version: let those who wait behind us pass


def _switch(home: Home, target: Target, last: Callable[[Connection], Position]) -> Position:
    live, checkpoints, _ = target.books
    is_view = live.c.view == target.view.name
    with home.engine.begin() as connection:
        begin(connection)
        # Appends first: they hold what they wrote while they look at the view, and the other way round would be a knot.
        inline = connection.scalar(select(live.c.inline).where(is_view))
        if inline:
            hold_appends(connection, home.schema)
        # The checkpoints of all versions stand still, so that the new one cannot end up behind the old one.
        lanes = select(checkpoints).where(checkpoints.c.view == target.view.name)
        connection.execute(lanes.order_by(checkpoints.c.version, checkpoints.c.lane).with_for_update()).all()
        old = connection.execute(select(live).where(is_view)).one()
        if old.inline != inline:
            raise ViewError(f"{target.view.name} was attached while it was to be switched; switch again")
        end = last(connection)
        if old.inline:
            Target(replace(target.view, version=old.version), home.schema).move(connection, end)
            target.move(connection, INLINE)
        connection.execute(update(live).where(is_view).values(version=target.view.version))
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = {_SWITCH_WAITS_MS}"))
        _point_readers(connection, target)
    return end


def finish(connection: Connection, store: SqlEventStore, target: Target) -> Position:
    """Apply, within a transaction that holds the checkpoints, what is left up to the end; the position of the end."""
    positions = target.positions(connection)
    if target.parked_streams(connection):
        raise ViewError(f"the view {target.view} has parked events; retry_parked() them first")
    end = max(positions.values())
    for page in pages(store, min(positions.values())):
        todo = [each for each in page if each.position > positions[target.view.lane(each.stream)]]
        failure = target.apply_until_failure(connection, todo, park=False)
        if failure is not None:
            raise failure
        end = max(end, page[-1].position)
    target.move(connection, end)
    return end


def drop(home: Home, view: View) -> None:
    """Remove this version of ``view``, its rows and its checkpoints. Raises ViewError while readers see it."""
    target = Target(view, home.schema)
    with told_plainly(where(home)), home.engine.begin() as connection:
        begin(connection)
        if _live(connection, home.schema, view.name) == view.version:
            raise ViewError(f"{view} is what readers see; switch to another version before you drop it")
        for table in target.tables.values():
            table.drop(connection, checkfirst=True)
        for books in (target.books.checkpoints, target.books.parked):
            connection.execute(delete(books).where(books.c.view == view.name, books.c.version == view.version))


def _live(connection: Connection, schema: str | None, name: str) -> int | None:
    live = bookkeeping(schema).live
    if not inspect(connection).has_table(live.name, schema):
        return None
    return connection.scalar(select(live.c.version).where(live.c.view == name))


def _point_readers(connection: Connection, target: Target) -> None:
    """Let the readers' names lead to the tables of ``target``."""
    for name, table in target.tables.items():
        preparer = connection.dialect.identifier_preparer
        prefix = f"{preparer.quote(target.schema)}." if target.schema else ""
        connection.execute(text(f"DROP VIEW IF EXISTS {prefix}{preparer.quote(name)}"))
        connection.execute(CreateView(select(table), name, schema=target.schema))
