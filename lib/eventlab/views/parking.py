"""Events that a handler could not take, set aside with the rest of their stream: seen, and applied later in order."""

from typing import Any, NamedTuple

from sqlalchemy import Select, delete, select, update

from eventlab.events.envelope import Position, Recorded, StreamId
from eventlab.store import SqlEventStore
from eventlab.store.trouble import told_plainly
from eventlab.views.bookkeeping import begin
from eventlab.views.errors import described
from eventlab.views.following import where
from eventlab.views.lifecycle import check_made
from eventlab.views.target import Target
from eventlab.views.view import View


class Parked(NamedTuple):
    """An event set aside, and why: what its handler raised, or which position of its stream it waits for."""

    stream: str
    position: Position
    error: str


def parked(store: SqlEventStore, view: View) -> list[Parked]:
    """The parked events of this version of ``view``, in order."""
    check_made(store, view)
    with told_plainly(where(store)), store.engine.connect() as connection:
        found = connection.execute(_parked(Target(view, store.schema))).all()
    return [Parked(row.stream, Position(row.position), row.error) for row in found]


def retry_parked(store: SqlEventStore, view: View) -> int:
    """Apply the parked events in order, stream by stream, and return how many were applied.

    Each stream is a transaction. Where a handler raises again, that event and those behind it stay parked, with
    the new error.
    """
    target = Target(view, store.schema)
    return sum(_retry(store, target, stream) for stream in dict.fromkeys(each.stream for each in parked(store, view)))


def _retry(store: SqlEventStore, target: Target, stream: str) -> int:
    table = target.books.parked
    with told_plainly(where(store)), store.engine.begin() as connection:
        begin(connection)
        lane = target.view.lane(StreamId.parse(stream))
        checkpoints = target.books.checkpoints
        # The lane stands still, so that no event of the stream is parked behind our back.
        connection.execute(select(checkpoints).where(*target.is_this, checkpoints.c.lane == lane).with_for_update())
        positions = {row.position for row in connection.execute(_parked(target).where(table.c.stream == stream))}
        done: list[int] = []
        for recorded in _events(store, stream, positions):
            error = target.apply_one(connection, recorded)
            if error is not None:
                failed = (*target.is_parked, table.c.position == recorded.position)
                connection.execute(update(table).where(*failed).values(error=described(error)))
                break
            done.append(recorded.position)
        if done:
            connection.execute(
                delete(table).where(*target.is_parked, table.c.stream == stream, table.c.position <= done[-1])
            )
    return len(done)


def _events(store: SqlEventStore, stream: str, positions: set[int]) -> list[Recorded]:
    return [recorded for recorded in store.read(StreamId.parse(stream)) if recorded.position in positions]


def _parked(target: Target) -> Select[Any]:
    columns = target.books.parked.c
    query = select(columns.stream, columns.position, columns.error)
    return query.where(*target.is_parked).order_by(columns.position)
