"""Stored events as Arrow batches and back: the columns of an archive, which any analytics engine can read."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
import pyarrow as pa

from eventlab.events.envelope import Position, StreamId, Version
from eventlab.events.errors import Unreadable
from eventlab.store.rules import StoredEvent

_TIME, _ID = pa.timestamp("us", tz="UTC"), pa.uuid()
# ``data`` and ``metadata`` are JSON, ``data`` to the byte as the store has it.
SCHEMA = pa.schema(
    [
        pa.field("position", pa.int64(), nullable=False),
        pa.field("stream", pa.string(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("schema_version", pa.int32(), nullable=False),
        pa.field("data", pa.string(), nullable=False),
        pa.field("id", _ID, nullable=False),
        pa.field("valid_time", _TIME, nullable=False),
        pa.field("recorded_time", _TIME, nullable=False),
        pa.field("causation", _ID),
        pa.field("correlation", _ID),
        pa.field("metadata", pa.string(), nullable=False),
    ]
)
_NOTHING = "{}"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_json = msgspec.json.Encoder()
_metadata = msgspec.json.Decoder(dict[str, str])
_parse = lru_cache(maxsize=4096)(StreamId.parse)


def batch(events: Sequence[StoredEvent]) -> pa.RecordBatch:
    """``events`` as columns. Raises Unreadable for data that is not UTF-8 text, naming the first such event."""
    rows = [
        (str(each.stream), *each[1:5], _text(each), *each[6:11], _json.encode(each.metadata).decode())
        for each in events
    ]
    return batch_of_rows(rows)


def batch_of_rows(rows: Sequence[tuple[Any, ...]]) -> pa.RecordBatch:
    """Rows with the fields of StoredEvent as columns: streams, data and metadata as text.

    Ids may be their bytes, and times microseconds since 1970. Raises ValueError for a row that holds no event.
    """
    values = dict(zip(StoredEvent._fields, zip(*rows, strict=True), strict=True))
    return pa.RecordBatch.from_arrays([_array(field, values[field.name]) for field in SCHEMA], schema=SCHEMA)


def _array(field: pa.Field, values: Sequence[Any]) -> pa.Array:
    if field.type == _ID:
        return pa.array([each.bytes if isinstance(each, UUID) else each for each in values], _ID)
    return pa.array(values, field.type)


def _told(metadata: Mapping[str, str]) -> str:
    return _json.encode(metadata).decode() if metadata else _NOTHING


def _text(event: StoredEvent) -> str:
    if isinstance(event.data, str):
        return event.data
    try:
        return event.data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"{event.stream} version {event.version} (position {event.position}) is not JSON: its data is not UTF-8"
        ) from error


def events(columns: pa.RecordBatch) -> Iterator[StoredEvent]:
    """The events of :func:`batch` again, in their order; data as text. Raises ValueError for what was none."""
    values = {name: _plain(columns.column(name)).to_pylist() for name in SCHEMA.names}
    for row in zip(*(values[name] for name in StoredEvent._fields), strict=True):
        stream, version, position, type_, schema, data, id_, valid, learned, cause, conversation, metadata = row
        yield StoredEvent(
            _parse(stream),
            Version(version),
            Position(position),
            type_,
            schema,
            data,
            UUID(bytes=id_),
            _EPOCH + timedelta(microseconds=valid),
            _EPOCH + timedelta(microseconds=learned),
            cause and UUID(bytes=cause),
            conversation and UUID(bytes=conversation),
            {} if metadata == _NOTHING else _metadata.decode(metadata),
        )


def _plain(column: pa.Array) -> pa.Array:
    """The column in a form that becomes Python objects quickly: bytes for UUIDs, microseconds for times."""
    if isinstance(column, pa.ExtensionArray):
        return column.storage
    return column.cast(pa.int64()) if column.type == _TIME else column
