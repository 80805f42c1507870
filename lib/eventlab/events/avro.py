"""Avro schemas of events, made from their classes (Apache Avro 1.12, https://avro.apache.org/docs/1.12.0/specification)."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from msgspec import NODEFAULT, inspect

from eventlab.events.registry import EventType

_NAMESPACE = "eventlab"
_TYPES: dict[type[inspect.Type], Any] = {
    inspect.StrType: "string",
    inspect.IntType: "long",
    inspect.FloatType: "double",
    inspect.BoolType: "boolean",
    inspect.DateType: {"type": "int", "logicalType": "date"},
}
# What the writer turns into those types by itself, so that it must not be text before.
NATIVE = (date,)


def avro_name(entry: EventType) -> str:
    """The full name of the record of ``entry``."""
    return f"{_NAMESPACE}.{entry.name}"


def type_name(avro_name: str) -> str:
    """The type name of the event whose record has this full name."""
    return avro_name.rpartition(".")[2]


def avro_schema(entry: EventType) -> dict[str, Any]:
    """The record of ``entry``; former names are aliases. Raises ValueError for a field that has no type in Avro."""
    return _record(entry, set())


def avro_union(entries: Iterable[EventType]) -> list[dict[str, Any]]:
    """The union of the records of ``entries``: one schema for a topic with many types."""
    known: set[str] = set()
    return [_record(entry, known) for entry in entries]


def _record(entry: EventType, known: set[str]) -> dict[str, Any]:
    aliases = {"aliases": [f"{_NAMESPACE}.{name}" for name in entry.formerly]} if entry.formerly else {}
    fields = _fields(inspect.type_info(entry.cls), entry.name, known)
    return {"type": "record", "name": avro_name(entry), **aliases, "fields": fields}


def _fields(kind: inspect.Type, where: str, known: set[str]) -> list[dict[str, Any]]:
    if not isinstance(kind, inspect.StructType | inspect.DataclassType):
        raise ValueError(f"{where}: a record is made from a struct or a data class")
    made = []
    for field in kind.fields:
        described: dict[str, Any] = {"name": field.name, "type": _type(field.type, f"{where}.{field.name}", known)}
        if field.default is not NODEFAULT:
            described["default"] = field.default
        made.append(described)
    return made


def _type(kind: inspect.Type, where: str, known: set[str]) -> Any:
    if isinstance(kind, inspect.StructType | inspect.DataclassType):
        name = f"{_NAMESPACE}.{kind.cls.__name__}"
        if name in known:  # a name is defined once, where it comes first
            return name
        known.add(name)
        return {"type": "record", "name": name, "fields": _fields(kind, where, known)}
    if isinstance(kind, inspect.UnionType) and kind.includes_none:
        # Null first: the default of a union belongs to its first branch, and here it is None.
        others = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        return ["null", *(_type(each, where, known) for each in others)]
    if type(kind) not in _TYPES:
        raise ValueError(f"{where}: {type(kind).__name__} has no type in Avro here; text, numbers, dates, structs have")
    return _TYPES[type(kind)]
