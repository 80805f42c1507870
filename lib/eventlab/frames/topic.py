"""A topic of JSON records as typed data frames: whole, or piece by piece for a topic of any length."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd
import polars as pl
import pyarrow
from confluent_kafka import Message

from eventlab.cluster.scan import Cluster, Scan

ROWS = 100_000  # of a piece: enough to fill two cores, some 30 MB of records of 100 bytes
_DATE = pl.Datetime("us")
_TIMES: Mapping[type, pl.DataType] = {datetime: pl.Datetime("us", "UTC"), date: _DATE}
_PLACE = {"partition": pl.Int64(), "offset": pl.Int64(), "timestamp": pl.Datetime("ms", "UTC"), "key": pl.String()}
# As what JSON has a column of this type: times are text there.
_IN_JSON: Mapping[type, pl.DataType] = {
    int: pl.Int64(),
    float: pl.Float64(),
    bool: pl.Boolean(),
    str: pl.String(),
    datetime: pl.String(),
    date: pl.String(),
}
_IN_PANDAS = {
    pyarrow.int64(): pd.Int64Dtype(),
    pyarrow.float64(): pd.Float64Dtype(),
    pyarrow.bool_(): pd.BooleanDtype(),
    pyarrow.large_string(): pd.StringDtype(na_value=float("nan")),
}
_SHOWN_BYTES = 80  # of a value, in a message
_FAILURES = (pl.exceptions.PolarsError, ValueError)


class UnreadableRecord(ValueError):
    """A record that does not fit the columns. The message says which one, and what is wrong with it."""


def topic_frame(kafka: Cluster, topic: str, columns: Mapping[str, type], since: datetime | None = None) -> pd.DataFrame:
    """All of ``topic`` as it is now, one row per record, by partition and offset.

    First ``partition``, ``offset``, ``timestamp`` (UTC) and ``key`` (text) of the record. Then the ``columns``: fields
    of the JSON object that is its value, or paths into it (``price.minor``), each with its type: int, float, bool, str,
    datetime (ISO 8601 with a zone; UTC in the frame) or date. They are missing (NA, NaT) where the value has no such
    field, and in a row for a tombstone. A field named like a column of the record gets ``value_`` in front. ``since``
    leaves out what is older by the clock of the records.

    Raises UnreadableRecord for a record that does not fit, ValueError for a column that cannot be, LabError when the
    topic cannot be read.
    """
    wanted = _Columns(columns)
    pieces = [pl.DataFrame(schema=wanted.schema), *_pieces(Scan(kafka, topic, since), topic, wanted, ROWS)]
    return _in_pandas(pl.concat(pieces).sort("partition", "offset"))


def topic_frames(
    kafka: Cluster, topic: str, columns: Mapping[str, type], since: datetime | None = None, rows: int = ROWS
) -> Iterator[pd.DataFrame]:
    """The same in pieces of some ``rows`` rows: memory does not grow with the topic.

    Each partition comes in its order, all of them at the same time.
    """
    wanted = _Columns(columns)
    return map(_in_pandas, _pieces(Scan(kafka, topic, since), topic, wanted, rows))


class _Columns:
    """What is taken from the values, and of what type."""

    def __init__(self, columns: Mapping[str, type]) -> None:
        self._json: dict[str, Any] = {}
        self._expressions: list[pl.Expr] = []
        types: dict[str, Any] = {}
        for path, kind in columns.items():
            if kind not in _IN_JSON:
                allowed = ", ".join(each.__name__ for each in _IN_JSON)
                raise ValueError(f"Column {path!r} cannot be {kind!r}; a column is one of {allowed}.")
            name = f"value_{path}" if path in _PLACE else path
            self._ask_for(path.split("."), path, _IN_JSON[kind])
            self._expressions.append(_column(path.split("."), kind).alias(name))
            types[name] = _TIMES.get(kind, _IN_JSON[kind])
        self._json = {name: _nested(inner) for name, inner in self._json.items()}
        self.schema = {**_PLACE, **types}

    def _ask_for(self, steps: Sequence[str], path: str, kind: pl.DataType) -> None:
        *outer, last = steps
        at = self._json
        for step in outer:
            at = at.setdefault(step, {})
            if not isinstance(at, dict):
                break
        if not isinstance(at, dict) or last in at:
            raise ValueError(f"Column {path!r} cannot be told from another one: name what is inside it, or it alone.")
        at[last] = kind

    def decode(self, values: Sequence[bytes | None]) -> pl.DataFrame:
        """A row per value. Raises ValueError or PolarsError when one does not fit."""
        if not self._json:
            return pl.DataFrame()
        if None in values:
            values = [b"{}" if value is None else value for value in values]
        text = b"\n".join(values)  # type: ignore[arg-type]
        if text.count(b"\n") >= len(values):  # between the parts of a value, where a space says the same
            text = b"\n".join(value.replace(b"\n", b" ") for value in values if value is not None)
        found = pl.read_ndjson(text, schema=self._json)
        if len(found) != len(values):
            raise ValueError("the value is empty")
        return found.select(self._expressions)


def _nested(inner: Any) -> pl.DataType:
    if not isinstance(inner, dict):
        return inner  # type: ignore[no-any-return]
    return pl.Struct({name: _nested(each) for name, each in inner.items()})


def _column(steps: Sequence[str], kind: type) -> pl.Expr:
    column = pl.col(steps[0])
    for step in steps[1:]:
        column = column.struct.field(step)
    if kind is datetime:
        return column.str.to_datetime("%+", time_unit="us", time_zone="UTC")
    if kind is date:
        return column.str.to_date("%Y-%m-%d").cast(_DATE)
    return column


def _pieces(scan: Scan, topic: str, wanted: _Columns, rows: int) -> Iterator[pl.DataFrame]:
    piece = _Piece()
    for batch in scan:
        piece.add(batch)
        if len(piece.values) >= rows:
            yield piece.frame(topic, wanted)
            piece = _Piece()
    if piece.values:
        yield piece.frame(topic, wanted)


class _Piece:
    """Records, column by column, so that the client's Message objects can go at once."""

    def __init__(self) -> None:
        self.values: list[bytes | None] = []
        self._place: dict[str, list[Any]] = {name: [] for name in _PLACE}

    def add(self, batch: Sequence[Message]) -> None:
        """Take from each record what is needed; ``map`` does that at two thirds of the cost of a loop."""
        self.values += map(Message.value, batch)
        self._place["partition"] += map(Message.partition, batch)
        self._place["offset"] += map(Message.offset, batch)
        self._place["timestamp"] += [milliseconds for _, milliseconds in map(Message.timestamp, batch)]
        self._place["key"] += map(Message.key, batch)

    def frame(self, topic: str, wanted: _Columns) -> pl.DataFrame:
        """All of them. Raises UnreadableRecord for the first that does not fit."""
        place = pl.DataFrame(self._place, schema={**_PLACE, "key": pl.Binary(), "timestamp": pl.Int64()})
        place = place.with_columns(pl.col("timestamp").cast(_PLACE["timestamp"]))
        try:
            return place.with_columns(pl.col("key").cast(pl.String())).hstack(wanted.decode(self.values))
        except _FAILURES:
            raise self._error(topic, wanted) from None

    def _error(self, topic: str, wanted: _Columns) -> UnreadableRecord:
        first, last = 0, len(self.values)
        while last - first > 1:  # the first that does not fit is in [first, last)
            middle = (first + last) // 2
            first, last = (middle, last) if self._fit(wanted, first, middle) is None else (first, middle)
        where = f"{topic} [{self._place['partition'][first]}] offset {self._place['offset'][first]}"
        value = self.values[first] or b""
        shown = value[:_SHOWN_BYTES].decode(errors="replace") + ("…" if len(value) > _SHOWN_BYTES else "")
        return UnreadableRecord(f"{where} does not fit the columns: {self._fit(wanted, first, last)}. Value: {shown}")

    def _fit(self, wanted: _Columns, first: int, last: int) -> str | None:
        """What is wrong with these records; None: nothing."""
        try:
            pl.Series(self._place["key"][first:last], dtype=pl.Binary()).cast(pl.String())
        except _FAILURES:
            return "the key is not text"
        try:
            wanted.decode(self.values[first:last])
        except _FAILURES as error:
            return str(error).partition("\n")[0].rstrip(".")
        return None


def _in_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    told = frame.to_arrow().to_pandas(types_mapper=_IN_PANDAS.get)
    return told.astype({"partition": "int64", "offset": "int64"})
