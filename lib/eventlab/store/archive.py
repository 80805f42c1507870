"""The archive: all events of a store as Parquet files by the time at which they were recorded, and back.

What counts is what the manifest names. Files are written under another name, synced, renamed, and only then named in a
new manifest, which takes the place of the old one in one step; whoever is stopped in between has lost some work, and
the archive is whole up to the position that its manifest gives. See docs/decisions/archive.md.
"""

import errno
import hashlib
import heapq
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Literal, Protocol, TypeVar, get_args
from uuid import UUID

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from eventlab.events.catalogue import registry as catalogue
from eventlab.events.codec import JsonCodec
from eventlab.events.envelope import Position, Recorded, Version
from eventlab.events.registry import TypeRegistry
from eventlab.store.contract import BEGINNING, EventStore, StoreError
from eventlab.store.parquet import SCHEMA, batch, batch_of_rows
from eventlab.store.parquet import events as events_of
from eventlab.store.rules import LAST, StoredEvent, recorded
from eventlab.store.sealing import Sealing
from eventlab.store.sql import SqlEventStore

By = Literal["month", "day"]

_MANIFEST = "manifest.json"
_FORMAT = 1
_BATCH = 4_096  # events in memory as Python objects: with more of them at once, the garbage collector takes its part
_ROW_GROUP = 65_536  # events in memory as columns: some ten megabytes for each open file, and what engines like to read
_CHUNK = 16 * _ROW_GROUP  # events between two manifests: what a run that is stopped has to write again at most
# A run that meets more periods than this at once (clocks that jump) closes a file and begins another one later.
_OPEN_FILES = 4
_OURS = re.compile(r"(month|day)=[0-9-]+/\d+(\.part|-\d+\.parquet)")

_CURES = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "your quota is used up; free some space",
    errno.EACCES: "you may not write there; change its rights, or use another directory",
    errno.EPERM: "you may not write there; change its rights, or use another directory",
    errno.EFBIG: "the file is larger than this user or this disk may have; raise the limit, or use another disk",
    errno.EROFS: "it is read-only; use another directory",
    errno.EEXIST: "there is a file of that name; use another directory",
    errno.ENOTDIR: "a part of the path is a file; use another directory",
}


class ArchiveError(StoreError):
    """An archive that cannot be written or trusted: what, which file, and what to do."""


class Part(msgspec.Struct, frozen=True):
    """One file: events of one period, in the order of their positions, from ``first`` to ``last``."""

    file: str
    events: int
    first: int
    last: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an archive consists of: all events up to the position ``until``; ``last`` is the id of the one there."""

    by: By
    parts: tuple[Part, ...] = ()
    until: int = 0
    last: UUID | None = None
    finished: bool = False
    format: int = _FORMAT


class Source(EventStore, Protocol):
    """A store that gives its events as they are stored, and takes them back: all stores of this library do."""

    def read_stored(self, after: Position = BEGINNING, until: Position | None = None) -> Iterator[StoredEvent]:
        """As ``read_all``, still encoded."""
        ...

    def restore(self, events: Iterable[StoredEvent]) -> int:
        """Put them into the empty store; how many."""
        ...


class Archive:
    """An archive that is there. ``until`` is the position up to which it has all events.

    Raises ArchiveError when ``directory`` holds none, or its manifest is damaged. All files that a call needs have to
    be there when it begins, and each has to have its checksum before its first event comes.
    """

    def __init__(
        self, directory: str | Path, registry: TypeRegistry = catalogue, sealing: Sealing | None = None
    ) -> None:
        self.directory = Path(directory)
        self._codec, self._sealing = JsonCodec(registry), sealing
        found = _manifest(self.directory)
        if found is None:
            raise ArchiveError(
                f"{self.directory} holds no archive that was ever finished: there is no {_MANIFEST}; "
                "write it (again): `eventlab archive write`"
            )
        self.manifest = found

    @property
    def until(self) -> Position:
        """The position of the last event; 0 for an archive of an empty store."""
        return Position(self.manifest.until)

    @property
    def finished(self) -> bool:
        """Whether it has all that the store had when the last run began."""
        return self.manifest.finished

    @property
    def events(self) -> int:
        """How many events there are."""
        return sum(part.events for part in self.manifest.parts)

    def read_stored(self, after: Position = BEGINNING, until: Position | None = None) -> Iterator[StoredEvent]:
        """The events with ``after < position <= until`` as they were stored, in order; data as text."""
        last = LAST if until is None else until
        parts = [part for part in self.manifest.parts if part.last > after and part.first <= last]
        for part in parts:
            self._path(part)
        found = chain.from_iterable(
            heapq.merge(*map(self._events, some), key=_position) for some in _overlapping(parts)
        )
        return (each for each in found if after < each.position <= last)

    def read_all(self, after: Position = BEGINNING, until: Position | None = None) -> Iterator[Recorded]:
        """As a store's ``read_all``."""
        return (recorded(each, self._codec, self._sealing) for each in self.read_stored(after, until))

    def check(self) -> None:
        """Read everything, so that damage shows before it matters. Raises ArchiveError, naming the first bad file."""
        for part in self.manifest.parts:
            found, first, last = 0, None, BEGINNING
            for each in self._events(part):
                if each.position <= last:
                    raise self._bad(part, f"its positions go back at {each.position}")
                found, first, last = found + 1, first or each.position, each.position
            if (found, first, last) != (part.events, part.first, part.last):
                raise self._bad(part, f"it has {found} events from {first} to {last}, which is not what was written")

    def _path(self, part: Part) -> Path:
        path = self.directory / part.file
        if not path.is_file():
            raise self._bad(part, "it is missing")
        return path

    def _events(self, part: Part) -> Iterator[StoredEvent]:
        path = self._path(part)
        with _telling(path, "read it again"):
            if _sha256(path) != part.sha256:
                raise self._bad(part, "it is not the file that was written (its checksum is another one)")
            try:
                with pq.ParquetFile(path) as file:
                    for columns in file.iter_batches(_BATCH):
                        yield from events_of(columns)
            except (pa.ArrowException, KeyError, ValueError, TypeError, msgspec.MsgspecError) as error:
                raise self._bad(part, f"it does not hold events ({error})") from error

    def _bad(self, part: Part, why: str) -> ArchiveError:
        return ArchiveError(
            f"{self.directory / part.file} cannot be used: {why}; bring it back from a copy of the archive, or remove "
            "the archive and write it again if the store still has all events"
        )


