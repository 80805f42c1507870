"""An event as a record of a topic: the key is the stream id, the value the JSON, the headers the envelope."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from confluent_kafka import Message

from eventlab.events.envelope import Position, StreamId, Version
from eventlab.events.errors import Unreadable
from eventlab.store.rules import StoredEvent

_text_headers = msgspec.json.Decoder(dict[str, str])


class Record(NamedTuple):
    """A record of a topic, free of the client that read it, so that it can be kept elsewhere."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @classmethod
    def of(cls, message: Message) -> "Record":
        """What a consumer got."""
        return cls(
            message.topic(),
            message.partition(),
            message.offset(),
            message.key(),
            message.value(),
            tuple(message.headers() or ()),
        )

    def __str__(self) -> str:
        return f"{self.topic}, partition {self.partition}, offset {self.offset}"


def key_of(stream: StreamId) -> bytes:
    """The key of all records of a stream."""
    return str(stream).encode()


def headers(event: StoredEvent) -> dict[str, str]:
    """The envelope of an event, but for its stream: that is the key of the record."""
    found = {
        "id": str(event.id),
        "type": event.type,
        "schema_version": str(event.schema_version),
        "valid_time": event.valid_time.isoformat(),
        "recorded_time": event.recorded_time.isoformat(),
    }
    if event.causation is not None:
        found["causation"] = str(event.causation)
    if event.correlation is not None:
        found["correlation"] = str(event.correlation)
    if event.metadata:
        found["metadata"] = msgspec.json.encode(event.metadata).decode()
    return found


def stored_event(record: Record, version: Version) -> StoredEvent:
    """Raises Unreadable for a record that no KafkaEventLog wrote."""
    if record.key is None or record.value is None:
        raise Unreadable(f"{record}: not an event of this log, it has no {'key' if record.key is None else 'value'}")
    try:
        envelope = {name: value.decode() for name, value in record.headers}
        return StoredEvent(
            stream=StreamId.parse(record.key.decode()),
            version=version,
            position=Position(record.offset + 1),
            type=envelope["type"],
            schema_version=int(envelope["schema_version"]),
            data=record.value,
            id=UUID(envelope["id"]),
            valid_time=datetime.fromisoformat(envelope["valid_time"]),
            recorded_time=datetime.fromisoformat(envelope["recorded_time"]),
            causation=UUID(envelope["causation"]) if "causation" in envelope else None,
            correlation=UUID(envelope["correlation"]) if "correlation" in envelope else None,
            metadata=_text_headers.decode(envelope["metadata"]) if "metadata" in envelope else {},
        )
    except (AttributeError, KeyError, ValueError, msgspec.MsgspecError) as error:
        raise Unreadable(f"{record}: not an event of this log, its key or headers are wrong ({error!r})") from error
