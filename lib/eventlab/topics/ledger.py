"""Which events a view has applied: what came before is not applied again, and what is missing is noticed."""

from collections.abc import Iterable
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from eventlab.events.envelope import Recorded, StreamId, Version
from eventlab.store.contract import START
from eventlab.topics.books import Books
from eventlab.topics.errors import OutOfPlace
from eventlab.views import View


class Ledger:
    """The ledger of one version of a view, within the transaction that moves its checkpoint, for one partition."""

    def __init__(self, connection: Connection, books: Books, view: View, partition: int) -> None:
        self._connection, self._books, self._partition = connection, books, partition
        self._this = {"view": view.name, "version": view.version}
        self._asked: set[UUID] = set()
        self._seen: set[UUID] = set()
        self._last: dict[StreamId, Version] = {}
        self._lane: dict[StreamId, int] = {}
        self._new: list[UUID] = []
        self._moved: set[StreamId] = set()

    def load(self, events: Iterable[Recorded]) -> None:
        """Look up what is known of these events and their streams, all at once."""
        events = list(events)
        ids = {each.id for each in events} - self._asked
        streams = {str(each.stream): each.stream for each in events if each.stream not in self._last}
        seen, known = self._books.seen, self._books.streams
        if ids:
            query = select(seen.c.id).filter_by(**self._this).where(seen.c.id.in_(ids))
            self._seen.update(self._connection.execute(query).scalars())
            self._asked |= ids
        if streams:
            for stream in streams.values():
                self._last[stream], self._lane[stream] = START, self._partition
            found = select(known.c.stream, known.c.last, known.c.lane).filter_by(**self._this)
            for name, last, lane in self._connection.execute(found.where(known.c.stream.in_(streams))):
                self._last[streams[name]], self._lane[streams[name]] = Version(last), lane

    def admit(self, recorded: Recorded) -> Recorded | None:
        """The event with its version, or None when it was applied before. Raises OutOfPlace."""
        stream, last = recorded.stream, self._last[recorded.stream]
        if self._lane[stream] != self._partition:
            raise OutOfPlace(
                f"{stream} was in partition {self._lane[stream]} and goes on in partition {self._partition}, so its "
                "order is lost: were partitions added, or does another client choose them otherwise?"
            )
        if recorded.id in self._seen:
            return None
        if recorded.version == START:
            return replace(recorded, version=Version(last + 1))
        if recorded.version <= last:
            raise OutOfPlace(
                f"{stream} is at version {last}, and another event claims version {recorded.version}: were there two "
                "writers?"
            )
        if recorded.version > last + 1:
            raise OutOfPlace(f"{stream} is at version {last}, and version {recorded.version} comes next: what between?")
        return recorded

    def note(self, recorded: Recorded) -> None:
        """It was applied."""
        self._last[recorded.stream] = recorded.version
        self._moved.add(recorded.stream)
        self._seen.add(recorded.id)
        self._new.append(recorded.id)

    def note_again(self, recorded: Recorded) -> None:
        """It came again. Where versions are counted, each record counts: so does everybody who reads the topic."""
        if recorded.version == START:
            self._last[recorded.stream] = Version(self._last[recorded.stream] + 1)
            self._moved.add(recorded.stream)

    def flush(self) -> None:
        """Write what was noted."""
        if self._new:
            self._connection.execute(insert(self._books.seen), [{**self._this, "id": each} for each in self._new])
            self._new = []
        if self._moved:
            dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
            put = dialect.insert(self._books.streams)
            put = put.on_conflict_do_update(
                index_elements=self._books.streams.primary_key, set_={"last": put.excluded.last}
            )
            rows = [
                {**self._this, "stream": str(each), "lane": self._partition, "last": self._last[each]}
                for each in sorted(self._moved)  # in one order, so that two partitions cannot deadlock
            ]
            self._connection.execute(put, rows)
            self._moved = set()