def archive(store: Source, directory: str | Path, by: By = "month") -> Archive:
    """Bring the archive in ``directory`` up to date with ``store``; what is there already stays as it is.

    Files are partitioned by ``by`` of the recorded time (UTC), in a layout that Hive, DuckDB, Polars and Spark know.
    Whatever a run that was stopped has left behind is cleared up first. One run at a time.
    Raises ArchiveError, what the store raises, and ValueError for another ``by``; the archive is then whole up to the
    position that its manifest names.
    """
    if by not in get_args(By):
        raise ValueError(f"an archive is partitioned by month or day, not by {by!r}")
    place = Path(directory)
    with _telling(place, "run it again: it goes on where it stopped"):
        manifest = _begin(place, by)
        _check_seam(manifest, store, place)
        _clear_up(place, manifest)
        _put_manifest(place, manifest)
        rest = _columns(store, Position(manifest.until), _last_versions(place, manifest, store))
        for first in rest:
            manifest = _write_chunk(place, manifest, chain([first], rest))
        _put_manifest(place, msgspec.structs.replace(manifest, finished=True))
    return Archive(place)


def restore(source: Archive, store: Source) -> int:
    """Put all events of the archive into an empty store, each at its place; how many there were.

    All or nothing (except on Kafka). Raises ArchiveError, also for an archive whose last run was stopped, and
    StoreError when the store cannot take them.
    """
    if not source.finished:
        raise ArchiveError(
            f"{source.directory} is half-written: the run that wrote it was stopped after position {source.until}, and "
            "the store had more; write it again, which goes on there, then restore it"
        )
    return store.restore(source.read_stored())


def replay(source: Archive, store: Source, after: Position = BEGINNING) -> Iterator[Recorded]:
    """Archive and store as one sequence: up to ``source.until`` from the archive, from there on from the store.

    The store may have lost what is archived, by design or not: versions go on where the archive has them. Raises
    ArchiveError when the two do not fit together.
    """
    _check_seam(source.manifest, store, source.directory)
    last = _last_versions(source.directory, source.manifest, store)
    if last is None:
        return chain(source.read_all(after), store.read_all(after=Position(max(after, source.until))))
    rest = (_numbered(each, last) for each in store.read_all(after=source.until))
    return chain(source.read_all(after), (each for each in rest if each.position > after))


