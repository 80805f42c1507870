"""What the lanes show, in a row: records in the order of reading and, between them, the marks of the log."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

COLUMNS = ("partition", "offset", "key", "label", "version", "order", "timestamp")
# What a checker may have found about a record: the column, the sign in the picture, and what it says.
FLAGS = {
    "inverted": ("▲", "out of order"),
    "duplicate": ("◆", "read before"),
    "gap": ("○", "versions missing before it"),
    "aborted": ("✕", "of an aborted transaction"),
}
# What a log has beside records, in the order in which marks of one offset stand: the kind, short and in full.
_SKIPPED = "no record"
MARKS = {
    "commit": ("C", "commit marker"),
    "abort": ("A", "abort marker"),
    "last stable offset": ("LSO", "last stable offset"),
    _SKIPPED: ("–", "no record"),
    "high watermark": ("HW", "high watermark"),
}
_MARKERS = ("commit", "abort")  # these take an offset, as a record does
_MARK_COLUMNS = ["partition", "offset", "kind"]


def records(given: pd.DataFrame | Sequence[object]) -> pd.DataFrame:
    """The records in the order of reading, with all columns.

    Raises ValueError when there are none or a column is missing.
    """
    frame = pd.DataFrame(given)
    if frame.empty:
        raise ValueError("there are no records to show: nothing was read from the topic")
    if missing := [name for name in COLUMNS if name not in frame.columns]:
        raise ValueError(f"the records have no {', '.join(missing)}; they need {', '.join(COLUMNS)}")
    frame = frame.sort_values("order", ignore_index=True)
    times = pd.to_datetime(frame["timestamp"], unit="ms" if is_numeric_dtype(frame["timestamp"]) else None, utc=True)
    flags = {flag: frame[flag].astype(bool) if flag in frame.columns else False for flag in FLAGS}
    return frame.assign(key=frame["key"].astype(str), label=frame["label"].astype(str), timestamp=times, **flags)


def marks(given: pd.DataFrame | Sequence[object], frame: pd.DataFrame) -> pd.DataFrame:
    """The marks of the log, and those offsets that neither a record of ``frame`` nor a marker has.

    Raises ValueError when a column is missing or a kind is not one of ``MARKS``.
    """
    known = pd.DataFrame(given) if len(given) else pd.DataFrame(columns=_MARK_COLUMNS)
    if missing := [name for name in _MARK_COLUMNS if name not in known.columns]:
        raise ValueError(f"the marks have no {', '.join(missing)}; they need {', '.join(_MARK_COLUMNS)}")
    if strange := set(known["kind"]) - set(MARKS):
        raise ValueError(f"there is no mark {', '.join(sorted(strange))!r}; the marks are {', '.join(MARKS)}")
    known = known[_MARK_COLUMNS].astype({"partition": "int64", "offset": "int64"}).assign(last=known["offset"])
    return pd.concat([_telling(known), _skipped(frame, known)], ignore_index=True)


def _telling(known: pd.DataFrame) -> pd.DataFrame:
    """Without the last stable offsets that are the high watermark: as long as no transaction is open, all of them."""
    stable, high = (known[known["kind"] == kind] for kind in ("last stable offset", "high watermark"))
    same = stable["offset"] == stable["partition"].map(
        high.drop_duplicates("partition").set_index("partition")["offset"]
    )
    return known.drop(stable.index[same])


def _skipped(frame: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """A mark where offsets are missing: aborted or compacted away, or markers that nobody told us of."""
    taken = known[known["kind"].isin([*_MARKERS, "high watermark"])]
    places = pd.concat([frame[["partition", "offset"]], taken[["partition", "offset"]]]).drop_duplicates()
    places = places.astype("int64").sort_values(["partition", "offset"], ignore_index=True)
    after = places.groupby("partition")["offset"].shift(-1)
    holes = places.assign(last=after - 1)[after - places["offset"] > 1].astype("int64")
    return holes.assign(offset=holes["offset"] + 1, kind=_SKIPPED)


def merged(frame: pd.DataFrame, between: pd.DataFrame) -> pd.DataFrame:
    """Records and marks in one row: a mark behind the last record of its partition that has a smaller offset.

    ``kind`` is empty for a record; ``last`` is the last offset, for a place of several without a record; ``read`` says
    how many records were read up to there.
    """
    order = {kind: place for place, kind in enumerate(MARKS)}
    rows = frame.assign(kind="", last=frame["offset"], place=np.arange(len(frame)), rank=-1)
    signs = between.assign(place=_places(frame, between), rank=between["kind"].map(order))
    words = [MARKS[kind][1] for kind in between["kind"]]
    signs = signs.assign(key="", version=0, order=-1, label=words, **dict.fromkeys(FLAGS, False))
    every = pd.concat([rows, signs], ignore_index=True) if len(signs) else rows
    every = every.assign(mark=every["kind"] != "")
    every = every.sort_values(["place", "mark", "partition", "offset", "rank"], kind="stable", ignore_index=True)
    return every.assign(read=(every["kind"] == "").cumsum()).drop(columns=["place", "mark", "rank"])


def in_words(row: pd.DataFrame) -> pd.DataFrame:
    """Entries as a table for readers: ``order`` of reading, and in ``mark`` what is wrong with a record."""
    table = row[list(COLUMNS)].astype(object)
    table.loc[row["kind"] != "", ["key", "version", "order", "timestamp"]] = None
    table["offset"] = [f"{a}" if a == b else f"{a}–{b}" for a, b in zip(row["offset"], row["last"], strict=True)]
    found = (row[flag].map({True: says, False: ""}) for flag, (_, says) in FLAGS.items())
    return table.assign(mark=[", ".join(filter(None, each)) for each in zip(*found, strict=True)])


def _places(frame: pd.DataFrame, between: pd.DataFrame) -> np.ndarray:
    """The place in the order of reading after which each mark stands; -1 for the beginning."""
    places = np.full(len(between), -1)
    for partition, lane in frame.groupby("partition")["offset"]:
        mine = np.flatnonzero(between["partition"] == partition)
        lane = lane.sort_values()
        last = np.maximum.accumulate(lane.index.to_numpy())
        behind = np.searchsorted(lane.to_numpy(), between["offset"].to_numpy()[mine].astype("int64")) - 1
        places[mine] = np.where(behind >= 0, last[behind], -1)
    return places
