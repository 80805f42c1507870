"""Domain values in words, for tables and for those who listen: no value is shown as a Python repr."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from eventlab.history.changes import parts

NOTHING = "–"


def moment(time: datetime) -> str:
    """A time as ``2026-03-03 18:00:00 UTC``; fractions of a second only where there are some."""
    utc = time.astimezone(UTC)
    return f"{utc:%Y-%m-%d %H:%M:%S}{f'.{utc.microsecond:06}'.rstrip('0') if utc.microsecond else ''} UTC"


def value(thing: object) -> str:
    """One value in words: money and numbers as written, an object with fields as ``quantity 2, price 49.90 EUR``."""
    match thing:
        case None | "":
            return NOTHING
        case bool():
            return "yes" if thing else "no"
        case Enum():
            return str(thing.value)
        case datetime():
            return moment(thing) if thing.tzinfo else thing.isoformat(sep=" ")
        case date():
            return thing.isoformat()
        case Mapping():
            return "; ".join(f"{key}: {value(item)}" for key, item in thing.items()) or NOTHING
        case tuple() | list() | set() | frozenset():
            return ", ".join(map(value, thing)) or NOTHING
    if parts(thing) and type(thing).__str__ is object.__str__:
        return _fields(thing)
    return str(thing)


def _fields(thing: Any) -> str:
    pairs = ((name.replace("_", " "), value(getattr(thing, name))) for name in type(thing).__match_args__)
    return ", ".join(f"{name} {text}" for name, text in pairs if text != NOTHING)


def rows(state: object) -> list[tuple[str, str]]:
    """A state as rows of a table: its fields, then its computed properties; a mapping gives one row per key.

    The names are those of :class:`eventlab.history.Change`.

    A value that has neither fields nor keys is one row without a name.
    """
    if isinstance(state, Mapping):
        return [(str(key), value(item)) for key, item in state.items()]
    if not parts(state):
        return [("", value(state))]
    return [row for part in parts(state) for row in _expand(part, getattr(state, part))]


def _expand(part: str, item: object) -> list[tuple[str, str]]:
    label = part.replace("_", " ")
    if isinstance(item, Mapping) and item:
        return [(f"{label} · {key}", value(entry)) for key, entry in item.items()]
    return [(label, value(item))]
