"""Events to JSON and back, strictly: what cannot be read back is not written, and what is corrupt is not guessed."""

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from eventlab.events.errors import UnknownSchemaVersion, Unreadable, Unwritable
from eventlab.events.registry import TypeRegistry

# An odd number of backslashes before u0000: the escape of the character NUL, not the six letters.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Encoded(NamedTuple):
    """An event as it is stored: type name, schema version and UTF-8 JSON."""

    type: str
    schema_version: int
    data: bytes


class JsonCodec:
    """The JSON form of the events of one registry, through msgspec (one decoder per class, made once).

    Fields that the class does not have are ignored, and missing fields take the class's default, so that old and new
    programs read each other's events; a missing field without a default is an error.
    """

    def __init__(self, registry: TypeRegistry) -> None:
        self.registry = registry
        self._encode = msgspec.json.Encoder().encode
        self._decoders: dict[type, msgspec.json.Decoder[Any]] = {}

    def encode(self, event: object) -> Encoded:
        """The stored form of ``event``.

        Raises UnknownEventType for an unregistered class, and Unwritable when a field holds what its declared type
        does not allow, or what JSON and the databases cannot hold (lone surrogates, the character NUL).
        """
        entry = self.registry.of_class(type(event))
        try:
            data = self._encode(event)
            self._decoder(entry.cls).decode(data)
        except (msgspec.MsgspecError, TypeError, ValueError, OverflowError) as error:
            raise Unwritable(f"{entry.name} cannot be stored: {error} in {event!r}") from error
        if b"\\u0000" in data and _NUL.search(data):
            raise Unwritable(f"{entry.name} cannot be stored: a text holds the character NUL in {event!r}")
        return Encoded(entry.name, entry.schema_version, data)

    def decode(self, type: str, schema_version: int, data: bytes | str) -> object:  # noqa: A002
        """The event stored under ``type`` and ``schema_version``.

        Raises UnknownEventType, UnknownSchemaVersion, or Unreadable with the path of the field.
        """
        reader = self._reader(type, schema_version)
        try:
            return reader(data)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise Unreadable(f"the stored data of {type} cannot be read: {error}") from error

    def decode_all(self, rows: Iterable[tuple[Any, ...]]) -> list[object]:
        """The events of rows of type, schema version and data; raises what :meth:`decode` raises."""
        readers: dict[tuple[str, int], Callable[[bytes | str], object]] = {}
        events = []
        try:
            for type_, schema_version, data in rows:
                reader = readers.get((type_, schema_version))
                if reader is None:
                    reader = readers[type_, schema_version] = self._reader(type_, schema_version)
                events.append(reader(data))
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise Unreadable(f"the stored data of {type_} cannot be read: {error}") from error
        return events

    def _reader(self, type_: str, schema_version: int) -> Callable[[bytes | str], object]:
        entry = self.registry.of_name(type_)
        if schema_version != entry.schema_version:
            raise UnknownSchemaVersion(
                f"{type_} is stored in schema version {schema_version}, but this program reads {entry.schema_version}"
            )
        return self._decoder(entry.cls).decode

    def _decoder(self, cls: type) -> msgspec.json.Decoder[Any]:
        try:
            return self._decoders[cls]
        except KeyError:
            return self._decoders.setdefault(cls, msgspec.json.Decoder(cls))
