"""Partitions as lanes, and in them the records in the order in which a consumer really read them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair
import pandas as pd
import traitlets

from eventlab.show import charts, entries, markup
from eventlab.show.entries import FLAGS, MARKS
from eventlab.show.palette import SERIES, VERMILLION
from eventlab.show.widget import PictureWidget

_LANE = 28  # pixels, of the static picture
_MOST_DRAWN = 600  # entries in the static picture: more are thinner than a pixel, and megabytes of SVG
_MOST_ENDS = 6  # partitions whose ends are told one by one


class Lanes(PictureWidget):
    """The widget. ``cursor`` is the entry read last, from 0; ``highlight`` a key, or "" for none.

    Entries are the records and, between them, the marks of the log: without marks, ``cursor`` counts records.
    Both can be read, set and observed. Raises traitlets.TraitError for an entry or key that is not there.
    """

    _esm = Path(__file__).with_name("lanes.js")
    cursor = traitlets.Int(help="the entry read last, from 0").tag(sync=True)
    highlight = traitlets.Unicode(help="the key to look at, or an empty text").tag(sync=True)
    _entries = traitlets.Dict().tag(sync=True)
    _names = traitlets.Dict().tag(sync=True)
    _palette = traitlets.List(list(SERIES)).tag(sync=True)
    _alt = traitlets.Unicode().tag(sync=True)

    def __init__(self, frame: pd.DataFrame, marks: pd.DataFrame, highlight: str) -> None:
        self._frame, self._marks = frame, marks
        self._row = row = entries.merged(frame, marks)
        self._keys = frame["key"].unique().tolist()
        self._partitions = sorted(row["partition"].unique().tolist())
        self._flagged = {flag: frame[frame[flag]] for flag in FLAGS if frame[flag].any()}
        keys_of = {flag: set(found["key"]) for flag, found in self._flagged.items()}
        super().__init__(
            cursor=len(row) - 1,
            highlight=highlight,
            _entries={
                **{name: row[name].tolist() for name in ("version", "label", "offset", "last", "kind", "read")},
                "key": pd.Categorical(row["key"].where(row["kind"] == ""), self._keys).codes.tolist(),
                "partition": pd.Categorical(row["partition"], self._partitions).codes.tolist(),
                "time": row["timestamp"].dt.strftime("%H:%M:%S.%f").str[:-3].fillna("").tolist(),
                "flags": (row[list(FLAGS)].astype(int) @ [1 << place for place in range(len(FLAGS))]).tolist(),
            },
            _names={
                "keys": self._keys,
                "partitions": self._partitions,
                "signs": [
                    "".join(FLAGS[flag][0] for flag, keys in keys_of.items() if key in keys) for key in self._keys
                ],
                "flags": [{"sign": sign, "says": says} for sign, says in FLAGS.values()],
                "marks": {kind: short for kind, (short, _) in MARKS.items()},
            },
        )
        self._alt = self.alt

    @traitlets.validate("cursor")
    def _known_entry(self, proposal: Any) -> int:
        if not 0 <= proposal["value"] < len(self._row):
            raise traitlets.TraitError(f"there is no entry {proposal['value']}: they go from 0 to {len(self._row) - 1}")
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
        text = [
            f"Partitions as lanes ({len(self._partitions)}): {len(frame):,} records of {keys:,} keys, "
            "from left to right in the order of reading."
        ]
        for flag in dict.fromkeys(["inverted", *self._flagged]):
            found = frame[frame[flag]]
            text.append(
                f"{FLAGS[flag][1].capitalize()}: {len(found):,} of {len(frame):,} records, "
                f"in {found['key'].nunique():,} of {keys:,} keys."
            )
        text += self._marks_in_words()
        if self.highlight:
            story = ", ".join(map(str, frame.loc[frame["key"] == self.highlight, "version"]))
            text.append(f"Highlighted: {self.highlight}, read in the versions {story}.")
        return " ".join(text)

    def _marks_in_words(self) -> list[str]:
        ends = self._marks[self._marks["kind"].isin(["last stable offset", "high watermark"])]
        between = self._marks.drop(ends.index)["kind"].value_counts()
        counted = [f"{MARKS[kind][1]} {count:,} ×" for kind, count in between.items()]
        text = [f"Between them: {', '.join(counted)}."] if counted else []
        for partition, found in list(ends.groupby("partition"))[:_MOST_ENDS]:
            told = ", ".join(f"{kind} {offset}" for kind, offset in zip(found["kind"], found["offset"], strict=True))
            text.append(f"Partition {partition}: {told}.")
        return text

    def _page(self) -> str:
        counts = {flag: (flag, "sum") for flag in dict.fromkeys(["inverted", *self._flagged])}
        lanes = self._frame.groupby("partition").agg(records=("offset", "size"), keys=("key", "nunique"), **counts)
        story = self._row[self._row["key"] == self.highlight] if self.highlight else self._row
        first, picture = self._svg()
        cut = ""
        if len(self._row) > _MOST_DRAWN:
            cut = f" The picture shows {_MOST_DRAWN} of them, from the {first + 1:,}. on."
        return markup.figure(
            picture,
            self.alt + cut,
            markup.frame_table(lanes.reset_index().rename(columns={flag: FLAGS[flag][1] for flag in counts})),
            markup.frame_table(entries.in_words(story)),
        )

    def _svg(self) -> tuple[int, str]:
        """Each record a bar in its lane, signs where something is wrong with it, versions on the highlighted key.

        Of many entries only some, so that the first that is wrong can be seen; and the place of the first.
        """
        story = (self._row["key"] == self.highlight) | (not self.highlight)
        wrong = story & self._row[list(FLAGS)].any(axis=1)
        look_at = int((wrong if wrong.any() else story).idxmax())
        first = max(0, min(look_at - _MOST_DRAWN // 2, len(self._row) - _MOST_DRAWN))
        part = self._row.iloc[first : first + _MOST_DRAWN]
        frame = part[["partition", "key", "version", "kind"]].reset_index(names="at")
        frame["middle"] = frame["at"] + 0.45
        frame["end"] = frame["at"] + 0.9
        frame["seen"] = ((frame["key"] == self.highlight) | (not self.highlight)).map({True: 1.0, False: 0.25})
        frame["signs"] = ["".join(FLAGS[flag][0] for flag in FLAGS if row[flag]) for _, row in part.iterrows()]
        frame["short"] = frame["kind"].map({kind: short for kind, (short, _) in MARKS.items()}).fillna("")
        places = pd.Index(self._keys).get_indexer(frame["key"])
        frame["colour"] = [SERIES[place % len(SERIES)] for place in places]
        records, marks = frame[frame["kind"] == ""], frame[frame["kind"] != ""]
        span = [first, first + len(frame)]
        lane = altair.Y("partition:N").title("partition").scale(domain=self._partitions)
        at = altair.X("at:Q").scale(domain=span, nice=False).axis(grid=False).title("order of reading")
        middle = altair.X("middle:Q").scale(domain=span, nice=False)
        bars = altair.Chart(records).mark_rect()
        bars = bars.encode(
            x=at,
            x2="end:Q",
            y=lane,
            color=altair.Color("colour:N").scale(None),
            opacity=altair.Opacity("seen:Q").scale(None),
        )
        layers = [
            bars,
            _words(frame[frame["signs"] != ""], "signs", middle, lane, color=VERMILLION, dy=10, fontSize=11),
            _words(records[records["key"] == self.highlight], "version", middle, lane, fontWeight="bold"),
            _words(marks, "short", middle, lane, fontSize=10),
        ]
        height = _LANE * len(self._partitions)
        return first, charts.svg(altair.layer(*layers).properties(width=charts.WIDTH, height=height))


def _words(frame: pd.DataFrame, column: str, x: altair.X, y: altair.Y, **look: Any) -> altair.Chart:
    chart: altair.Chart = altair.Chart(frame).mark_text(baseline="middle", **look)
    return chart.encode(x=x, y=y, text=f"{column}:N")


def lanes(
    records: pd.DataFrame | Sequence[object],
    highlight: str | None = None,
    marks: pd.DataFrame | Sequence[object] = (),
) -> Lanes:
    """The lanes of a topic as one consumer saw it.

    ``records``: a data frame, or dataclass instances, with ``partition``, ``offset``, ``key`` (of the entity),
    ``label`` (what happened, in a word or two), ``version`` (in the entity's story), ``order`` (of reading),
    ``timestamp`` (a time, or milliseconds since 1970) and, where a checker marked them, ``inverted`` (out of order
    within its key), ``duplicate`` (the same version was read before), ``gap`` (versions before it never came) and
    ``aborted`` (its transaction was).
    ``highlight``: the key to look at; by default the one with the most records of which something is wrong.
    ``marks``: what the log has beside records, with ``partition``, ``offset`` and ``kind``: ``commit``, ``abort``,
    ``last stable offset`` or ``high watermark`` (the offset is the first that is not stable, or not written). Offsets
    between these and the records are marked as having no record; a last stable offset is shown when it is behind.
    Raises ValueError when there are no records, a column is missing, or a kind unknown.
    """
    frame = entries.records(records)
    wrong = frame.loc[frame[list(FLAGS)].any(axis=1), "key"]
    worst = wrong.mode()[0] if len(wrong) else ""
    return Lanes(frame, entries.marks(marks, frame), worst if highlight is None else highlight)