def _last_versions(place: Path, manifest: Manifest, store: Source) -> dict[str, int] | None:
    """The last archived version of each stream, when ``store`` no longer begins at the beginning; else None.

    A Kafka log has no versions, its readers count; behind a lost beginning they would begin again at 1.
    """
    if not manifest.until or next(store.read_stored(until=Position(1)), None) is not None:
        return None
    last: dict[str, int] = {}
    for part in manifest.parts:
        table = pq.read_table(place / part.file, columns=["stream", "version"], partitioning=None)
        for stream, version in zip(*table.group_by("stream").aggregate([("version", "max")]).columns, strict=True):
            last[stream.as_py()] = max(version.as_py(), last.get(stream.as_py(), 0))
    return last


_Event = TypeVar("_Event", StoredEvent, Recorded)


def _numbered(event: _Event, last: dict[str, int] | None) -> _Event:
    """The event with the version that follows the last one of its stream, and that noted; as it is without ``last``."""
    if last is None:
        return event
    stream = str(event.stream)
    last[stream] = version = Version(last.get(stream, 0) + 1)
    if isinstance(event, Recorded):
        return msgspec.structs.replace(event, version=version)
    return event._replace(version=version)


def _check_seam(manifest: Manifest, store: Source, place: Path) -> None:
    """Raises ArchiveError when ``store`` is not the one whose first events ``manifest`` names."""
    until = Position(manifest.until)
    if not until:
        return
    there = next(store.read_stored(Position(until - 1), until), None)
    if there is not None and there.id != manifest.last:
        raise ArchiveError(
            f"{place} is the archive of another store: at position {until} it ends with the event {manifest.last}, and "
            f"this store has {there.id} there; nothing was changed; give another directory, or the right store"
        )
    if there is None and store.head() < until:
        raise ArchiveError(
            f"{place} goes up to position {until}, and this store ends at {store.head()}: it is another one, or was "
            "brought back from an older copy; nothing was changed"
        )


# -- writing --------------------------------------------------------------------------------------------------------


