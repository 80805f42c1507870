"""The published form of events for those who do not share the code: a JSON Schema of each, made from its class."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from eventlab.events.avro import avro_schema
from eventlab.events.registry import EventType

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(entry: EventType) -> dict[str, Any]:
    """The JSON Schema (2020-12) of what is stored of ``entry``; as readers do, it allows fields that are not in it."""
    _, components = msgspec.json.schema_components([entry.cls], ref_template="#/$defs/{name}")
    own = components.pop(entry.cls.__name__)
    identity = f"urn:eventlab:{entry.name}:{entry.schema_version}"
    return {"$schema": _DRAFT, "$id": identity, **own, "title": entry.name, "$defs": components}


def publish(entries: Iterable[EventType], directory: Path) -> list[Path]:
    """Write JSON Schema and Avro schema of ``entries``: ``ItemAdded.v1.json``, ``ItemAdded.v1.avsc``. Gives the files.

    The files of older versions stay: events in them are still in stores.
    """
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for entry in entries:
        for suffix, schema in (("json", json_schema(entry)), ("avsc", avro_schema(entry))):
            path = directory / f"{entry.name}.v{entry.schema_version}.{suffix}"
            path.write_text(json.dumps(schema, indent=2) + "\n")
            written.append(path)
    return written
