"""The event store in memory: the contract at its shortest, for tests, lessons and what-if replays."""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from datetime import datetime
from threading import Condition
from uuid import UUID

from eventlab.events.catalogue import registry as catalogue
from eventlab.events.codec import Encoded, JsonCodec
from eventlab.events.envelope import NewEvent, Position, Recorded, StreamId, Version
from eventlab.events.registry import TypeRegistry
from eventlab.store.contract import BEGINNING, START, Any, Append, Appended, Expected
from eventlab.store.rules import (
    Place,
    StoredEvent,
    already_stored,
    check_appends,
    check_empty,
    check_expected,
    check_stream,
    gapless,
    narrows,
    recorded,
    stored,
    told_by,
    utc_now,
    within,
)
from eventlab.store.sealing import Sealing


class MemoryEventStore:
    """Keeps every promise of :class:`~eventlab.store.contract.EventStore` within one process; gone when it ends.

    Events are held as JSON, as in the other stores: what cannot be stored there is refused here too. ``sealing``, as
    there, keeps their personal fields unreadable at rest.
    """

    def __init__(
        self,
        registry: TypeRegistry = catalogue,
        clock: Callable[[], datetime] = utc_now,
        sealing: Sealing | None = None,
    ) -> None:
        self._codec = JsonCodec(registry)
        self._sealing = sealing
        self._clock = clock
        self._changed = Condition()
        self._log: list[StoredEvent] = []
        self._streams: dict[StreamId, list[StoredEvent]] = {}
        self._by_id: dict[UUID, Place] = {}

    def append(self, stream: StreamId, events: Sequence[NewEvent], expected: Expected = Any) -> Appended:
        """See :meth:`EventStore.append <eventlab.store.contract.EventStore.append>`."""
        return self.append_all([Append(stream, events, expected)])[0]

    def append_all(self, appends: Sequence[Append]) -> list[Appended]:
        """See :meth:`EventStore.append_all <eventlab.store.contract.EventStore.append_all>`."""
        check_appends(appends)
        sealed = appends if self._sealing is None else [self._sealing.seal(each) for each in appends]
        encoded = [[self._codec.encode(new.event) for new in each.events] for each in sealed]
        with self._changed:
            known = {new.id: self._by_id[new.id] for each in appends for new in each.events if new.id in self._by_id}
            if known:
                return [already_stored(each.stream, each.events, known) for each in appends]
            for each in appends:
                check_expected(each.stream, each.expected, Version(len(self._streams.get(each.stream, []))))
            now = told_by(self._clock)
            answers = [self._add(each, data, now) for each, data in zip(appends, encoded, strict=True)]
            self._changed.notify_all()
        return answers

    def _add(self, append: Append, encoded: Sequence[Encoded], now: datetime) -> Appended:
        history = self._streams.setdefault(append.stream, [])
        added = [
            stored(append.stream, Version(len(history) + n), Position(len(self._log) + n), new, data, now)
            for n, (new, data) in enumerate(zip(append.events, encoded, strict=True), start=1)
        ]
        history.extend(added)
        self._log.extend(added)
        self._by_id.update((event.id, Place(append.stream, event.version, event.position)) for event in added)
        return Appended(tuple(event.version for event in added), tuple(event.position for event in added))

    def read(
        self,
        stream: StreamId,
        after: Version = START,
        until: Version | None = None,
        *,
        backwards: bool = False,
        types: Collection[type] = (),
        since: datetime | None = None,
        before: datetime | None = None,
    ) -> Iterator[Recorded]:
        """See :meth:`EventStore.read <eventlab.store.contract.EventStore.read>`."""
        check_stream(stream)
        wanted = narrows(types, since, before, self._codec.registry)
        return self._recorded(self._streams.get(stream, [])[_span(after, until)], backwards, wanted)

    def read_all(
        self,
        after: Position = BEGINNING,
        until: Position | None = None,
        *,
        backwards: bool = False,
        types: Collection[type] = (),
        since: datetime | None = None,
        before: datetime | None = None,
    ) -> Iterator[Recorded]:
        """See :meth:`EventStore.read_all <eventlab.store.contract.EventStore.read_all>`."""
        return self._recorded(
            self._log[_span(after, until)], backwards, narrows(types, since, before, self._codec.registry)
        )

    def read_stored(self, after: Position = BEGINNING, until: Position | None = None) -> Iterator[StoredEvent]:
        """As :meth:`read_all`, each event as it is stored: what copies of the store must not change."""
        return iter(self._log[_span(after, until)])

    def restore(self, events: Iterable[StoredEvent]) -> int:
        """Put back what :meth:`read_stored` gave, all or nothing; how many events. Raises StoreError unless empty.

        Here positions have no gaps: StoreError for events with other positions, too.
        """
        with self._changed:
            check_empty(len(self._log))
            found = list(gapless(events))
            for each in found:
                self._streams.setdefault(each.stream, []).append(each)
            self._log.extend(found)
            self._by_id.update((each.id, Place(each.stream, each.version, each.position)) for each in found)
            self._changed.notify_all()
            return len(found)

    def load(self, stream: StreamId, after: Version = START) -> tuple[list[object], Version]:
        """See :meth:`EventStore.load <eventlab.store.contract.EventStore.load>`."""
        found = list(self.read(stream, after))
        return [each.event for each in found], found[-1].version if found else after

    def follow(
        self, after: Position = BEGINNING, idle: float | None = None
    ) -> Generator[Sequence[Recorded], None, None]:
        """See :meth:`EventStore.follow <eventlab.store.contract.EventStore.follow>`."""
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: len(self._log) > after, timeout=idle):  # noqa: B023
                    return
            for each in self.read_all(after):  # singly: what cannot be decoded comes after those before it
                after = each.position
                yield [each]

    def subscribe(self, after: Position = BEGINNING, idle: float | None = None) -> Generator[Recorded, None, None]:
        """See :meth:`EventStore.subscribe <eventlab.store.contract.EventStore.subscribe>`."""
        for page in self.follow(after, idle):
            yield from page

    def head(self) -> Position:
        """See :meth:`EventStore.head <eventlab.store.contract.EventStore.head>`."""
        return Position(len(self._log))

    def close(self) -> None:
        """Nothing to let go of."""

    def _recorded(
        self, events: Sequence[StoredEvent], backwards: bool, wanted: Callable[[StoredEvent], bool]
    ) -> Iterator[Recorded]:
        events = events[::-1] if backwards else events
        return (recorded(event, self._codec, self._sealing) for event in events if wanted(event))


def _span(after: int, until: int | None) -> slice:
    return slice(within(after), None if until is None else within(until))
