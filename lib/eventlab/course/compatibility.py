"""The schema registry of lesson 10: what it accepts under each rule, beside what really breaks."""

import io
import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, SchemaRegistryError
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError

from eventlab import cluster
from eventlab.cluster import Kafka, LabError
from eventlab.domain import cart
from eventlab.events.avro import avro_schema
from eventlab.events.catalogue import registry as catalogue
from eventlab.events.codec import JsonCodec
from eventlab.events.registered import RegisteredAvro
from eventlab.events.registry import TypeRegistry

_READ_SECONDS = 20

Field = dict[str, Any]
ITEM_ADDED = avro_schema(catalogue.of_class(cart.ItemAdded))
_RECORD = {"product": "socks", "quantity": 2, "price": {"minor": 450, "currency": "EUR"}}
_VALUES: dict[Any, Any] = {"string": "x", "long": 1, "boolean": True, "double": 1.5}


def _with(*fields: Field, without: str = "") -> dict[str, Any]:
    kept = [field for field in ITEM_ADDED["fields"] if field["name"] != without]
    return {**ITEM_ADDED, "fields": [*kept, *fields]}


CHANGES = {
    "a field more, with a default": _with({"name": "note", "type": "string", "default": ""}),
    "a field more, without one": _with({"name": "shelf", "type": "string"}),
    "a field gone": _with(without="price"),
    "another type": _with({"name": "quantity", "type": "string"}, without="quantity"),
    "another name": _with({"name": "article", "type": "string"}, without="product"),
}


def reads(writer: dict[str, Any], reader: dict[str, Any]) -> bool:
    """Whether an event that was written with one schema can be read with the other: tried, not looked up."""
    data = io.BytesIO()
    record = {
        field["name"]: _RECORD[field["name"]]
        if field in ITEM_ADDED["fields"]
        else _VALUES.get(field["type"], field.get("default"))
        for field in writer["fields"]
    }
    schemaless_writer(data, parse_schema(writer), record)
    data.seek(0)
    try:
        schemaless_reader(data, parse_schema(writer), parse_schema(reader))
    except (SchemaResolutionError, ValueError, TypeError):
        return False
    return True


class Desk:
    """The schema registry, if there is one; where there is none, it says why, and the lesson goes on."""

    def __init__(self) -> None:
        self.url, self._why = "", ""
        try:
            self.url = cluster.schema_registry()
        except LabError as error:
            self._why = str(error)

    def __bool__(self) -> bool:
        return bool(self.url)

    def __repr__(self) -> str:
        return f"Schema registry · {self.url}" if self else f"No schema registry here, so nothing to see: {self._why}"

    def accepts(self, change: str, level: str) -> bool:
        """Whether the registry takes the change of ItemAdded as its second version, when held to ``level``."""
        client = SchemaRegistryClient({"url": self.url})
        subject = f"lesson-10-{uuid.uuid4().hex}"
        client.register_schema(subject, _avro(ITEM_ADDED))
        if level != "NONE":
            client.set_compatibility(subject, level)
        try:
            client.register_schema(subject, _avro(CHANGES[change]))
        except SchemaRegistryError:
            return False
        finally:
            _forget(client, [subject])
        return True

    def accepted(self, level: str) -> int:
        """How many of the changes it takes."""
        return sum(self.accepts(change, level) for change in CHANGES)

    def table(self, levels: Iterable[str]) -> pd.DataFrame:
        """A row per change: whether new programs read old events, old programs new ones, and each level's verdict."""
        said = {True: "yes", False: "no"}
        rows = [
            {
                "change": change,
                "new reads old": said[reads(ITEM_ADDED, schema)],
                "old reads new": said[reads(schema, ITEM_ADDED)],
                **{level: "accepted" if self.accepts(change, level) else "refused" for level in levels},
            }
            for change, schema in CHANGES.items()
        ]
        return pd.DataFrame(rows)

    def through(self, kafka: Kafka, events: Sequence[Any], *, union: bool = False) -> pd.DataFrame:
        """Events of many types through one topic as Avro: what each takes, there and as JSON, and what came back.

        ``union``: under one subject of the topic, instead of one for each type.
        """
        topic = kafka.topic("carts")
        avro = RegisteredAvro(TypeRegistry(cart.EVENTS), self.url, topic, union=union)
        avro.register()
        producer = Producer(kafka.config())
        for event in events:
            producer.produce(topic, avro.encode(event))
        producer.flush()
        consumer = Consumer(kafka.config(**{"group.id": topic, "auto.offset.reset": "earliest"}))
        consumer.subscribe([topic])
        values = [message.value() for message in consumer.consume(len(events), timeout=_READ_SECONDS)]
        consumer.close()
        read = [avro.decode(value) for value in values]
        _forget(SchemaRegistryClient({"url": self.url}), avro.subjects())
        json_codec = JsonCodec(catalogue)
        return pd.DataFrame(
            {
                "event": [str(event) for event in events],
                "type": [type(event).__name__ for event in events],
                "bytes as JSON": [len(json_codec.encode(event).data) for event in events],
                "bytes as Avro": [len(value) for value in values],
                "came back": [
                    "the same" if event == back else "another" for event, back in zip(events, read, strict=True)
                ],
            }
        )


def _avro(schema: dict[str, Any]) -> Schema:
    return Schema(json.dumps(schema), "AVRO")


def _forget(client: SchemaRegistryClient, subjects: Iterable[str]) -> None:
    """Leave a registry that others use as it was."""
    for subject in subjects:
        client.delete_subject(subject)
        client.delete_subject(subject, permanent=True)
