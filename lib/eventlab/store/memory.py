"""The event store in memory: the contract at its shortest, for tests, lessons and what-if replays."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from threading import Condition
from uuid import UUID

from eventlab.events.catalogue import registry as catalogue
from eventlab.events.codec import JsonCodec
from eventlab.events.envelope import NewEvent, Position, Recorded, StreamId, Version
from eventlab.events.registry import TypeRegistry
from eventlab.store.contract import BEGINNING, START, Any, Appended, Expected
from eventlab.store.rules import (
    Place,
    StoredEvent,
    already_stored,
    check_batch,
    check_expected,
    recorded,
    stored,
    utc_now,
)


class MemoryEventStore:
    """Keeps every promise of :class:`~eventlab.store.contract.EventStore` within one process; gone when it ends.

    Events are held as JSON, as in the other stores: what cannot be stored there is refused here too.
    """

    def __init__(self, registry: TypeRegistry = catalogue, clock: Callable[[], datetime] = utc_now) -> None:
        self._codec = JsonCodec(registry)
        self._clock = clock
        self._changed = Condition()
        self._log: list[StoredEvent] = []
        self._streams: dict[StreamId, list[StoredEvent]] = {}
        self._by_id: dict[UUID, Place] = {}

    def append(self, stream: StreamId, events: Sequence[NewEvent], expected: Expected = Any) -> Appended:
        """See :meth:`EventStore.append <eventlab.store.contract.EventStore.append>`."""
        check_batch(events)
        encoded = [self._codec.encode(new.event) for new in events]
        with self._changed:
            known = {new.id: self._by_id[new.id] for new in events if new.id in self._by_id}
            if known:
                return already_stored(stream, events, known)
            history = self._streams.get(stream, [])
            check_expected(stream, expected, Version(len(history)))
            now = self._clock()
            added = [
                stored(stream, Version(len(history) + n), Position(len(self._log) + n), new, data, now)
                for n, (new, data) in enumerate(zip(events, encoded, strict=True), start=1)
            ]
            self._streams.setdefault(stream, []).extend(added)
            self._log.extend(added)
            self._by_id.update((event.id, Place(stream, event.version, event.position)) for event in added)
            self._changed.notify_all()
        return Appended(tuple(event.version for event in added), tuple(event.position for event in added))

    def read(self, stream: StreamId, after: Version = START, until: Version | None = None) -> Iterator[Recorded]:
        """See :meth:`EventStore.read <eventlab.store.contract.EventStore.read>`."""
        return self._recorded(self._streams.get(stream, [])[after:until])

    def read_all(self, after: Position = BEGINNING, until: Position | None = None) -> Iterator[Recorded]:
        """See :meth:`EventStore.read_all <eventlab.store.contract.EventStore.read_all>`."""
        return self._recorded(self._log[after:until])

    def subscribe(self, after: Position = BEGINNING, idle: float | None = None) -> Iterator[Recorded]:
        """See :meth:`EventStore.subscribe <eventlab.store.contract.EventStore.subscribe>`."""
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: len(self._log) > after, timeout=idle):  # noqa: B023
                    return
            for event in self.read_all(after):
                after = event.position
                yield event

    def close(self) -> None:
        """Nothing to let go of."""

    def _recorded(self, events: Sequence[StoredEvent]) -> Iterator[Recorded]:
        return (recorded(event, self._codec) for event in events)
