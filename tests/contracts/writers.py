"""Writers that compete: functions that a thread or a process of its own runs."""

from collections.abc import Sequence

from eventlab.events.envelope import StreamId, Version
from eventlab.store import START, EventStore, WrongExpectedVersion

from .backends import Backend
from .samples import added, several


def win(store: EventStore, stream: StreamId, quantities: Sequence[int]) -> dict[int, Version]:
    """Append one event for each quantity, at the version that the stream is believed to have; try until it wins."""
    won = {}
    version = START
    for quantity in quantities:
        while quantity not in won:
            try:
                version = won[quantity] = store.append(stream, [added(quantity)], expected=version).versions[0]
            except WrongExpectedVersion as error:
                version = error.actual
    return won


def win_from_afar(backend: Backend, stream: StreamId, quantities: Sequence[int]) -> dict[int, Version]:
    """The same in a process of its own."""
    return win(backend.open(), stream, quantities)


def write(backend: Backend, stream: StreamId, batches: int, size: int) -> None:
    """Append ``batches`` of ``size`` events, without expectation."""
    store = backend.open()
    for _ in range(batches):
        store.append(stream, several(range(size)))
    store.close()
