"""How far a view got: wait until it has what you wrote, and how much it is behind."""

import time
from typing import NamedTuple

from sqlalchemy import ScalarSelect, func, select

from eventlab.cluster.pace import Look, Pace
from eventlab.events.envelope import Position
from eventlab.store import SqlEventStore, Unavailable
from eventlab.store.trouble import told_plainly
from eventlab.views.bookkeeping import bookkeeping
from eventlab.views.errors import NotReached, ViewError
from eventlab.views.following import events_after, where
from eventlab.views.lifecycle import check_made
from eventlab.views.view import View

_LOOK_SECONDS = 0.002  # between two looks at a checkpoint: one look-up by key, and people wait for it


class Lag(NamedTuple):
    """How much a view is behind: events that it has not applied yet, positions to the end, events set aside."""

    events: int
    positions: int
    parked: int


def wait_until(store: SqlEventStore, view: View, position: Position, timeout: float = 5.0) -> None:
    """Wait until what readers of ``view`` see (its live version) has all events up to ``position``.

    With the last position of an append: read your own writes. ``timeout`` in seconds.
    Raises NotReached (a TimeoutError) when it takes longer, ViewError when the view is not there, or an event up to
    ``position`` is parked.
    """
    deadline = time.monotonic() + timeout
    live = bookkeeping(store.schema).live.c
    version = select(live.version).where(live.view == view.name).scalar_subquery()
    while True:
        at, parked, first_parked = _state(store, view, version)
        if first_parked is not None and first_parked <= position:
            raise ViewError(f"the view {view.name} has {parked} parked events; retry_parked() them first")
        if at >= position:
            return
        if time.monotonic() >= deadline:
            raise NotReached(view.name, position, at, timeout)
        time.sleep(_LOOK_SECONDS)


def lag(store: SqlEventStore, view: View) -> Lag:
    """How much this version of ``view`` is behind its store; with several lanes, how much the slowest is.

    Raises ViewError when this version is not there.
    """
    at, parked, _ = _state(store, view, view.version)
    return Lag(events_after(store, at), max(0, store.head() - at), parked)


def keeping_up(store: SqlEventStore, view: View, *, seconds: float = 2.0) -> Pace:
    """Whether this version of ``view`` keeps up with its store, from two looks that are ``seconds`` apart.

    ``.keeps_up()``, ``.lag`` in events, ``.there_in``; parked events are what is set ``aside``. With several lanes it
    is about the slowest. Raises ViewError when this version is not there.
    """
    at, _, _ = _state(store, view, view.version)
    first = Look(time.monotonic(), events_after(store, at), 0)
    time.sleep(seconds)
    now, parked, _ = _state(store, view, view.version)
    left = events_after(store, now)
    return Pace.between(first, Look(time.monotonic(), left, events_after(store, at) - left), parked)


def _state(store: SqlEventStore, view: View, version: int | ScalarSelect[int]) -> tuple[Position, int, Position | None]:
    """The slowest lane's checkpoint, the number of parked events and the position of the first of them."""
    _, checkpoints, parked = (table.c for table in bookkeeping(store.schema))
    is_parked = (parked.view == view.name, parked.version == version)
    query = select(
        func.min(checkpoints.position),
        select(func.count()).where(*is_parked).scalar_subquery(),
        select(func.min(parked.position)).where(*is_parked).scalar_subquery(),
    ).where(checkpoints.view == view.name, checkpoints.version == version)
    try:
        with told_plainly(where(store)), store.engine.connect() as connection:
            at, number, first = connection.execute(query).one()
    except Unavailable:
        check_made(store, view)
        raise
    if at is None:
        check_made(store, view)
        raise ViewError(f"there is no view {view} in this store")
    return Position(at), number, None if first is None else Position(first)
