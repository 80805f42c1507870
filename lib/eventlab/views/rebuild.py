"""A view built again from the first event, beside the one that readers see, and put in its place when it is done."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from eventlab.events.envelope import Position
from eventlab.store import SqlEventStore
from eventlab.views.lifecycle import switch
from eventlab.views.projector import Progress as Told
from eventlab.views.projector import Projector
from eventlab.views.view import View


class Rebuilt(NamedTuple):
    """What a rebuild did: events applied before the switch, the position at the switch, and both times in seconds."""

    events: int
    position: Position
    seconds: float
    switch_seconds: float


def rebuild(store: SqlEventStore, view: View, progress: Told | None = None) -> Rebuilt:
    """Build ``view.version`` from zero while readers and projectors of the live version go on; then switch to it.

    ``progress`` is called with the events done and the events there are; without it there is a progress bar.
    A rebuild that was interrupted goes on from its checkpoint. Afterwards start projectors of the new version, and
    :func:`~eventlab.views.drop` the old one when nobody wants to switch back.
    Raises HandlerFailed with the live version untouched, ViewError, and the store's errors.
    """
    started = time.monotonic()
    projector = Projector(store, view)
    if progress is None:
        with bar(f"building {view}") as told:
            events = projector.catch_up(told)
    else:
        events = projector.catch_up(progress)
    built = time.monotonic()
    position = switch(store, view)
    return Rebuilt(events, position, built - started, time.monotonic() - built)


@contextmanager
def bar(title: str) -> Iterator[Told]:
    """A progress bar for the length of the block."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as shown:
        task = shown.add_task(title)
        yield lambda done, total: shown.update(task, completed=done, total=total)
        shown.refresh()  # in Jupyter, rich would leave the bar as it last was
