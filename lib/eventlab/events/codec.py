"""Events to JSON and back, strictly: what cannot be read back is not written, and what is corrupt is not guessed."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import msgspec

from eventlab.events import versions
from eventlab.events.errors import Unreadable, Unwritable
from eventlab.events.registry import EventType, TypeRegistry

# An odd number of backslashes before u0000: the escape of the character NUL, not the six letters.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
# What decoding raises; the last one when brackets are nested too deep.
_CORRUPT = (msgspec.MsgspecError, UnicodeError, RecursionError)


class Encoded(NamedTuple):
    """An event as it is stored: type name, schema version and UTF-8 JSON."""

    type: str
    schema_version: int
    data: bytes


class JsonCodec:
    """The JSON form of the events of one registry, through msgspec (one decoder per class, made once).

    Fields that the class does not have are ignored, and missing fields take the class's default, so that old and new
    programs read each other's events; a missing field without a default is an error. An older schema version goes
    through the upcasters of its type; what is in the newest one does not pay for them.
    """

    def __init__(self, registry: TypeRegistry) -> None:
        self.registry = registry
        self._encode = msgspec.json.Encoder().encode
        self._fields = msgspec.json.Decoder(versions.Fields).decode
        self._decoders: dict[type, msgspec.json.Decoder[Any]] = {}
        self._writers: dict[type, tuple[tuple[str, int], Callable[[object], bytes]]] = {}
        self._changes = registry.changes  # as of when _writers are

    def encode(self, event: object) -> Encoded:
        """The stored form of ``event``.

        Raises UnknownEventType for an unregistered class, and Unwritable when a field holds what its declared type
        does not allow, or what JSON and the databases cannot hold (lone surrogates, the character NUL).
        """
        type_, write = self._to_write(type(event))
        return Encoded(*type_, write(event))

    def encode_all(self, events: Iterable[object]) -> tuple[list[tuple[str, int]], list[bytes]]:
        """Type name and schema version of each of ``events``, and the data of each; raises what :meth:`encode` raises.

        No object of its own for each event: the garbage collector would look through all of them, again and again.
        """
        types, data = [], []
        for event in events:
            type_, write = self._to_write(type(event))
            types.append(type_)
            data.append(write(event))
        return types, data

    def _to_write(self, cls: type) -> tuple[tuple[str, int], Callable[[object], bytes]]:
        """Type name and schema version of a class, and what encodes its events."""
        if self._changes != self.registry.changes:
            self._writers, self._changes = {}, self.registry.changes
        writers = self._writers
        known = writers.get(cls)
        if known is None:
            entry = self.registry.of_class(cls)
            write = self._writer(entry.name, self._decoder(cls).decode)
            known = writers[cls] = (entry.name, entry.schema_version), write
        return known

    def downcast(self, event: object, schema_version: int) -> Encoded:
        """The stored form of ``event`` in an older schema version, for readers that know no newer one.

        Raises UnknownSchemaVersion when no downcasters lead there, and otherwise as :meth:`encode`: what is written
        this way can be read back here, through the upcasters.
        """
        entry = self.registry.of_class(type(event))
        steps = versions.down(entry.name, entry.schema_version, entry.downcasters, schema_version)
        newest = self._fields(self.encode(event).data)
        fields = versions.walk_down(entry.name, entry.schema_version, steps, newest)
        write = self._writer(entry.name, self._reader(entry.name, schema_version))
        return Encoded(entry.name, schema_version, write(fields))

    def _writer(self, name: str, read: Callable[[bytes], object]) -> Callable[[object], bytes]:
        """What encodes events or their fields under ``name``, once ``read`` can read them back."""
        encode = self._encode

        def write(what: object) -> bytes:
            try:
                data = encode(what)
                read(data)
            except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, Unreadable) as error:
                raise Unwritable(f"{name} cannot be stored: {error} in {what!r}") from error
            if b"\\u0000" in data and _NUL.search(data):
                raise Unwritable(f"{name} cannot be stored: a text holds the character NUL in {what!r}")
            return data

        return write

    def decode(self, type: str, schema_version: int, data: bytes | str) -> object:  # noqa: A002
        """The event stored under ``type`` and ``schema_version``.

        Raises UnknownEventType, UnknownSchemaVersion, or Unreadable with the path of the field.
        """
        reader = self._reader(type, schema_version)
        try:
            return reader(data)
        except _CORRUPT as error:
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
        except _CORRUPT as error:
            raise Unreadable(f"the stored data of {type_} cannot be read: {error}") from error
        return events

    def _reader(self, type_: str, schema_version: int) -> Callable[[bytes | str], object]:
        entry = self.registry.of_name(type_)
        if schema_version == entry.schema_version:
            return self._decoder(entry.cls).decode
        steps = versions.up(type_, entry.schema_version, entry.upcasters, schema_version)
        return partial(self._upcast, entry, schema_version, steps)

    def _upcast(self, entry: EventType, stored: int, steps: list[versions.Step], data: bytes | str) -> object:
        fields = versions.walk_up(entry.name, stored, steps, self._fields(data))
        return msgspec.convert(fields, entry.cls)

    def _decoder(self, cls: type) -> msgspec.json.Decoder[Any]:
        try:
            return self._decoders[cls]
        except KeyError:
            return self._decoders.setdefault(cls, msgspec.json.Decoder(cls))