class _File:
    """A file that is being written, under a name that no reader looks for."""

    def __init__(self, place: Path, period: str, first: int) -> None:
        self._place, self._period = place, period
        self.first, self.last, self.events = first, first, 0
        self._path = place / period / f"{first:015d}.part"
        self._path.parent.mkdir(exist_ok=True)
        self._writer = pq.ParquetWriter(self._path, SCHEMA, compression="zstd")
        self._waiting: list[pa.RecordBatch] = []

    def write(self, some: pa.RecordBatch) -> None:
        """Add events that come after those that are there."""
        self._waiting.append(some)
        self.last = some["position"][-1].as_py()
        self.events += some.num_rows
        if sum(each.num_rows for each in self._waiting) >= _ROW_GROUP:
            self._write_row_group()

    def _write_row_group(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._writer.write_table(pa.Table.from_batches(waiting))

    def close(self) -> None:
        """Let go of the file, finished or not."""
        self._writer.close()

    def finish(self) -> Part:
        """Give it its name."""
        self._write_row_group()
        self.close()
        _sync(self._path)
        name = f"{self._period}/{self.first:015d}-{self.last:015d}.parquet"
        part = Part(name, self.events, self.first, self.last, _sha256(self._path))
        self._path.replace(self._place / name)
        _sync(self._path.parent)
        return part


def _columns(store: Source, after: Position, last: dict[str, int] | None) -> Iterator[pa.RecordBatch]:
    """All events after a position, numbered on from ``last``. Raises Unreadable for one that is damaged."""
    if isinstance(store, SqlEventStore):
        for page in store.stored_rows(after):
            try:
                yield batch_of_rows(page)
            except (ValueError, pa.ArrowException):
                yield batch(list(store.read_stored(after, page[-1][2])))  # slower, and says which event it is
            after = page[-1][2]
        return
    rest = (_numbered(each, last) for each in store.read_stored(after=after))
    while some := list(islice(rest, _BATCH)):
        yield batch(some)


def _write_chunk(place: Path, manifest: Manifest, rest: Iterable[pa.RecordBatch]) -> Manifest:
    """The manifest with the next events of ``rest``, so many as a chunk has; it is in force when this returns."""
    before = manifest
    opened: dict[str, _File] = {}  # the one that was written to last comes last
    finished: list[Part] = []
    written = 0
    try:
        for some in rest:
            for period, own in _by_period(some, manifest.by):
                file = opened.pop(period, None) or _File(place, period, own["position"][0].as_py())
                opened[period] = file
                file.write(own)
                if len(opened) > _OPEN_FILES:
                    finished.append(opened.pop(next(iter(opened))).finish())
            manifest = msgspec.structs.replace(
                manifest, until=some["position"][-1].as_py(), last=some["id"][-1].as_py()
            )
            written += some.num_rows
            if written >= _CHUNK:
                break
        finished += [file.finish() for file in opened.values()]
    finally:
        for file in opened.values():
            with suppress(OSError, pa.ArrowException):
                file.close()
    parts = sorted([*manifest.parts, *finished], key=lambda part: part.first)
    if _manifest(place) != before:
        raise ArchiveError(f"{place}: another run has written to this archive meanwhile; run one at a time")
    grown = msgspec.structs.replace(manifest, parts=tuple(parts))
    _put_manifest(place, grown)
    return grown


def _by_period(some: pa.RecordBatch, by: By) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The events of each period, in their order; mostly all are of one."""
    times = some["recorded_time"]
    ends = pc.min_max(times).as_py()
    if (period := _period(ends["min"], by)) == _period(ends["max"], by):
        yield period, some
        return
    periods = pa.array([_period(time, by) for time in times.to_pylist()])
    for period in periods.unique().to_pylist():
        yield period, some.filter(pc.equal(periods, period))


def _period(time: datetime, by: By) -> str:
    day = f"-{time.day:02}" if by == "day" else ""
    return f"{by}={time.year:04}-{time.month:02}{day}"


def _begin(place: Path, by: By) -> Manifest:
    """The manifest to go on from, in a directory that holds nothing else. Raises ArchiveError."""
    place.mkdir(parents=True, exist_ok=True)
    manifest = _manifest(place)
    if manifest is None:
        folders = {path.parent for path in _ours(place)}
        others = [path for path in place.iterdir() if path not in folders and not path.name.startswith(_MANIFEST)]
        if others:
            raise ArchiveError(f"{place} is not empty ({others[0].name}), and no archive; give a directory of its own")
        return Manifest(by)
    if manifest.by != by:
        raise ArchiveError(f"{place} is partitioned by {manifest.by}, not by {by}; go on so, or use another directory")
    return msgspec.structs.replace(manifest, finished=False)


def _ours(place: Path) -> list[Path]:
    return [path for path in place.glob("*/*") if _OURS.fullmatch(path.relative_to(place).as_posix())]


def _clear_up(place: Path, manifest: Manifest) -> None:
    """Remove what a run that was stopped has left behind: others may read all files in sight."""
    named = {part.file for part in manifest.parts}
    for path in _ours(place):
        if path.relative_to(place).as_posix() not in named:
            path.unlink()


def _manifest(place: Path) -> Manifest | None:
    path = place / _MANIFEST
    with _telling(path, "try again"):
        try:
            return _checked(path, msgspec.json.decode(path.read_bytes(), type=Manifest))
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ArchiveError(f"{path} is damaged ({error}); bring it back from a copy of the archive") from error


def _checked(path: Path, manifest: Manifest) -> Manifest:
    if manifest.format != _FORMAT:
        raise ArchiveError(f"{path} is of format {manifest.format}, and this program reads {_FORMAT}; use a newer one")
    wrong = next((part.file for part in manifest.parts if not _OURS.fullmatch(part.file)), None)
    if wrong is not None:
        raise ArchiveError(f"{path} is damaged (it names {wrong!r}); bring it back from a copy of the archive")
    return manifest


def _put_manifest(place: Path, manifest: Manifest) -> None:
    path, draft = place / _MANIFEST, place / f"{_MANIFEST}.part"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    _sync(draft)
    draft.replace(path)
    _sync(place)


def _sync(path: Path) -> None:
    """Have the disk take it. Not every system can do that for a directory."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        if not path.is_dir():
            raise
    finally:
        os.close(handle)


# -- reading --------------------------------------------------------------------------------------------------------


def _overlapping(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """The parts in groups, each to be merged: between two groups no positions overlap."""
    group: list[Part] = []
    last = 0
    for part in parts:
        if group and part.first > last:
            yield group
            group = []
        group.append(part)
        last = max(last, part.last)
    if group:
        yield group


def _position(event: StoredEvent) -> Position:
    return event.position


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _telling(place: Path, then: str) -> Iterator[None]:
    """Turns what the disk says into ArchiveError."""
    try:
        yield
    except OSError as error:
        cure = _CURES.get(error.errno or 0, "check the disk")
        raise ArchiveError(f"{error.filename or place}: {cure}, and {then} ({error.strerror or error})") from error
