"""Events as a pandas data frame: one row per event, one column per fact, exact types."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import pandas as pd

from eventlab.domain.money import Money
from eventlab.events.envelope import Recorded


class _Column(NamedTuple):
    name: str
    value: Callable[[Any], Any]
    dtype: str


_ENVELOPE = (
    _Column("stream", lambda recorded: str(recorded.stream), "str"),
    _Column("version", attrgetter("version"), "int64"),
    _Column("position", attrgetter("position"), "int64"),
    _Column("type", attrgetter("type"), "category"),
    _Column("valid_time", attrgetter("valid_time"), "datetime64[us, UTC]"),
    _Column("recorded_time", attrgetter("recorded_time"), "datetime64[us, UTC]"),
)
_TAKEN = {column.name for column in _ENVELOPE}
_DTYPES: dict[object, str] = {
    int: "Int64",
    float: "Float64",
    bool: "boolean",
    str: "str",
    date: "datetime64[us]",
    datetime: "datetime64[us, UTC]",
}


def frame(events: Iterable[Recorded]) -> pd.DataFrame:
    """The ``events`` as rows, in their order.

    First the envelope: ``stream``, ``version``, ``position``, ``type`` (a category), ``valid_time`` and
    ``recorded_time`` (UTC). Then each field of the events under its name, missing (NA, NaT) where the event has no such
    field. Money becomes two columns, exact to add up: ``price_minor`` (whole minor units, cents) and ``price_currency``
    (a category). Dates become midnights without a zone. A field that is named like a column of the envelope gets
    ``event_`` in front; what is neither number, text, truth value, time nor money stays the object that it is.
    All events are held in memory: some 0.6 kB each while the frame is made (cart events, November 2026).
    """
    rows = list(events)
    types: dict[str, str] = {}
    values: dict[str, list[Any]] = {}
    for number, recorded in enumerate(rows):
        cls: type = type(recorded.event)
        for name, value, dtype in _columns(cls):
            if name not in values:
                values[name], types[name] = [None] * len(rows), dtype
            elif types[name] != dtype:
                types[name] = "object"  # two event types use one name for different things
            values[name][number] = value(recorded.event)
    envelope = {name: pd.Series([value(row) for row in rows], dtype=dtype) for name, value, dtype in _ENVELOPE}
    return pd.DataFrame(envelope | {name: pd.Series(each, dtype=types[name]) for name, each in values.items()})


@cache
def _columns(cls: type) -> tuple[_Column, ...]:
    """The columns that events of this class fill, from its annotations."""
    found = []
    for field, hint in get_type_hints(cls).items():
        name = f"event_{field}" if field in _TAKEN else field
        kind = _without_none(hint)
        if kind is Money:
            found.append(_Column(f"{name}_minor", _part(field, "minor"), "Int64"))
            found.append(_Column(f"{name}_currency", _part(field, "currency"), "category"))
        else:
            found.append(_Column(name, attrgetter(field), _DTYPES.get(kind, "object")))
    return tuple(found)


def _without_none(hint: Any) -> Any:
    """``date | None`` is a date as far as a column goes."""
    if get_origin(hint) not in (Union, UnionType):
        return hint
    rest = [each for each in get_args(hint) if each is not NoneType]
    return rest[0] if len(rest) == 1 else hint


def _part(field: str, part: str) -> Callable[[Any], Any]:
    def value(event: Any) -> Any:
        money = getattr(event, field)
        return None if money is None else getattr(money, part)

    return value
