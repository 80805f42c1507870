"""Both time axes of one entity: what was believed when (upwards) about when (to the right), to be pointed at.

The picture is the one that bitemporal databases are explained with (Snodgrass 1999, *Developing Time-Oriented Database
Applications in SQL*, chapter 10): each region of one colour is a row of a bitemporal table.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import altair
import numpy as np
import pandas as pd
import traitlets

from eventlab.domain.money import Money
from eventlab.events.envelope import Recorded
from eventlab.history import Bitemporal
from eventlab.history.changes import parts
from eventlab.history.moments import instant
from eventlab.show import charts, markup, words
from eventlab.show.palette import VERMILLION
from eventlab.show.widget import PictureWidget

# The picture, in pixels: the plot, and what stands around it for the axes and the legend.
_WIDTH, _HEIGHT = 700, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 92, 14, 34, 48
_TICKS = 8
_ROOM = 0.06  # of the span: what the last moment of an axis has for itself
_LEAST_ROOM = timedelta(hours=1)
# Tints on which black can be read, in a dark theme too: below zero, zero, above.
_BELOW, _ZERO, _ABOVE = "#f2a65a", "#f2f2f2", "#6fb7e6"
_INK = "#000000"
_LETTER, _LINE = 7, 14  # pixels that a letter and a line of a label need
_LEGEND = "○ recorded when it happened  ·  ◆ recorded late  ·  ┄ valid time = recorded time"
_ROWS = 8  # of the tables that describe one point


@dataclass(frozen=True, slots=True)
class _Region:
    """What was believed from one recorded time to another about one stretch of valid time; None: still, or for ever."""

    recorded_from: datetime
    recorded_to: datetime | None
    valid_from: datetime
    valid_to: datetime | None
    value: Any


def _regions(both: Bitemporal[Any], line: str) -> Iterator[_Region]:
    """The picture as few rectangles: first along the valid axis, then rows that are alike along the recorded one."""
    valid, recorded = [*both.valid, None], [*both.recorded, None]
    begun: dict[tuple[int, int, Any], int] = {}
    for r, states in enumerate([*both.states, ()]):
        runs = set(_runs([getattr(state, line) for state in states]))
        for run in [run for run in begun if run not in runs]:
            start, end, value = run
            since = both.recorded[begun.pop(run)]
            yield _Region(since, recorded[r], both.valid[start], valid[end], value)
        for run in runs:
            begun.setdefault(run, r)


def _runs(values: Sequence[Any]) -> Iterator[tuple[int, int, Any]]:
    for value, places in groupby(range(len(values)), values.__getitem__):
        run = list(places)
        if value is not None:
            yield run[0], run[-1] + 1, value


def _number(value: Any) -> float:
    return float(value.amount if isinstance(value, Money) else value)


def _span(moments: Sequence[datetime]) -> tuple[datetime, datetime]:
    return moments[0], moments[-1] + max((moments[-1] - moments[0]) * _ROOM, _LEAST_ROOM)


def _milliseconds(time: datetime) -> float:
    return time.timestamp() * 1000


class TwoTimes(PictureWidget):
    """The widget. ``valid`` and ``recorded`` are places on the axes, from 0; they can be read, set and observed.

    ``time``, ``known_at`` and ``state`` say what stands there. Raises traitlets.TraitError for a place that is not
    there.
    """

    _esm = Path(__file__).with_name("two_times.js")
    valid = traitlets.Int(help="the place on the valid axis, from 0").tag(sync=True)
    recorded = traitlets.Int(help="the place on the recorded axis, from 0").tag(sync=True)
    _shape = traitlets.Dict().tag(sync=True)
    _picture = traitlets.Unicode().tag(sync=True)
    _valid = traitlets.Bytes().tag(sync=True)
    _recorded = traitlets.Bytes().tag(sync=True)
    _now = traitlets.Dict().tag(sync=True)

    def __init__(self, both: Bitemporal[Any], line: str, time: datetime, known_at: datetime) -> None:
        self._both, self._line = both, line
        self._name = line.replace("_", " ")
        self._regions = sorted(_regions(both, line), key=lambda each: (each.recorded_from, each.valid_from))
        self._spans = _span(both.valid), _span(both.recorded)
        super().__init__(
            valid=bisect_right(both.valid, time) - 1,
            recorded=bisect_right(both.recorded, known_at) - 1,
            _shape={"alt": self.alt, "axes": self._axes()},
            _picture=self._svg(),
            _valid=np.array([_milliseconds(moment) for moment in both.valid], "<f8").tobytes(),
            _recorded=np.array([_milliseconds(moment) for moment in both.recorded], "<f8").tobytes(),
        )
        self._describe(None)

    @property
    def time(self) -> datetime:
        """The valid time at which the cursor stands: what the belief is about."""
        return self._both.valid[self.valid]

    @property
    def known_at(self) -> datetime:
        """The recorded time at which the cursor stands: when it was believed."""
        return self._both.recorded[self.recorded]

    @property
    def state(self) -> Any:
        """What was believed there."""
        return self._both.states[self.recorded][self.valid]

    @traitlets.validate("valid", "recorded")
    def _known_place(self, proposal: Any) -> int:
        axis, place = proposal["trait"].name, proposal["value"]
        last = len(getattr(self._both, axis)) - 1
        if not 0 <= place <= last:
            raise traitlets.TraitError(f"there is no {axis} place {place}: they go from 0 to {last}")
        return int(place)

    @traitlets.observe("valid", "recorded")
    def _describe(self, _: object) -> None:
        happened = sorted(
            (event for event in self._both.events if event.valid_time <= self.time), key=lambda event: event.valid_time
        )
        later = [event for event in happened if event.recorded_time > self.known_at]
        self._now = {
            "valid": words.moment(self.time),
            "recorded": words.moment(self.known_at),
            "headline": self._headline(),
            "when": self._in_the_end(later),
            "later": _listed("Had happened, and was recorded later", later),
            "known": _listed("Known then", [event for event in happened if event.recorded_time <= self.known_at]),
        }

    def _headline(self) -> str:
        return (
            f"Known at {words.moment(self.known_at)} about {words.moment(self.time)}: "
            f"{self._name} {words.value(getattr(self.state, self._line))}"
        )

    def _in_the_end(self, later: Sequence[Recorded]) -> str:
        end = words.value(getattr(self._both.states[-1][self.valid], self._line))
        if not later:
            return f"Nothing about that time was recorded later: {end} to this day."
        events = "1 event was" if len(later) == 1 else f"{len(later)} events were"
        return f"{events} recorded later: {end} as known at {words.moment(self._both.recorded[-1])}."

    @property
    def alt(self) -> str:
        """What the picture shows, in words."""
        both, late = self._both, self._both.late
        text = (
            f"The {self._name} on two time axes: valid time to the right, {words.moment(both.valid[0])} to "
            f"{words.moment(both.valid[-1])}; recorded time upwards, {words.moment(both.recorded[0])} to "
            f"{words.moment(both.recorded[-1])}. {len(late)} of {len(both.events)} events were recorded late."
        )
        if not late:
            return f"{text} Whatever was believed about a time is still believed."
        latest = max(late, key=lambda event: event.recorded_time - event.valid_time)
        return (
            f"{text} The latest: {latest.event}, happened {words.moment(latest.valid_time)}, recorded "
            f"{words.moment(latest.recorded_time)}."
        )

    def _axes(self) -> list[dict[str, float]]:
        """For each axis the edges of the plot in the picture, and the moments that they stand for."""
        edges = (_LEFT, _LEFT + _WIDTH), (_TOP + _HEIGHT, _TOP)
        return [
            {"from": near, "to": far, "start": _milliseconds(start), "end": _milliseconds(end)}
            for (near, far), (start, end) in zip(edges, self._spans, strict=True)
        ]

    def _rectangles(self) -> pd.DataFrame:
        (_, right), (_, top) = self._spans
        frame = pd.DataFrame(
            [
                {
                    "x": each.valid_from,
                    "x2": each.valid_to or right,
                    "y": each.recorded_from,
                    "y2": each.recorded_to or top,
                    "value": _number(each.value),
                    "label": f"{each.value.amount if isinstance(each.value, Money) else each.value:,}",
                }
                for each in self._regions
            ],
            columns=["x", "x2", "y", "y2", "value", "label"],
        )
        (left, _), (bottom, _) = self._spans
        frame["wide"] = (frame["x2"] - frame["x"]) / (right - left) * _WIDTH
        frame["high"] = (frame["y2"] - frame["y"]) / (top - bottom) * _HEIGHT
        frame["readable"] = (frame["wide"] > frame["label"].str.len() * _LETTER) & (frame["high"] > _LINE)
        frame["middle_x"] = frame["x"] + (frame["x2"] - frame["x"]) / 2
        frame["middle_y"] = frame["y"] + (frame["y2"] - frame["y"]) / 2
        return frame

    def _svg(self, cursor: bool = False) -> str:
        frame = self._rectangles()

        def axis(kind: Any, column: str, span: tuple[datetime, datetime], title: str) -> Any:
            scale = altair.Scale(type="utc", domain=[_milliseconds(end) for end in span], nice=False)
            ticks = altair.Axis(
                tickCount=_TICKS,
                labelOverlap="greedy",
                labelSeparation=6,
                labelFlush=kind is altair.X,  # the picture has no room beside the plane
                grid=False,
                titlePadding=10,
            )
            return kind(column, type="temporal", scale=scale, axis=ticks, title=title)

        def x(column: str) -> Any:
            return axis(altair.X, column, self._spans[0], "valid time: when it happened")

        def y(column: str) -> Any:
            return axis(altair.Y, column, self._spans[1], "recorded time: when we knew")

        low, high = (float(frame["value"].min()), float(frame["value"].max())) if len(frame) else (0.0, 0.0)
        stops = {min(low, -1.0): _BELOW, 0.0: _ZERO, max(high, 1.0): _ABOVE}
        colour = altair.Color("value:Q").scale(domain=list(stops), range=list(stops.values())).legend(None)
        areas = altair.Chart(frame).mark_rect(stroke=_INK, strokeWidth=0.4).encode(x("x"), y("y"), color=colour)
        areas = areas.encode(x2="x2:T", y2="y2:T")
        labels = altair.Chart(frame[frame["readable"]]).mark_text(color=_INK, baseline="middle")
        layers = [areas, self._diagonal(x, y), labels.encode(x("middle_x"), y("middle_y"), text="label:N")]
        layers += self._marks(x, y)
        if cursor:
            here = altair.Chart(pd.DataFrame({"time": [self.time], "known": [self.known_at]}))
            dot = here.mark_circle(color=VERMILLION, stroke=_INK, size=120, opacity=1)
            layers += [here.mark_rule(color=_INK).encode(x("time"))]
            layers += [here.mark_rule(color=_INK).encode(y("known")), dot.encode(x("time"), y("known"))]
        sized = altair.layer(*layers).properties(
            width=_WIDTH,
            height=_HEIGHT,
            padding={"left": _LEFT, "right": _RIGHT, "top": _TOP, "bottom": _BOTTOM},
            autosize=altair.AutoSizeParams(type="none"),
            title=altair.TitleParams(
                _LEGEND, anchor="start", fontSize=12, fontWeight="normal", color="currentColor", offset=8
            ),
        )
        return charts.svg(sized)

    def _diagonal(self, x: Any, y: Any) -> Any:
        """Where a fact lies that is recorded when it happens."""
        (left, right), (bottom, top) = self._spans
        ends = [max(left, bottom), min(right, top)]
        there = ends if ends[0] < ends[1] else []
        line = altair.Chart(pd.DataFrame({"time": pd.to_datetime(there, utc=True)}))
        return line.mark_line(color=_INK, strokeDash=[3, 3], strokeWidth=1).encode(x("time"), y("time"))

    def _marks(self, x: Any, y: Any) -> list[Any]:
        """The events that lie in the picture: a ring when recorded at once, a diamond when late."""
        both = self._both
        seen = [
            {"time": event.valid_time, "known": event.recorded_time, "late": event.recorded_time > event.valid_time}
            for event in both.events
            if event.valid_time >= both.valid[0] and event.recorded_time >= both.recorded[0]
        ]
        frame = pd.DataFrame(seen, columns=["time", "known", "late"])
        late = frame["late"].astype(bool)
        ring = altair.Chart(frame[~late]).mark_point(color=_INK, size=30, fill="white", opacity=1)
        diamond = altair.Chart(frame[late]).mark_point(color=_INK, size=90, shape="diamond", filled=True, opacity=1)
        return [kind.encode(x("time"), y("known")) for kind in (ring, diamond)]

    def _page(self) -> str:
        now = self._now
        periods = [
            (each.recorded_from, each.recorded_to, each.valid_from, each.valid_to, each.value)
            for each in self._regions[: markup.MOST_ROWS]
        ]
        cut = "" if len(self._regions) <= len(periods) else f", the first {len(periods)} of {len(self._regions):,}"
        columns = ("recorded from", "recorded to", "valid from", "valid to", self._name)
        events = ("happened", "recorded", "event")
        return markup.figure(
            self._svg(cursor=True),
            f"{self.alt} The cursor stands at: {now['headline']}. {now['when']}",
            markup.table(events, now["later"]["rows"], now["later"]["caption"]),
            markup.table(events, now["known"]["rows"], now["known"]["caption"]),
            markup.table(columns, periods, f"What was believed{cut}"),
        )


def _listed(caption: str, events: Sequence[Recorded]) -> dict[str, Any]:
    shown = events[-_ROWS:]
    cut = f", the last {_ROWS} of {len(events):,}" if len(events) > _ROWS else ""
    rows = [(words.moment(each.valid_time), words.moment(each.recorded_time), str(each.event)) for each in shown]
    return {"caption": f"{caption}{cut}" if events else f"{caption}: nothing", "rows": rows}


def two_times(
    both: Bitemporal[Any],
    line: str,
    time: datetime | str | None = None,
    known_at: datetime | str | None = None,
) -> TwoTimes:
    """A picture of both time axes, with a cursor on each.

    ``both``: what :func:`eventlab.history.bitemporal` gives.
    ``line``: the name of the number in the state that is drawn (money or a number): ``"balance"``.
    ``time``, ``known_at``: where the cursors stand at first, on the valid and the recorded axis; by default at the end.
    Raises ValueError when the state has no such number, and for a moment before the picture begins or in the
    future.
    """
    if line not in (names := parts(both.states[-1][-1])):
        raise ValueError(f"the state has no {line!r} to draw; it has {', '.join(names)}")
    places = [
        both.valid[-1] if time is None else instant(time),
        both.recorded[-1] if known_at is None else instant(known_at),
    ]
    both.at(*places)
    return TwoTimes(both, line, *places)
