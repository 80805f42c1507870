"""A view of a topic built again from offset 0, beside the one that readers see, and then put in its place."""

import time

from sqlalchemy import Connection

from eventlab.events.envelope import Position
from eventlab.store.trouble import told_plainly
from eventlab.topics.projector import TopicProjector
from eventlab.views import Rebuilt, ViewError
from eventlab.views import drop as drop_view
from eventlab.views.bookkeeping import begin
from eventlab.views.following import where
from eventlab.views.lifecycle import switch_after
from eventlab.views.projector import Progress
from eventlab.views.rebuild import bar


def rebuild(projector: TopicProjector, progress: Progress | None = None) -> Rebuilt:
    """Build the version of ``projector`` while readers and projectors of the live one go on; then switch to it.

    ``progress`` as in :meth:`TopicProjector.catch_up`; without it there is a progress bar. A rebuild that was
    interrupted goes on from its checkpoint. The position of what it gives is the sum of all offsets.
    Raises RecordFailed with the live version untouched, RecordsLost when the topic no longer begins at offset 0.
    """
    started = time.monotonic()
    if progress is None:
        with bar(f"building {projector.sink.view}") as told:
            records = projector.catch_up(told)
    else:
        records = projector.catch_up(progress)
    built = time.monotonic()
    position = switch(projector)
    return Rebuilt(records, position, built - started, time.monotonic() - built)


def switch(projector: TopicProjector) -> Position:
    """Let readers see this version from now on; the sum of its offsets. It is never behind the one that it replaces.

    Raises ViewError when it was not made or has parked records; RecordFailed with nothing changed.
    """
    sink = projector.sink

    def last(connection: Connection) -> Position:
        """Apply what the version before has already; both stand still."""
        if sink.parked(connection):
            raise ViewError(f"the view {sink.view} has parked records; retry_parked() them first")
        positions = sink.target.positions(connection)
        ends = {lane: max(at, positions[lane]) for lane, at in sink.live_positions(connection).items()}
        for partition, records in projector.between(positions, ends):
            if (failure := sink.apply_within(connection, partition, records)) is not None:
                raise failure
        for partition, end in ends.items():
            sink.target.move(connection, Position(end), partition)
        return Position(sum(ends.values()))

    return switch_after(sink.home, sink.target, last)


def drop(projector: TopicProjector) -> None:
    """Remove this version, its rows and all that is remembered of it. Raises ViewError while readers see it."""
    sink = projector.sink
    drop_view(sink.home, sink.view)
    with told_plainly(where(sink.home)), sink.home.engine.begin() as connection:
        begin(connection)
        sink.forget(connection)
