"""The asynchronous way: follow the store and keep a view up to date, batch by batch, each in one transaction."""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from threading import Event
from typing import Literal

from sqlalchemy import Connection, exists, func, select, update

from eventlab.events.envelope import Position, Recorded
from eventlab.store import SqlEventStore, Unavailable
from eventlab.store.trouble import told_plainly
from eventlab.views.bookkeeping import begin
from eventlab.views.errors import ViewError, is_databases
from eventlab.views.following import events_after, pages, where
from eventlab.views.lifecycle import create
from eventlab.views.target import Target
from eventlab.views.view import View

Progress = Callable[[int, int], None]

RETRY_SECONDS = (0.05, 1.0)  # the first and the longest pause while the database is away
STALLED_MS = 10_000  # a worker that sleeps inside its transaction (SIGSTOP) is put out by PostgreSQL after this


class Projector:
    """Keeps one version of a view up to date with its store; makes it first if it is not there.

    Any number of projectors, in any processes, may serve the same view: whoever holds a lane's checkpoint row applies
    the batch, the others wait for that transaction to end and go on from where it got. With one lane this is an
    exclusive subscription with hot standbys; with several, the workers share the lanes. A worker that is killed loses
    its transaction and with it the row: another one takes over at once.

    ``on_failure`` says what a handler's exception does: ``stop`` raises HandlerFailed with the checkpoint before that
    event; ``park`` sets the event's stream aside (see :func:`~eventlab.views.parked`) and goes on with the others.
    ``patience``: how many seconds the database may be away before Unavailable is raised.
    """

    def __init__(
        self,
        store: SqlEventStore,
        view: View,
        *,
        on_failure: Literal["stop", "park"] = "stop",
        patience: float = 60.0,
    ) -> None:
        if on_failure not in ("stop", "park"):
            raise ValueError(f"on_failure is 'stop' or 'park', not {on_failure!r}")
        self._store, self._park, self._patience = store, on_failure == "park", patience
        self._target = Target(view, store.schema)
        self._where = where(store)
        create(store, view)

    def catch_up(self, progress: Progress | None = None) -> int:
        """Apply all that is committed now, and return how many events that was.

        ``progress`` is called with the events done and the events there are, at first and after each batch.
        Raises HandlerFailed, and the store's errors.
        """
        after = min(self._positions().values())
        total, done = events_after(self._store, after), 0
        if progress is not None:
            progress(done, total)
        for page in pages(self._store, after):
            self._serve(page)
            done += len(page)
            if progress is not None:
                progress(done, max(done, total))
        return done

    def run(self, stop: Event | None = None) -> None:
        """Catch up, then follow live until ``stop`` is set (noticed within a quarter of a second), or for ever.

        When the database goes away, it is tried again with growing pauses, and work goes on from the checkpoint.
        Raises HandlerFailed; Unavailable after ``patience`` seconds; what cannot be decoded raises EventError.
        """
        stopped = stop or Event()
        pause, away_since = RETRY_SECONDS[0], None
        while not stopped.is_set():
            try:
                with closing(self._batches(stop)) as batches:
                    for page in batches:
                        if page:
                            self._serve(page)
                        pause, away_since = RETRY_SECONDS[0], None
            except Unavailable:
                away_since = away_since or time.monotonic()
                if time.monotonic() - away_since > self._patience:
                    raise
                stopped.wait(pause)
                pause = min(2 * pause, RETRY_SECONDS[1])

    def _batches(self, stop: Event | None) -> Generator[Sequence[Recorded], None, None]:
        after = min(self._positions().values())
        if self._store.head() <= after:
            yield []  # the database is back, and there was nothing to do meanwhile
        yield from self._store.follow(after, stop=stop)

    def _positions(self) -> dict[int, Position]:
        with told_plainly(self._where), self._store.engine.connect() as connection:
            return self._target.positions(connection)

    def _serve(self, page: Sequence[Recorded]) -> None:
        """See to it that every lane gets past ``page``, here or in another worker."""
        lanes: dict[int, list[Recorded]] = defaultdict(list)
        for recorded in page:
            lanes[self._target.view.lane(recorded.stream)].append(recorded)
        end = page[-1].position
        order = list(lanes)
        if len(order) > 1:
            random.shuffle(order)  # workers begin at different lanes
        # First the lanes that nobody holds, then wait for those that somebody holds: he may have died meanwhile.
        busy = [lane for lane in order if not self._advance(lane, lanes[lane], end, wait=len(order) == 1)]
        for lane in busy:
            self._advance(lane, lanes[lane], end, wait=True)
        if len(lanes) < self._target.view.lanes:
            self._pass(set(range(self._target.view.lanes)) - lanes.keys(), end)

    def _advance(self, lane: int, events: Sequence[Recorded], end: Position, wait: bool) -> bool:
        """Apply what ``lane`` has not seen of ``events`` and set its checkpoint; False if another worker holds it."""
        for one_by_one in (False, True):
            with told_plainly(self._where):
                try:
                    return self._transact(lane, events, end, wait, one_by_one)
                except _Failed:
                    continue
        raise AssertionError("unreachable: events applied one by one do not raise _Failed")

    def _transact(self, lane: int, events: Sequence[Recorded], end: Position, wait: bool, one_by_one: bool) -> bool:
        target = self._target
        with self._store.engine.begin() as connection:
            begin(connection)
            held = self._hold(connection, lane, wait)
            if held is None:
                return False
            at, parked = held
            todo = [recorded for recorded in events if recorded.position > at]
            if end <= at:
                return True
            failure = None
            if one_by_one or parked:
                failure = target.apply_until_failure(connection, todo, self._park)
            else:
                try:
                    target.apply(connection, todo)
                except Exception as error:
                    if is_databases(error):
                        raise
                    raise _Failed from error
            if failure is not None:
                before = [recorded.position for recorded in todo if recorded.position < failure.recorded.position]
                end = max(before, default=at)
            target.move(connection, end, lane)
        if failure is not None:
            raise failure
        return True

    def _hold(self, connection: Connection, lane: int, wait: bool) -> tuple[Position, bool] | None:
        """Take the lane's checkpoint row until the transaction ends: its position, and whether anything is parked."""
        checkpoints, parked = self._target.books.checkpoints.c, self._target.books.parked.c
        view = self._target.view
        any_parked = exists().where(parked.view == view.name, parked.version == view.version)
        query = select(checkpoints.position, any_parked).where(*self._target.is_this, checkpoints.lane == lane)
        if connection.dialect.name == "postgresql":
            stalled = func.set_config("idle_in_transaction_session_timeout", str(STALLED_MS), True)
            # Rows and checkpoint stand or fall together: after a crash of the server the batch is applied again.
            unflushed = func.set_config("synchronous_commit", "off", True)
            query = query.add_columns(stalled, unflushed).with_for_update(skip_locked=not wait)
        row = connection.execute(query).one_or_none()
        if row is None and wait:
            raise ViewError(f"the view {view} was dropped while a projector served it")
        return None if row is None else (Position(row[0]), bool(row[1]))

    def _pass(self, lanes: set[int], end: Position) -> None:
        """Move the lanes for which a page held nothing."""
        checkpoints = self._target.books.checkpoints
        mine = (*self._target.is_this, checkpoints.c.lane.in_(lanes), checkpoints.c.position < end)
        with told_plainly(self._where), self._store.engine.begin() as connection:
            begin(connection)
            # In one order, so that two workers cannot deadlock.
            connection.execute(select(checkpoints.c.lane).where(*mine).order_by(checkpoints.c.lane).with_for_update())
            connection.execute(update(checkpoints).where(*mine).values(position=end))


class _Failed(Exception):
    """A handler raised somewhere in a batch: the batch is undone, and applied again event by event."""
