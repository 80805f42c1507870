"""The inline way: the append's own transaction updates the view, so readers never see it behind."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, inspect, select, update

from eventlab.events.envelope import Recorded
from eventlab.store import SqlEventStore
from eventlab.store.trouble import told_plainly
from eventlab.views.bookkeeping import INLINE, begin, bookkeeping, hold_appends
from eventlab.views.errors import ViewError, described, is_databases
from eventlab.views.following import where
from eventlab.views.lifecycle import finish
from eventlab.views.projector import Projector
from eventlab.views.target import Target
from eventlab.views.view import View


def inline(*versions: View, schema: str | None = None) -> Callable[[Connection, Sequence[Recorded]], None]:
    """What keeps a view up to date within each append: ``SqlEventStore(url, inline=[inline(sales)])``.

    It does nothing until :func:`attach` has handed the view over. Give all ``versions`` of the view that may be live
    while this program runs; an append is refused when another one is. ``schema`` is the store's.
    A handler that raises refuses the append with ViewError: nothing is stored, in the view or in the stream.
    """
    targets = {view.version: Target(view, schema) for view in versions}
    names = {view.name for view in versions}
    if len(names) != 1 or len(targets) != len(versions):
        raise ValueError("inline() takes the versions of one view; call it once for each view")
    (name,) = names
    books = bookkeeping(schema).live
    # Shared with other appends; a switch waits for it, and no append goes on while a switch has it.
    live = select(books.c.version, books.c.inline).where(books.c.view == name).with_for_update(read=True)
    made = False

    def update_view(connection: Connection, recorded: Sequence[Recorded]) -> None:
        nonlocal made
        made = made or inspect(connection).has_table(books.name, schema)
        row = connection.execute(live).one_or_none() if made else None
        if row is None or not row.inline:
            return  # it has a checkpoint, behind which this event stands
        version = row.version
        if version not in targets:
            raise ViewError(
                f"version {version} of the view {name} is live, and this program has only version "
                f"{', '.join(map(str, targets))}: start it with the new one; nothing was stored"
            )
        try:
            targets[version].apply(connection, recorded, shared=True)
        except Exception as error:
            if is_databases(error):
                raise
            raise ViewError(
                f"the inline view {targets[version].view} cannot take what was to be appended to {recorded[0].stream}: "
                f"{described(error)}; nothing was stored"
            ) from error

    return update_view


def attach(store: SqlEventStore, view: View) -> None:
    """Hand ``view`` over to the appends: catch up, then, while appends wait for a moment, apply the rest and go inline.

    From then on every program that appends has to give its store ``inline(view)``; projectors leave the view alone.
    Raises ViewError when this version is not what readers see.
    """
    Projector(store, view).catch_up()
    target = Target(view, store.schema)
    live, checkpoints, _ = target.books
    with told_plainly(where(store)), store.engine.begin() as connection:
        begin(connection)
        hold_appends(connection, store.schema)
        connection.execute(select(checkpoints).where(checkpoints.c.view == view.name).with_for_update()).all()
        is_view = live.c.view == view.name
        if connection.scalar(select(live.c.version).where(is_view)) != view.version:
            raise ViewError(f"{view} is not what readers see; switch to it first")
        finish(connection, store, target)
        target.move(connection, INLINE)
        connection.execute(update(live).where(is_view).values(inline=True))
