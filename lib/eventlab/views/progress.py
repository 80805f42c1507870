"""How far a view got: wait until it has what you wrote, and how much it is behind."""

import time
from typing import NamedTuple

from sqlalchemy import func, select

from eventlab.events.envelope import Position
from eventlab.store import SqlEventStore
from eventlab.store.trouble import told_plainly
from eventlab.views.bookkeeping import bookkeeping
from eventlab.views.errors import NotReached, ViewError
from eventlab.views.following import events_after, head
from eventlab.views.lifecycle import where
from eventlab.views.view import View

_LOOK_SECONDS = 0.002  # between two looks at a checkpoint: one look-up by key, and people wait for it


class Lag(NamedTuple):
    """How much a view is behind: events that it has not applied yet, positions to the end, events set aside."""

    events: int
    positions: int
    parked: int


def wait_until(store: SqlEventStore, view: View, position: Position, timeout: float = 5.0) -> Position:
    """Wait until what readers of ``view`` see (its live version) has all events up to ``position``; where it is now.

    With the last position of an append: read your own writes. ``timeout`` in seconds.
    Raises NotReached (a TimeoutError) when it takes longer, ViewError when the view is not there, or is parked for
    an event up to ``position``.
    """
    deadline = time.monotonic() + timeout
    while True:
        at, parked = _live_position(store, view)
        if parked is not None and parked <= position:
            raise ViewError(f"the view {view.name} has a parked event at position {parked}; retry_parked() it first")
        if at >= position:
            return at
        if time.monotonic() >= deadline:
            raise NotReached(view.name, position, at, timeout)
        time.sleep(_LOOK_SECONDS)


def lag(store: SqlEventStore, view: View) -> Lag:
    """How much this version of ``view`` is behind its store; with several lanes, how much the slowest is.

    Raises ViewError when this version is not there.
    """
    versions, checkpoints, parked = bookkeeping(store.schema)
    mine = [
        (table.c.view == view.name) & (table.c.version == view.version) for table in (versions, checkpoints, parked)
    ]
    with told_plainly(where(store)), store.engine.connect() as connection:
        inline = connection.scalar(select(versions.c.inline).where(mine[0]))
        at = connection.scalar(select(func.min(checkpoints.c.position)).where(mine[1]))
        aside = connection.scalar(select(func.count()).select_from(parked).where(mine[2])) or 0
    if inline is None or at is None:
        raise ViewError(f"there is no view {view} in this store")
    if inline:
        return Lag(0, 0, aside)
    return Lag(events_after(store, Position(at)), max(0, head(store) - at), aside)


def _live_position(store: SqlEventStore, view: View) -> tuple[Position, Position | None]:
    """How far the live version got, and its first parked event."""
    versions, checkpoints, parked = bookkeeping(store.schema)
    same = (versions.c.view == checkpoints.c.view) & (versions.c.version == checkpoints.c.version)
    aside = (
        select(func.min(parked.c.position))
        .where(parked.c.view == versions.c.view, parked.c.version == versions.c.version)
        .scalar_subquery()
    )
    query = (
        select(versions.c.inline, func.min(checkpoints.c.position), aside)
        .join(checkpoints, same)
        .where(versions.c.view == view.name, versions.c.live)
        .group_by(versions.c.view, versions.c.version, versions.c.inline)
    )
    with told_plainly(where(store)), store.engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise ViewError(f"there is no view {view.name} in this store")
    inline, at, first_parked = row
    position = head(store) if inline else Position(at)
    return position, None if first_parked is None else Position(first_parked)
