"""Stored events as Arrow batches and back: the columns of an archive, which any analytics engine can read."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

import msgspec
import pyarrow as pa

from eventlab.events.envelope import Position, StreamId, Version
from eventlab.events.errors import Unreadable
from eventlab.store.rules import StoredEvent

_TIME = pa.timestamp("us", tz="UTC")
# ``data`` and ``metadata`` are JSON, ``data`` to the byte as the store has it.
SCHEMA = pa.schema(
    [
        pa.field("position", pa.int64(), nullable=False),
        pa.field("stream", pa.string(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("schema_version", pa.int32(), nullable=False),
        pa.field("data", pa.string(), nullable=False),
        pa.field("id", pa.uuid(), nullable=False),
        pa.field("valid_time", _TIME, nullable=False),
        pa.field("recorded_time", _TIME, nullable=False),
        pa.field("causation", pa.uuid()),
        pa.field("correlation", pa.uuid()),
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
    streams, versions, positions, types, schemas, _, ids, valid, learned, causes, conversations, told = zip(
        *events, strict=True
    )
    columns = (
        positions,
        list(map(str, streams)),
        versions,
        types,
        schemas,
        [_text(each) if isinstance(each.data, bytes) else each.data for each in events],
        [each.bytes for each in ids],
        valid,
        learned,
        [each and each.bytes for each in causes],
        [each and each.bytes for each in conversations],
        [_json.encode(each).decode() if each else _NOTHING for each in told],
    )
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _text(event: StoredEvent) -> str:
    try:
        return bytes(event.data).decode()  # type: ignore[arg-type]
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
