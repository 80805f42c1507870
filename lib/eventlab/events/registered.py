"""Events of many types in one Kafka topic as Avro, with their schemas in a schema registry that refuses bad changes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from confluent_kafka.schema_registry import (
    Schema,
    SchemaRegistryClient,
    SchemaRegistryError,
    topic_record_subject_name_strategy,
    topic_subject_name_strategy,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.common._httpx_compat import httpx  # one of two packages: the client's choice
from confluent_kafka.serialization import MessageField, SerializationContext
from fastavro.read import SchemaResolutionError

from eventlab.events.avro import NATIVE, avro_name, avro_schema, avro_union, type_name
from eventlab.events.errors import EventError, UnknownEventType, Unreadable, Unwritable
from eventlab.events.registry import EventType, TypeRegistry

_CLIENT = {"timeout": 10, "max.retries": 1, "retries.wait.ms": 100}
_MAGIC, _HEADER = 0, 5  # Confluent's framing: a zero byte, four bytes with the schema's id, then Avro
_NOT_THERE, _REFUSED = 404, 409


class SchemaRefused(EventError):
    """The registry does not take a schema: it would break readers or writers of earlier versions."""


class RegistryUnavailable(EventError):
    """The schema registry cannot be reached, or does not do what it should."""


class RegisteredAvro:
    """Writes and reads the events of ``registry`` in ``topic``.

    Each type has a subject of its own, ``topic-eventlab.ItemAdded`` (topic record name strategy): a new type is a new
    subject, and the registry compares a type with its own past only. With ``union`` there is one subject,
    ``topic-value``, and its schema is the union of all types: the registry then knows what may be in the topic.
    ``url`` is that of a registry with Confluent's API. Nothing is registered by writing: :meth:`register` does it.
    """

    def __init__(self, registry: TypeRegistry, url: str, topic: str, *, union: bool = False) -> None:
        self._registry, self._url, self._topic, self._union = registry, url, topic, union
        self._client = SchemaRegistryClient({"url": url, **_CLIENT})
        self._where = SerializationContext(topic, MessageField.VALUE)
        self._serializers: dict[type, AvroSerializer] = {}
        self._deserializers: dict[str, AvroDeserializer] = {}

    def subjects(self) -> dict[str, Schema]:
        """The schema that each subject of the topic has today."""
        if self._union:
            return {f"{self._topic}-value": _schema(avro_union(self._registry))}
        return {f"{self._topic}-{avro_name(entry)}": _schema(avro_schema(entry)) for entry in self._registry}

    def register(self, compatibility: str = "FULL_TRANSITIVE") -> dict[str, int]:
        """Have the registry take today's schemas, or none of them if it refuses one; subject → id of the schema.

        ``compatibility`` is what the registry holds each subject to from now on, first of all these schemas, also when
        it refuses them: without one, Apicurio takes anything. A registry knows no transactions: what it took before it
        went away stays, and a second call adds the rest. Raises SchemaRefused, RegistryUnavailable.
        """
        with self._told():
            wanted = self.subjects()
            for subject in wanted:
                self._client.set_compatibility(subject, compatibility)
            refused = {subject: schema for subject, schema in wanted.items() if not self._fits(subject, schema)}
            for subject, schema in refused.items():
                self._client.register_schema(subject, schema)  # says why not
            return {subject: self._client.register_schema(subject, schema) for subject, schema in wanted.items()}

    def _fits(self, subject: str, schema: Schema) -> bool:
        try:
            return bool(self._client.test_compatibility_all_versions(subject, schema))
        except SchemaRegistryError as error:
            if error.http_status_code == _NOT_THERE:  # its first version
                return True
            raise

    def encode(self, event: object) -> bytes:
        """``event`` as the value of a record: the id of its schema, and Avro.

        Raises UnknownEventType, Unwritable (also for a schema that nobody registered), RegistryUnavailable.
        """
        entry = self._registry.of_class(type(event))
        with self._told():
            try:
                return bytes(self._serializer(entry)(event, self._where))
            except SchemaRegistryError as error:
                if error.http_status_code == _NOT_THERE:
                    raise Unwritable(
                        f"the schema of {entry.name} is not registered for the topic {self._topic}; register() it first"
                    ) from error
                raise
            except (TypeError, ValueError, OverflowError, AttributeError) as error:
                raise Unwritable(f"{entry.name} cannot be written as Avro: {error} in {event!r}") from error

    def decode(self, data: bytes) -> object:
        """The event in the value of a record, whichever version of its schema it was written with.

        Raises UnknownEventType, Unreadable, RegistryUnavailable.
        """
        if len(data) <= _HEADER or data[0] != _MAGIC:
            raise Unreadable(f"a record of {self._topic} does not begin with the id of a schema: {data[:_HEADER]!r}")
        with self._told():
            try:
                return self._deserializer(int.from_bytes(data[1:_HEADER]))(data, self._where)
            except SchemaRegistryError as error:
                if error.http_status_code == _NOT_THERE:
                    raise Unreadable(
                        f"a record of {self._topic} has a schema that the registry does not know"
                    ) from error
                raise
            except SchemaResolutionError as error:  # its message is two schemas long
                raise Unreadable(
                    f"a record of {self._topic} has a schema that this program's cannot read; use a newer program"
                ) from error
            except (httpx.HTTPError, EventError):
                raise
            except Exception as error:  # the decoder checks nothing: whatever its arithmetic stumbles over
                raise Unreadable(f"a record of {self._topic} cannot be read: {error}") from error

    def _serializer(self, entry: EventType) -> AvroSerializer:
        if entry.cls not in self._serializers:
            strategy = topic_subject_name_strategy if self._union else topic_record_subject_name_strategy
            schema = avro_union(self._registry) if self._union else avro_schema(entry)

            def fields(event: object, _: object) -> Any:
                made = msgspec.to_builtins(event, builtin_types=NATIVE)
                return (avro_name(entry), made) if self._union else made

            settings = {"auto.register.schemas": False, "subject.name.strategy": strategy}
            self._serializers[entry.cls] = AvroSerializer(self._client, _schema(schema), fields, settings)
        return self._serializers[entry.cls]

    def _deserializer(self, schema_id: int) -> AvroDeserializer:
        """What reads records with this schema as today's classes."""
        written = json.loads(self._client.get_schema(schema_id).schema_str or "null")
        name = "" if isinstance(written, list) else type_name(_full_name(written))
        if name not in self._deserializers:
            schema: Any = avro_schema(self._registry.of_name(name)) if name else avro_union(self._registry)
            self._deserializers[name] = AvroDeserializer(
                self._client, _schema(schema), lambda read, _: self._event(name, read), return_record_name=not name
            )
        return self._deserializers[name]

    def _event(self, name: str, read: Any) -> object:
        if not name:
            full_name, read = read
            name = type_name(full_name)
        return msgspec.convert(_plain(read), self._registry.of_name(name).cls)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Trouble with the registry, in words."""
        try:
            yield
        except SchemaRegistryError as error:
            if error.http_status_code == _REFUSED:
                raise SchemaRefused(
                    f"the registry refuses a schema of {self._topic}, nothing was registered: {error.error_message}. "
                    "Give the new field a default, or give the event a new type"
                ) from error
            raise RegistryUnavailable(f"the schema registry at {self._url} answered: {error}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RegistryUnavailable(
                f"the schema registry at {self._url} cannot be reached ({error}); check with: eventlab status. "
                "`eventlab up --registry` starts the lab's own"
            ) from error


def _schema(schema: Any) -> Schema:
    return Schema(json.dumps(schema), "AVRO")


def _full_name(record: Any) -> str:
    if not isinstance(record, dict) or record.get("type") != "record":
        raise UnknownEventType(f"a schema that is no record stands for no event: {record!r}")
    name = str(record["name"])
    return name if "." in name else f"{record.get('namespace', '')}.{name}"


def _plain(read: Any) -> Any:
    """Without the names of records that the reader of unions puts before each of them."""
    if isinstance(read, tuple):
        return _plain(read[1])
    return {key: _plain(value) for key, value in read.items()} if isinstance(read, dict) else read
