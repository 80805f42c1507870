"""Snapshots: what a stream amounted to at a version, so that a load begins there. Events always have the last word."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar, get_args, get_origin
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from eventlab.domain.decider import Decider
from eventlab.events.catalogue import registry as catalogue
from eventlab.events.envelope import Recorded, StreamId, Version
from eventlab.events.errors import Unreadable, Unwritable
from eventlab.events.registry import TypeRegistry
from eventlab.store.contract import START, EventStore, StoreError
from eventlab.store.driver import Driver
from eventlab.store.fingerprint import fingerprint
from eventlab.store.sql import SqlEventStore
from eventlab.store.tables import create
from eventlab.store.trouble import told_plainly

State = TypeVar("State")

# Of the order of the break-even in benchmarks/results/snapshots.json: a tail that is never felt. Measure your own fold.
EVERY = 100


class Snapshot(msgspec.Struct, frozen=True):
    """The state of ``stream`` after ``version`` as JSON, and all that is needed to know whether it can be trusted.

    ``event`` is the id of the last event that is folded in: with another one at that place it is another history.
    ``fold`` is the :func:`~eventlab.store.fingerprint.fingerprint` of what made it.
    """

    stream: StreamId
    version: Version
    event: UUID
    fold: str
    state: str
    checksum: str

    def sum(self) -> str:
        """What the checksum has to be."""
        said = (str(self.stream), str(self.version), self.event.hex, self.fold, self.state)
        return sha256("\n".join(said).encode()).hexdigest()


class Loaded(NamedTuple, Generic[State]):
    """A state, the version of its stream, and how it came about.

    ``snapshot`` is the version at which the fold began (0 without a snapshot), ``folded`` the number of events that
    were folded, ``trouble`` why a snapshot was ignored or could not be kept (empty: nothing was wrong).
    """

    state: State
    version: Version
    snapshot: Version
    folded: int
    trouble: str


class Verified(NamedTuple):
    """A snapshot compared with the fold of all events up to its version; ``trouble`` is empty when it is right."""

    stream: StreamId
    version: Version
    trouble: str


class Snapshots(ABC):
    """Keeps snapshots of folds, beside the events and never in their place.

    Whoever had to fold ``every`` events or more keeps a snapshot of the result. A snapshot of another fold is not
    found; one that is damaged, ahead of its stream, or of another history is ignored and dropped. ``registry`` is that
    of the store, for its upcasters; ``revision`` is for changes that the fingerprint of the fold cannot see.
    """

    def __init__(self, every: int = EVERY, registry: TypeRegistry = catalogue, revision: int = 1) -> None:
        if every < 1:
            raise ValueError(f"a snapshot is kept every 1 event or more, not every {every}")
        self.every, self._registry, self._revision = every, registry, revision
        self._folds: dict[int, _Fold] = {}

    # -- where they are kept ------------------------------------------------------------------------------------

    @abstractmethod
    def find(self, stream: StreamId, fold: str) -> Snapshot | None:
        """The snapshot that this fold has of ``stream``."""

    @abstractmethod
    def put(self, snapshot: Snapshot) -> None:
        """Keep it in place of the one that its fold has of its stream."""

    @abstractmethod
    def delete(self, stream: StreamId) -> None:
        """Drop all snapshots of ``stream``: what erases its events has to erase them, too."""

    @abstractmethod
    def streams(self, fold: str) -> list[StreamId]:
        """The streams of which this fold has a snapshot, in the order of their names."""

    @abstractmethod
    def keep_only(self, folds: Collection[str]) -> int:
        """Drop the snapshots of all other folds, once no program uses those any more; how many there were."""

    # -- what they are for --------------------------------------------------------------------------------------

    def fold(self, decider: Decider[Any, Any, Any]) -> str:
        """The fingerprint under which the snapshots of ``decider`` are kept."""
        return self._fold(decider).name

    def load(self, store: EventStore, decider: Decider[State, Any, Any], stream: StreamId) -> Loaded[State]:
        """What ``stream`` amounts to: its snapshot and the events since, or all events.

        Raises what the store raises. Trouble with the snapshot itself is a RuntimeWarning: the state is right, it took
        longer.
        """
        fold = self._fold(decider)
        try:
            loaded = _since_snapshot(store, fold, stream, self.find(stream, fold.name))
        except (Unreadable, StoreError) as error:
            warnings.warn(f"{stream}: its snapshot is ignored, all events are folded: {error}", RuntimeWarning, 2)
            loaded = _from_the_first(store, decider, stream)._replace(trouble=str(error))
            if isinstance(error, Unreadable):
                self._tolerant(stream, lambda: self.delete(stream))
        if loaded.folded >= self.every:
            kept = self._tolerant(stream, lambda: self._take(store, fold, stream, loaded.version, loaded.state))
            loaded = loaded._replace(trouble=loaded.trouble or kept)
        return loaded

    def take(self, store: EventStore, decider: Decider[Any, Any, Any], stream: StreamId) -> Snapshot:
        """Keep a snapshot of ``stream`` now, made from all its events.

        Raises LookupError when the stream has no events, Unwritable when the state cannot be kept as JSON.
        """
        loaded = _from_the_first(store, decider, stream)
        if not loaded.version:
            raise LookupError(f"{stream} has no events: there is nothing to keep a snapshot of")
        return self._take(store, self._fold(decider), stream, loaded.version, loaded.state)

    def state(self, decider: Decider[State, Any, Any], snapshot: Snapshot) -> State:
        """What ``snapshot`` of this decider holds. Raises Unreadable when it is damaged."""
        state: State = self._fold(decider).state(snapshot)
        return state

    def verify(self, store: EventStore, decider: Decider[Any, Any, Any], stream: StreamId) -> Verified:
        """The snapshot of ``stream`` compared with the fold of its events, from the first one on.

        Raises LookupError when there is no snapshot.
        """
        fold = self._fold(decider)
        snapshot = self.find(stream, fold.name)
        if snapshot is None:
            raise LookupError(f"{stream} has no snapshot of this fold")
        trouble = ""
        try:
            _check_history(store, snapshot)
            events = (recorded.event for recorded in store.read(stream, until=snapshot.version))
            right, kept = decider.fold(events), fold.state(snapshot)
            if kept != right:
                trouble = f"the snapshot says {kept}, the events say {right}"
        except Unreadable as error:
            trouble = str(error)
        return Verified(stream, snapshot.version, trouble)

    def _take(self, store: EventStore, fold: "_Fold", stream: StreamId, version: Version, state: object) -> Snapshot:
        last = next(iter(store.read(stream, after=Version(version - 1), until=version)))
        snapshot = fold.snapshot(last, state)
        self.put(snapshot)
        return snapshot

    def _tolerant(self, stream: StreamId, change: Callable[[], object]) -> str:
        """Change what is kept; a failure costs the next load some time, and nothing else."""
        try:
            change()
        except (StoreError, Unwritable) as error:
            warnings.warn(f"{stream}: no snapshot was kept, the next load takes longer: {error}", RuntimeWarning, 4)
            return str(error)
        return ""

    def _fold(self, decider: Decider[Any, Any, Any]) -> "_Fold":
        found = self._folds.get(id(decider))
        if found is None or found.decider is not decider:
            found = self._folds[id(decider)] = _Fold(decider, fingerprint(decider, self._registry, self._revision))
        return found


class MemorySnapshots(Snapshots):
    """Snapshots that are gone with the program."""

    def __init__(self, every: int = EVERY, registry: TypeRegistry = catalogue, revision: int = 1) -> None:
        super().__init__(every, registry, revision)
        self._kept_ones: dict[tuple[StreamId, str], Snapshot] = {}

    def find(self, stream: StreamId, fold: str) -> Snapshot | None:
        """See :meth:`Snapshots.find`."""
        return self._kept_ones.get((stream, fold))

    def put(self, snapshot: Snapshot) -> None:
        """See :meth:`Snapshots.put`."""
        self._kept_ones[snapshot.stream, snapshot.fold] = snapshot

    def delete(self, stream: StreamId) -> None:
        """See :meth:`Snapshots.delete`."""
        self._kept_ones = {key: kept for key, kept in list(self._kept_ones.items()) if key[0] != stream}

    def streams(self, fold: str) -> list[StreamId]:
        """See :meth:`Snapshots.streams`."""
        return sorted((stream for stream, of in list(self._kept_ones) if of == fold), key=str)

    def keep_only(self, folds: Collection[str]) -> int:
        """See :meth:`Snapshots.keep_only`."""
        before = len(self._kept_ones)
        self._kept_ones = {key: kept for key, kept in list(self._kept_ones.items()) if key[1] in folds}
        return before - len(self._kept_ones)


def _table(schema: str | None) -> Table:
    return Table(
        "snapshots",
        MetaData(schema=schema),
        Column("stream", Text, primary_key=True),
        Column("fold", Text, primary_key=True),
        Column("version", BigInteger, nullable=False),
        Column("event", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("checksum", Text, nullable=False),
    )


class SqlSnapshots(Snapshots):
    """Snapshots in a table beside the events of ``store``, in its database and schema; made when it is not there.

    Raises Unavailable when the database cannot be used.
    """

    def __init__(
        self, store: SqlEventStore, every: int = EVERY, registry: TypeRegistry = catalogue, revision: int = 1
    ) -> None:
        super().__init__(every, registry, revision)
        where = store.engine.url.render_as_string(hide_password=True)
        self._driver = Driver(store.engine, where)
        table = _table(store.schema)
        with told_plainly(where):
            create(store.engine, table)
        name = store.engine.dialect.identifier_preparer.format_table(table)
        self._find = f"SELECT version, event, state, checksum FROM {name} WHERE stream = :stream AND fold = :fold"
        self._put = (
            f"INSERT INTO {name} (stream, fold, version, event, state, checksum) "
            "VALUES (:stream, :fold, :version, :event, :state, :checksum) ON CONFLICT (stream, fold) DO UPDATE SET "
            "version = excluded.version, event = excluded.event, state = excluded.state, checksum = excluded.checksum"
        )
        self._delete = f"DELETE FROM {name} WHERE stream = :stream"
        self._streams = f"SELECT stream FROM {name} WHERE fold = :fold"
        self._folds_kept = f"SELECT DISTINCT fold FROM {name}"
        self._drop = f"DELETE FROM {name} WHERE fold = :fold"

    def find(self, stream: StreamId, fold: str) -> Snapshot | None:
        """See :meth:`Snapshots.find`. Raises Unreadable for a row that is none."""
        for version, event, state, checksum in self._driver.rows(self._find, stream=str(stream), fold=fold):
            try:
                return Snapshot(stream, Version(version), UUID(event), fold, str(state), checksum)
            except (ValueError, TypeError) as error:
                raise Unreadable(f"the row of its snapshot is damaged ({error})") from error
        return None

    def put(self, snapshot: Snapshot) -> None:
        """See :meth:`Snapshots.put`."""
        self._execute(
            self._put,
            stream=str(snapshot.stream),
            fold=snapshot.fold,
            version=snapshot.version,
            event=str(snapshot.event),
            state=snapshot.state,
            checksum=snapshot.checksum,
        )

    def delete(self, stream: StreamId) -> None:
        """See :meth:`Snapshots.delete`."""
        self._execute(self._delete, stream=str(stream))

    def streams(self, fold: str) -> list[StreamId]:
        """See :meth:`Snapshots.streams`."""
        return [StreamId.parse(name) for name in sorted(row[0] for row in self._driver.rows(self._streams, fold=fold))]

    def keep_only(self, folds: Collection[str]) -> int:
        """See :meth:`Snapshots.keep_only`."""
        others = {row[0] for row in self._driver.rows(self._folds_kept)} - set(folds)
        return sum(self._execute(self._drop, fold=fold) for fold in others)

    def _execute(self, statement: str, **parameters: Any) -> int:
        # Twice is once.
        return self._driver.again(lambda cursor: int(cursor.execute(self._driver.sql(statement), parameters).rowcount))


class _Fold:
    """A decider, the name of its fold, and its state as JSON and back."""

    def __init__(self, decider: Decider[Any, Any, Any], name: str) -> None:
        self.decider, self.name = decider, name
        self._state = type(decider.initial)
        self._encode = msgspec.json.Encoder(enc_hook=_plain).encode
        try:
            self._decode = msgspec.json.Decoder(self._state, dec_hook=_rich).decode
        except TypeError as error:
            raise Unwritable(self._refusal(error)) from error

    def snapshot(self, last: Recorded, state: object) -> Snapshot:
        """Raises Unwritable unless the state comes back from its JSON as it was."""
        try:
            text = self._encode(state).decode()
            same = self._decode(text) == state
        except (msgspec.MsgspecError, TypeError, ValueError) as error:
            raise Unwritable(self._refusal(error)) from error
        if not same:
            raise Unwritable(self._refusal("it does not come back from JSON as it was"))
        draft = Snapshot(last.stream, last.version, last.id, self.name, text, "")
        return msgspec.structs.replace(draft, checksum=draft.sum())

    def state(self, snapshot: Snapshot) -> Any:
        """Raises Unreadable when the snapshot is not what was written, or not a state of this fold."""
        if snapshot.checksum != snapshot.sum():
            raise Unreadable("the snapshot is damaged: its checksum is another one")
        try:
            return self._decode(snapshot.state)
        except (msgspec.MsgspecError, ValueError) as error:
            raise Unreadable(f"the snapshot is no {self._state.__name__}: {error}") from error

    def _refusal(self, why: object) -> str:
        cure = "" if issubclass(self._state, msgspec.Struct) else "; make the state a msgspec.Struct"
        return f"{self._state.__name__} cannot be kept as a snapshot: {why}{cure}"


def _plain(value: object) -> object:
    if isinstance(value, MappingProxyType):
        return dict(value)
    if isinstance(value, str):  # the placeholder of a subject that was forgotten, for instance
        raise TypeError(f"the {type(value).__name__} {str(value)!r} would come back as any other text")
    raise TypeError(f"JSON has nothing for a {type(value).__name__}")


def _rich(kind: Any, value: object) -> object:
    if get_origin(kind) is MappingProxyType:
        return MappingProxyType(msgspec.convert(value, dict[get_args(kind)], dec_hook=_rich))  # type: ignore[misc]
    raise TypeError(f"JSON has nothing for a {kind}")


def _from_the_first(store: EventStore, decider: Decider[State, Any, Any], stream: StreamId) -> Loaded[State]:
    events, version = store.load(stream)
    return Loaded(decider.fold(events), version, START, len(events), "")


def _since_snapshot(store: EventStore, fold: "_Fold", stream: StreamId, snapshot: Snapshot | None) -> Loaded[Any]:
    """Raises Unreadable when the snapshot cannot be trusted."""
    if snapshot is None:
        return _from_the_first(store, fold.decider, stream)
    _check_history(store, snapshot)
    events, version = store.load(stream, after=snapshot.version)  # the tail without envelopes, which is far faster
    return Loaded(fold.decider.fold(events, fold.state(snapshot)), version, snapshot.version, len(events), "")


def _check_history(store: EventStore, snapshot: Snapshot) -> None:
    """Raises Unreadable when the snapshot does not belong to the history of its stream."""
    last = next(iter(store.read(snapshot.stream, after=Version(snapshot.version - 1), until=snapshot.version)), None)
    if last is None:
        raise Unreadable(f"the snapshot is of version {snapshot.version}, and the stream does not go so far")
    if last.id != snapshot.event:
        raise Unreadable(f"the snapshot is of another history: at version {snapshot.version} stands another event")
