"""Partitions as lanes, and in them the records in the order in which a consumer really read them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair
import pandas as pd
import traitlets
from pandas.api.types import is_numeric_dtype

from eventlab.show import charts, markup
from eventlab.show.palette import SERIES, VERMILLION
from eventlab.show.widget import PictureWidget

_COLUMNS = ("partition", "offset", "key", "label", "version", "order", "timestamp")
_LANE = 28  # pixels, of the static picture


class Lanes(PictureWidget):
    """The widget. ``cursor`` is the number of the record read last, from 0; ``highlight`` a key, or "" for none.

    Both can be read, set and observed. Raises traitlets.TraitError for a record or key that is not there.
    """

    _esm = Path(__file__).with_name("lanes.js")
    cursor = traitlets.Int(help="the record read last, from 0").tag(sync=True)
    highlight = traitlets.Unicode(help="the key to look at, or an empty text").tag(sync=True)
    _records = traitlets.Dict().tag(sync=True)
    _names = traitlets.Dict().tag(sync=True)
    _palette = traitlets.List(list(SERIES)).tag(sync=True)
    _alt = traitlets.Unicode().tag(sync=True)

    def __init__(self, frame: pd.DataFrame, highlight: str) -> None:
        self._frame = frame
        keys, partitions = pd.factorize(frame["key"]), pd.factorize(frame["partition"], sort=True)
        columns = {name: frame[name].tolist() for name in ("version", "label", "offset", "inverted")}
        times = frame["timestamp"].dt.strftime("%H:%M:%S.%f").str[:-3].tolist()
        wrong = set(frame.loc[frame["inverted"], "key"])
        self._keys = list(keys[1])
        super().__init__(
            cursor=len(frame) - 1,
            highlight=highlight,
            _records={**columns, "key": keys[0].tolist(), "partition": partitions[0].tolist(), "time": times},
            _names={
                "keys": self._keys,
                "partitions": partitions[1].tolist(),
                "marks": [key in wrong for key in self._keys],
            },
        )
        self._alt = self.alt

    @traitlets.validate("cursor")
    def _known_record(self, proposal: Any) -> int:
        if not 0 <= proposal["value"] < len(self._frame):
            raise traitlets.TraitError(
                f"there is no record {proposal['value']}: they go from 0 to {len(self._frame) - 1}"
            )
        return int(proposal["value"])

    @traitlets.validate("highlight")
    def _known_key(self, proposal: Any) -> str:
        if proposal["value"] and proposal["value"] not in self._keys:
            some = ", ".join(self._keys[:5])
            raise traitlets.TraitError(f"no record has the key {proposal['value']!r}; the keys are {some}, …")
        return str(proposal["value"])

    @traitlets.observe("highlight")
    def _say(self, _: object) -> None:
        self._alt = self.alt

    @property
    def alt(self) -> str:
        """What the lanes show, in words."""
        frame, keys = self._frame, len(self._keys)
        wrong = frame[frame["inverted"]]
        text = (
            f"Partitions as lanes ({frame['partition'].nunique()}): {len(frame):,} records of {keys:,} keys, "
            f"from left to right in the order of reading. Out of order: {len(wrong):,} of {len(frame):,} records, "
            f"in {wrong['key'].nunique():,} of {keys:,} keys."
        )
        story = ", ".join(map(str, frame.loc[frame["key"] == self.highlight, "version"]))
        return f"{text} Highlighted: {self.highlight}, read in the versions {story}." if self.highlight else text

    def _page(self) -> str:
        frame, key = self._frame, self.highlight
        lanes = frame.groupby("partition").agg(
            records=("offset", "size"), keys=("key", "nunique"), out_of_order=("inverted", "sum")
        )
        story = frame[frame["key"] == key] if key else frame
        return markup.figure(
            self._svg(),
            self.alt,
            markup.frame_table(lanes.reset_index().rename(columns={"out_of_order": "out of order"})),
            markup.frame_table(story[[*_COLUMNS, "inverted"]].rename(columns={"inverted": "out of order"})),
        )

    def _svg(self) -> str:
        """Each record a bar in its lane; a triangle where it is out of order, versions on the highlighted key."""
        frame = self._frame[["partition", "key", "version", "inverted"]].reset_index(names="read")
        frame["seen"] = ((frame["key"] == self.highlight) | (not self.highlight)).map({True: 1.0, False: 0.25})
        chosen = frame[frame["key"] == self.highlight]
        colours = [SERIES[index % len(SERIES)] for index in range(len(self._keys))]
        lane = altair.Y("partition:N").title("partition")
        read = altair.X("read:Q").scale(domain=[0, len(frame)], nice=False).axis(grid=False).title("order of reading")
        bars = (
            altair.Chart(frame)
            .mark_rect()
            .transform_calculate(end="datum.read + 0.9")
            .encode(
                x=read,
                x2="end:Q",
                y=lane,
                color=altair.Color("key:N").scale(domain=self._keys, range=colours).legend(None),
                opacity=altair.Opacity("seen:Q").scale(None),
            )
        )
        middle = altair.X("middle:Q").scale(domain=[0, len(frame)], nice=False)
        mark = (
            altair.Chart(frame[frame["inverted"]])
            .transform_calculate(middle="datum.read + 0.45")
            .encode(x=middle, y=lane)
        )
        triangles = mark.mark_point(shape="triangle-up", filled=True, color=VERMILLION, size=60, yOffset=10, opacity=1)
        words = altair.Chart(chosen).transform_calculate(middle="datum.read + 0.45").encode(x=middle, y=lane)
        versions = words.mark_text(baseline="middle", fontWeight="bold").encode(text=altair.Text("version:Q"))
        height = _LANE * frame["partition"].nunique()
        return charts.svg((bars + triangles + versions).properties(width=charts.WIDTH, height=height))


def lanes(records: pd.DataFrame | Sequence[object], highlight: str | None = None) -> Lanes:
    """The lanes of a topic as one consumer saw it.

    ``records``: a data frame, or dataclass instances, with ``partition``, ``offset``, ``key`` (of the entity),
    ``label`` (what happened, in a word or two), ``version`` (in the entity's story), ``order`` (of reading),
    ``timestamp`` (a time, or milliseconds since 1970) and, where a checker marked them, ``inverted`` (out of order
    within its key).
    ``highlight``: the key to look at; by default the one with the most records out of order.
    Raises ValueError when there are no records or a column is missing.
    """
    frame = pd.DataFrame(records)
    if frame.empty:
        raise ValueError("there are no records to show: nothing was read from the topic")
    if missing := [name for name in _COLUMNS if name not in frame.columns]:
        raise ValueError(f"the records have no {', '.join(missing)}; they need {', '.join(_COLUMNS)}")
    if "inverted" not in frame.columns:
        frame = frame.assign(inverted=False)
    frame = frame.sort_values("order", ignore_index=True)
    frame = frame.assign(
        key=frame["key"].astype(str),
        label=frame["label"].astype(str),
        inverted=frame["inverted"].astype(bool),
        timestamp=pd.to_datetime(
            frame["timestamp"], unit="ms" if is_numeric_dtype(frame["timestamp"]) else None, utc=True
        ),
    )
    wrong = frame.loc[frame["inverted"], "key"]
    return Lanes(frame, (wrong.mode()[0] if len(wrong) else "") if highlight is None else highlight)
