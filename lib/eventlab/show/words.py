"""Domain values in words, for tables and for those who listen: no value is shown as a Python repr."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

NOTHING = "–"


def moment(time: datetime) -> str:
    """A time as ``2026-03-03 18:00:00 UTC``; fractions of a second only where there are some."""
    utc = time.astimezone(UTC)
    return f"{utc:%Y-%m-%d %H:%M:%S}{f'.{utc.microsecond:06}'.rstrip('0') if utc.microsecond else ''} UTC"


def value(thing: object) -> str:
    """One value in words: money and numbers as written, a dataclass as ``quantity 2, price 49.90 EUR``."""
    match thing:
        case None | "":
            return NOTHING
        case bool():
            return "yes" if thing else "no"
        case Enum():
            return str(thing.value)
        case datetime():
            return moment(thing)
        case date():
            return thing.isoformat()
        case Mapping():
            return "; ".join(f"{key}: {value(item)}" for key, item in thing.items()) or NOTHING
        case tuple() | list() | set() | frozenset():
            return ", ".join(map(value, thing)) or NOTHING
    if is_dataclass(thing) and type(thing).__str__ is object.__str__:
        return _fields(thing)
    return str(thing)


def _fields(thing: Any) -> str:
    pairs = ((field.name.replace("_", " "), value(getattr(thing, field.name))) for field in fields(thing))
    return ", ".join(f"{name} {text}" for name, text in pairs if text != NOTHING)


def rows(state: object) -> list[tuple[str, str]]:
    """A state as rows of a table: its fields, then its computed properties; a mapping gives one row per key.

    The names are those of :class:`eventlab.history.Change`.

    A value that is neither a dataclass nor a mapping is one row without a name.
    """
    if isinstance(state, Mapping):
        return [(str(key), value(item)) for key, item in state.items()]
    if not is_dataclass(state):
        return [("", value(state))]
    return [row for part in parts(state) for row in _expand(part, getattr(state, part))]


def parts(state: object) -> list[str]:
    """The names of a dataclass's fields, then of its computed properties."""
    computed = [name for name, item in vars(type(state)).items() if isinstance(item, property)]
    return [field.name for field in fields(state)] + computed  # type: ignore[arg-type]


def _expand(part: str, item: object) -> list[tuple[str, str]]:
    label = part.replace("_", " ")
    if isinstance(item, Mapping) and item:
        return [(f"{label} · {key}", value(entry)) for key, entry in item.items()]
    return [(label, value(item))]
