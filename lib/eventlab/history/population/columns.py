"""The events of all streams of a kind as columns, read out of a store once, into memory or into a Parquet file."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from uuid import uuid4

import polars as pl
from polars.exceptions import PolarsError
from pyarrow.parquet import ParquetWriter

from eventlab.events.envelope import Position, Recorded
from eventlab.history.population.accounts import ACCOUNTS
from eventlab.history.population.carts import CARTS
from eventlab.history.population.kind import Kind
from eventlab.history.population.past import Population
from eventlab.store.contract import EventStore

# Events per row group of the file: what is in memory at a time while it is written.
_GROUP = 100_000
_KINDS = {kind.category: kind for kind in (CARTS, ACCOUNTS)}
# What the file says of itself.
_CATEGORY, _HEAD = "eventlab.category", "eventlab.head"


def read(store: EventStore, kind: Kind, file: str | Path | None = None) -> Population:
    """All events of the streams of ``kind``, up to now, as columns: in memory, or in a Parquet file of your choice.

    The store is read through once, in the order of positions. With a ``file``, memory holds one batch of events and
    what is in open carts; the file is there when it is whole, and takes the place of one that was there. It names
    customers in the clear: when one of them has to be forgotten, read the store again.
    Raises LookupError when the store has no such stream, ValueError for an event that is not of this kind, and OSError
    when the file cannot be written.
    """
    head = store.head()
    batches = _batches(store.read_all(until=head), kind)
    first = next(batches, None)
    if first is None:
        raise LookupError(f"there is no stream {kind.category}-… in this store")
    if file is None:
        return Population(kind, pl.concat([first, *batches], rechunk=True).lazy(), head)
    with _whole(Path(file)) as part, ParquetWriter(part, first.to_arrow().schema) as writer:
        writer.add_key_value_metadata({_CATEGORY: kind.category, _HEAD: str(head)})
        writer.write_table(first.to_arrow())
        for batch in batches:
            writer.write_table(batch.to_arrow())
    return open_file(file)


def open_file(file: str | Path) -> Population:
    """The population in a file that :func:`read` has written.

    Raises FileNotFoundError when it is not there, and ValueError when it is no such file, or was cut off.
    """
    try:
        said = pl.read_parquet_metadata(file)
        kind, head = _KINDS[said[_CATEGORY]], Position(int(said[_HEAD]))
        columns = pl.scan_parquet(file)
        columns.collect_schema()
    except (PolarsError, KeyError) as error:
        raise ValueError(
            f"{file} does not hold the events of a population: write it with read(store, …, file)"
        ) from error
    return Population(kind, columns, head)


def _batches(events: Iterable[Recorded], kind: Kind) -> Iterator[pl.DataFrame]:
    rows = _rows(events, kind)
    while batch := list(islice(rows, _GROUP)):
        yield pl.DataFrame(dict(zip(kind.columns, zip(*batch, strict=True), strict=True)), schema=kind.columns)


def _rows(events: Iterable[Recorded], kind: Kind) -> Iterator[tuple[object, ...]]:
    entities: dict[str, int] = {}
    values = kind.rows()
    names = {cls: cls.__name__ for cls in kind.events}
    for recorded in events:
        if recorded.stream.category != kind.category:
            continue
        stream = str(recorded.stream)
        name = names.get(type(recorded.event))
        if name is None:
            raise ValueError(
                f"{stream} version {recorded.version} is a {recorded.type}, which is not an event of a {kind.category}"
            )
        entity = entities.setdefault(stream, len(entities))
        yield (
            entity,
            stream,
            recorded.version,
            recorded.position,
            recorded.valid_time,
            recorded.recorded_time,
            name,
            *values(entity, recorded.event),
        )


@contextmanager
def _whole(file: Path) -> Iterator[Path]:
    """A file beside ``file`` that takes its place at the end, and is gone when there is no end."""
    part = file.with_name(f".{file.name}.{uuid4().hex}")
    try:
        yield part
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
