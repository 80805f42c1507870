"""Brokers as lanes over time: who led a partition, whose copy was in sync, whose process was paused or dead."""

from collections.abc import Mapping
from typing import Any

import altair
import pandas as pd

from eventlab.cluster.watch import Timeline
from eventlab.show import charts
from eventlab.show.charts import Figure
from eventlab.show.palette import BLUE, GREEN, ORANGE, SKY, VERMILLION

_LANE = 58  # pixels
# What the cluster takes a broker for: how much of its lane the bar fills, and its colour.
_ROLES = {"leader": (0.5, BLUE), "in sync": (0.3, SKY), "out of sync": (0.12, ORANGE), "no copy": (0.02, GREEN)}
_PROCESSES: Mapping[str, Mapping[str, Any]] = {
    "running": {"opacity": 1},
    "paused": {"opacity": 0.35},
    "dead": {"fillOpacity": 0, "stroke": VERMILLION, "strokeDash": [4, 3], "strokeWidth": 1.5},
}
_BASE = 0.3  # of a lane: what is below the bars
_LETTER = 6.5  # pixels that a letter of a label needs
_NOTE = 12  # pixels: the height of a note; they stand on two lines in turn
_LEGEND = "tall: leader  ·  medium: in sync  ·  low: out of sync  ·  line: no copy  ·  pale: paused  ·  outline: dead"


def brokers(timeline: Timeline) -> Figure:
    """What a watch saw (:mod:`eventlab.cluster.watch`), a lane per broker, with the notes as lines across all of them.

    Raises ValueError when it has seen nothing yet.
    """
    if not timeline.samples:
        raise ValueError("there is nothing to show: the watch has not looked yet")
    table = stretches(timeline)
    return charts.figure(_chart(table, timeline), _alt(table, timeline), table)


def stretches(timeline: Timeline) -> pd.DataFrame:
    """A row for each stretch of time in which nothing about a broker changed; times in seconds."""
    rows: list[tuple[int, float, float, str, str]] = []
    for broker in timeline.samples[-1].brokers:
        seen = [(sample.seconds, sample.brokers[broker], sample.role(broker)) for sample in timeline.samples]
        changes = [at for at, (_, *now) in enumerate(seen) if at == 0 or now != [*seen[at - 1][1:]]]
        for at, following in zip(changes, [*changes[1:], len(seen) - 1], strict=True):
            rows.append((broker, round(seen[at][0], 1), round(seen[following][0], 1), seen[at][1], seen[at][2]))
    return pd.DataFrame(rows, columns=["broker", "from", "to", "process", "counts as"])


def _alt(table: pd.DataFrame, timeline: Timeline) -> str:
    span = timeline.samples[-1].seconds - timeline.samples[0].seconds
    text = [f"{table['broker'].nunique()} brokers as lanes over {span:.1f} s."]
    for broker, found in table.groupby("broker"):
        told = [f"{row['from']:.1f} s {_words(row['counts as'], row['process'])}" for _, row in found.iterrows()]
        text.append(f"Broker {broker}: from {', from '.join(told)}.")
    text.append(f"Without a leader that runs: {timeline.leaderless:.1f} s.")
    text += [f"At {seconds:.1f} s: {note}." for seconds, note in timeline.notes]
    return " ".join(text)


def _words(role: str, process: str) -> str:
    return role if process == "running" else f"{role}, {process}"


def _chart(table: pd.DataFrame, timeline: Timeline) -> Any:
    first, last = timeline.samples[0].seconds, max(timeline.samples[-1].seconds, timeline.samples[0].seconds + 1)
    lanes = sorted(table["broker"].unique(), reverse=True)
    frame = _bars(table, lanes)
    room = (frame["to"] - frame["from"]) / (last - first) * charts.WIDTH
    readable = frame[frame["says"].str.len() * _LETTER < room]
    x = altair.X("from:Q", title="seconds", axis=altair.Axis(grid=False))
    x = x.scale(domain=[first, last], nice=False)
    names = " : ".join(f"datum.value == {lane + 0.5} ? 'broker {name}'" for lane, name in enumerate(lanes))
    axis = altair.Axis(values=[lane + 0.5 for lane in range(len(lanes))], labelExpr=f"{names} : ''", grid=False)
    y = altair.Y("low:Q", title=None, axis=axis).scale(domain=[0, len(lanes)], nice=False)
    colour = altair.Color("colour:N").scale(None)
    layers = [
        altair.Chart(frame[frame["process"] == process]).mark_rect(**look).encode(x, y, colour, x2="to:Q", y2="high:Q")
        for process, look in _PROCESSES.items()
    ]
    words = altair.Chart(readable).mark_text(align="left", baseline="bottom", dx=2, dy=-2, fontSize=11)
    layers.append(words.encode(x, altair.Y("high:Q"), text="says:N"))
    for place, (seconds, text) in enumerate(timeline.notes):
        note = altair.Chart(pd.DataFrame({"from": [seconds], "note": [text]})).encode(x)
        near_the_left = (seconds - first) / (last - first) * charts.WIDTH < len(text) * _LETTER
        side: dict[str, Any] = {"align": "left", "dx": 3} if near_the_left else {"align": "right", "dx": -3}
        told = note.mark_text(**side, baseline="bottom", dy=-_NOTE * (1 + place % 2), fontSize=11)
        layers += [
            note.mark_rule(color="currentColor", strokeDash=[2, 3]),
            told.encode(y=altair.value(0), text="note:N"),
        ]
    title = altair.TitleParams(
        _LEGEND, anchor="start", fontSize=12, fontWeight="normal", color="currentColor", offset=14
    )
    return altair.layer(*layers).properties(width=charts.WIDTH, height=_LANE * len(lanes), title=title)


def _bars(table: pd.DataFrame, lanes: list[int]) -> pd.DataFrame:
    low = table["broker"].map(lanes.index) + _BASE
    return pd.DataFrame(
        {
            "from": table["from"],
            "to": table["to"],
            "low": low,
            "high": low + [_ROLES[role][0] for role in table["counts as"]],
            "colour": [_ROLES[role][1] for role in table["counts as"]],
            "says": [_words(*both) for both in zip(table["counts as"], table["process"], strict=True)],
            "process": table["process"],
        }
    )
