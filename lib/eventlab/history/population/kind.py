"""What it takes to fold all streams of one category column by column."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

_TIME = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Kind:
    """``schema`` are the columns of an event beside its envelope; ``rows`` makes the function that fills them.

    That function sees the events one by one, in the order of their positions, with the number of their entity.
    ``states`` gives from the columns of some events one row per ``entity``: what the fold of the same events gives, as
    far as ``row`` tells it of a state. ``amount`` is the column to add up, in minor units.
    """

    category: str
    events: tuple[type, ...]
    schema: Mapping[str, Any]
    rows: Callable[[], Callable[[int, Any], Sequence[object]]]
    states: Callable[[pl.LazyFrame], pl.DataFrame]
    row: Callable[[Any], dict[str, object]]
    amount: str

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of an event: its envelope, with a number for its stream, and what it says."""
        return {
            "entity": pl.UInt32,
            "stream": pl.String,
            "version": pl.UInt32,
            "position": pl.Int64,
            "valid_time": _TIME,
            "recorded_time": _TIME,
            "type": pl.Enum([cls.__name__ for cls in self.events]),
            **self.schema,
        }
