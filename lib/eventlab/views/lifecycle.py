"""A version of a view is made, goes live in the place of another one, and is dropped: blue/green without downtime.

Readers select from the name that the view's table was defined with. That name is a view in the sense of SQL, onto the
tables of the live version, so a reader sees the old version or the new one and never neither.
"""

import time
from itertools import islice

from sqlalchemy import Connection, delete, insert, inspect, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateView

from eventlab.events.envelope import Position
from eventlab.store import SqlEventStore
from eventlab.store.trouble import told_plainly
from eventlab.views.bookkeeping import begin, bookkeeping, hold_appends, make_tables
from eventlab.views.errors import ViewError
from eventlab.views.target import Target
from eventlab.views.view import View

# Readers queue behind a switch that waits for a long reader (PostgreSQL's lock queue): it gives way this soon.
_SWITCH_WAITS_MS = 200
_SWITCH_PAUSE_SECONDS = 0.5
_SWITCH_PATIENCE_SECONDS = 60.0


def where(store: SqlEventStore) -> str:
    """The store's database, for messages."""
    return store.engine.url.render_as_string(hide_password=True)


def create(store: SqlEventStore, view: View) -> None:
    """Make the tables of this version of ``view``, empty, unless they are there; the first version is live at once.

    Raises ViewError when this version is there with other columns or lanes, or its tables' names are taken.
    """
    target = Target(view, store.schema)
    with told_plainly(where(store)), store.engine.begin() as connection:
        begin(connection)
        make_tables(connection, store.schema)
        versions, checkpoints, _ = target.books
        known = set(connection.scalars(select(versions.c.version).where(versions.c.view == view.name)))
        if view.version in known:
            target.positions(connection)
            _check_columns(connection, target)
            return
        _check_names(connection, target, names=not known)
        for table in target.tables.values():
            table.create(connection)
        connection.execute(insert(checkpoints), [
            {"view": view.name, "version": view.version, "lane": lane, "position": 0} for lane in range(view.lanes)
        ])  # fmt: skip
        connection.execute(insert(versions).values(view=view.name, version=view.version, live=not known, inline=False))
        if not known:
            _point_readers(connection, target)


def live_version(store: SqlEventStore, view: View) -> int | None:
    """The version that readers of ``view`` see now; None before the first one is made."""
    with told_plainly(where(store)), store.engine.connect() as connection:
        return _live(connection, store.schema, view.name)


def switch(store: SqlEventStore, view: View) -> Position:
    """Let readers see this version of ``view`` from now on; the position up to which it then has all events.

    In one transaction: the last events are applied, and the readers' names lead to this version's tables. It is
    never behind the version that it replaces. Switching back to that one is the same call.
    Raises ViewError when this version was not created, or has parked events.
    """
    target = Target(view, store.schema)
    deadline = time.monotonic() + _SWITCH_PATIENCE_SECONDS
    while True:
        try:
            return _switch(store, target)
        except OperationalError as error:  # a reader holds the old version: let the readers behind us pass
            if getattr(error.orig, "sqlstate", None) != "55P03" or time.monotonic() > deadline:
                with told_plainly(where(store)):
                    raise
            time.sleep(_SWITCH_PAUSE_SECONDS)


def _switch(store: SqlEventStore, target: Target) -> Position:
    view, versions = target.view, target.books.versions
    with store.engine.begin() as connection:
        begin(connection)
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = {_SWITCH_WAITS_MS}"))
        row = select(versions).where(versions.c.view == view.name, versions.c.live).with_for_update()
        old = connection.execute(row).one_or_none()
        if old is not None and old.inline:
            hold_appends(connection, store.schema)
        # The checkpoints of all versions stand still, so that the new one cannot end up behind the old one.
        books = target.books.checkpoints
        at = [books.c.version, books.c.lane]
        connection.execute(select(books).where(books.c.view == view.name).order_by(*at).with_for_update()).all()
        end = finish(connection, store, target)
        is_view = versions.c.view == view.name
        connection.execute(update(versions).where(is_view).values(live=False, inline=False))
        connection.execute(
            update(versions)
            .where(is_view, versions.c.version == view.version)
            .values(live=True, inline=old is not None and old.inline)
        )
        if old is not None and old.inline:
            connection.execute(
                update(books).where(books.c.view == view.name, books.c.version == old.version).values(position=end)
            )
        _point_readers(connection, target)
    return end


def finish(connection: Connection, store: SqlEventStore, target: Target) -> Position:
    """Apply, within a transaction that holds the checkpoints, what is left up to the end; the position of the end."""
    positions = target.positions(connection)
    if target.parked_streams(connection):
        raise ViewError(f"the view {target.view} has parked events; retry_parked() them first")
    end = min(positions.values())
    events = store.read_all(end)
    while page := list(islice(events, 1_000)):
        target.apply(connection, [each for each in page if each.position > positions[target.view.lane(each.stream)]])
        end = page[-1].position
    end = max(end, *positions.values()) if len(positions) > 1 else end
    for lane in positions:
        target.move(connection, lane, end)
    return end


def drop(store: SqlEventStore, view: View) -> None:
    """Remove this version of ``view``, its rows and its checkpoints. Raises ViewError while readers see it."""
    target = Target(view, store.schema)
    with told_plainly(where(store)), store.engine.begin() as connection:
        begin(connection)
        if _live(connection, store.schema, view.name) == view.version:
            raise ViewError(f"{view} is what readers see; switch to another version before you drop it")
        for table in target.tables.values():
            table.drop(connection, checkfirst=True)
        for books in target.books:
            connection.execute(delete(books).where(books.c.view == view.name, books.c.version == view.version))


def _live(connection: Connection, schema: str | None, name: str) -> int | None:
    versions = bookkeeping(schema).versions
    if not inspect(connection).has_table(versions.name, schema):
        return None
    return connection.scalar(select(versions.c.version).where(versions.c.view == name, versions.c.live))


def _point_readers(connection: Connection, target: Target) -> None:
    """Let the readers' names lead to the tables of ``target``."""
    for name, table in target.tables.items():
        preparer = connection.dialect.identifier_preparer
        prefix = f"{preparer.quote(target.schema)}." if target.schema else ""
        connection.execute(text(f"DROP VIEW IF EXISTS {prefix}{preparer.quote(name)}"))
        connection.execute(CreateView(select(table), name, schema=target.schema))


def _check_names(connection: Connection, target: Target, names: bool) -> None:
    inspector = inspect(connection)
    taken = [table.name for table in target.tables.values()] + (list(target.tables) if names else [])
    for name in taken:
        if inspector.has_table(name, target.schema):
            raise ViewError(f"{target.view}: the database has a table or view {name!r} already; choose another name")


def _check_columns(connection: Connection, target: Target) -> None:
    inspector = inspect(connection)
    for table in target.tables.values():
        there = {column["name"] for column in inspector.get_columns(table.name, target.schema)}
        if there != set(table.c.keys()):
            raise ViewError(
                f"{target.view}: the table {table.name} has other columns than the view; raise its version and rebuild"
            )
