"""A slider over the history of one stream: at each version the event in words, what it changed, and the whole state.

The browser gets the picture, one moment per version, and one step at a time: the next step is asked from
Python, so that a history of 100,000 events opens as fast as one of ten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import altair
import numpy as np
import pandas as pd
import traitlets

from eventlab.domain.money import Money
from eventlab.history import Step
from eventlab.history.changes import parts
from eventlab.show import charts, markup, words
from eventlab.show.palette import BLUE, VERMILLION
from eventlab.show.widget import PictureWidget

# The picture, in pixels: the plot, and what stands around it for the axes.
_WIDTH, _HEIGHT = 720, 160
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 14, 12, 28
_TICKS = 10
_ROWS_AROUND = 50  # of the table that stands for the widget where no kernel runs


@dataclass(frozen=True, slots=True)
class _Line:
    """The number that the chart follows: one value per version, NaN where there is none yet."""

    name: str
    unit: str
    times: np.ndarray[Any, np.dtype[np.float64]]  # milliseconds since 1970, UTC
    values: np.ndarray[Any, np.dtype[np.float64]]

    @classmethod
    def of(cls, steps: Sequence[Step[Any]], name: str) -> "_Line":
        found, times = [], []
        for number, step in enumerate(steps, start=steps[0].version):
            if step.version != number:
                raise ValueError(f"the history must be whole, but version {number} is missing")
            found.append(getattr(step.state, name))
            times.append(step.time.timestamp() * 1000)
        units = {value.currency for value in found if isinstance(value, Money) and value.minor}
        amounts = [value.amount if isinstance(value, Money) else value for value in found]
        return cls(
            name.replace("_", " "),
            " ".join(sorted(units)),
            np.array(times),
            np.array([np.nan if amount is None else float(amount) for amount in amounts]),
        )

    @property
    def title(self) -> str:
        return f"{self.name} in {self.unit}" if self.unit else self.name

    def frame(self) -> dict[str, float]:
        """Where the plot lies in the picture, and which moments and values its edges stand for."""
        low, high = (0.0, 0.0) if np.isnan(self.values).all() else (np.nanmin(self.values), np.nanmax(self.values))
        low, high = min(low, 0.0), max(high, 0.0)
        margin = (high - low) * 0.05 or 1.0
        start, end = float(self.times.min()), float(self.times.max())
        return {
            "left": _LEFT, "top": _TOP, "width": _WIDTH, "height": _HEIGHT,
            "start": start, "end": end if end > start else start + 1,
            "low": float(low - margin * (low < 0)), "high": float(high + margin),
        }  # fmt: skip

    def points(self) -> pd.DataFrame:
        """At most four points per pixel column, first, last, lowest and highest, which draw the same line.

        The method is M4 (Jugel et al. 2014, Proceedings of the VLDB Endowment 7, 797).
        """
        frame = pd.DataFrame({"time": self.times, "value": self.values}).dropna()
        span = max(self.times.max() - self.times.min(), 1.0)
        columns = frame.groupby(((frame["time"] - self.times.min()) / span * _WIDTH).astype(int))["value"]
        edges = [columns.head(1).index, columns.tail(1).index, columns.idxmin(), columns.idxmax()]
        return frame.loc[np.unique(np.concatenate(edges))]

    def svg(self, now: int | None = None) -> str:
        """The picture; with ``now``, an index, also the cursor."""
        frame = self.frame()
        x = (
            altair.X("time:T")
            .scale(type="utc", domain=[frame["start"], frame["end"]], nice=False)
            # Flush, because the picture has no room beside the line.
            .axis(tickCount=_TICKS, labelOverlap="greedy", labelSeparation=6, labelFlush=True)
            .title(None)
        )
        y = altair.Y("value:Q").scale(domain=[frame["low"], frame["high"]], nice=False).title(self.title)
        line = altair.Chart(self.points()).mark_line(interpolate="step-after", color=BLUE).encode(x=x, y=y)
        if now is not None:
            here = altair.Chart(pd.DataFrame({"time": [self.times[now]], "value": [self.values[now]]}))
            dot = here.mark_circle(color=VERMILLION, size=100, opacity=1).encode(x=x, y=y)
            line = line + here.mark_rule(color="currentColor").encode(x=x) + dot
        padding = {"left": _LEFT, "right": _RIGHT, "top": _TOP, "bottom": _BOTTOM}
        sized = line.properties(width=_WIDTH, height=_HEIGHT, padding=padding)
        return charts.svg(sized.properties(autosize=altair.AutoSizeParams(type="none")))


class Timeline(PictureWidget):
    """The slider. ``version`` can be read, set and observed; ``step`` is the step shown.

    Raises traitlets.TraitError when ``version`` is set to one that the history does not have.
    """

    _esm = Path(__file__).with_name("timeline.js")
    version = traitlets.Int(help="the version shown").tag(sync=True)
    _shape = traitlets.Dict().tag(sync=True)
    _picture = traitlets.Unicode().tag(sync=True)
    _times = traitlets.Bytes().tag(sync=True)
    _now = traitlets.Dict().tag(sync=True)

    def __init__(self, steps: Sequence[Step[Any]], line: str) -> None:
        self._steps, self._line_name, self._line = steps, line, _Line.of(steps, line)
        super().__init__(
            version=steps[-1].version,
            _shape={"first": steps[0].version, "last": steps[-1].version, "alt": self.alt, "frame": self._line.frame()},
            _picture=self._line.svg(),
            _times=self._line.times.astype("<f8").tobytes(),
        )

    @property
    def step(self) -> Step[Any]:
        """The step shown: its version, time, event and state."""
        return self._steps[self._index]

    @property
    def _index(self) -> int:
        return self.version - self._steps[0].version

    @traitlets.validate("version")
    def _known(self, proposal: Any) -> int:
        version, first, last = proposal["value"], self._steps[0].version, self._steps[-1].version
        if not first <= version <= last:
            raise traitlets.TraitError(f"there is no version {version}: this history has versions {first} to {last}")
        return int(version)

    @traitlets.observe("version")
    def _describe(self, _: object) -> None:
        step, number = self.step, self._line.values[self._index]
        changed = {change.field for change in step.changes}
        self._now = {
            "version": step.version,
            "time": words.moment(step.time),
            "event": str(step.event),
            "value": None if np.isnan(number) else float(number),
            "changes": [
                (change.field, words.value(change.before), words.value(change.after)) for change in step.changes
            ],
            "state": [(name, text, name in changed) for name, text in words.rows(step.state)],
            "spoken": self._spoken(step),
        }

    def _spoken(self, step: Step[Any]) -> str:
        return (
            f"Version {step.version} of {self._steps[-1].version}, {words.moment(step.time)}: {step.event}. "
            f"{self._line.name.capitalize()} {self._number(step)}"
        )

    @property
    def alt(self) -> str:
        """What the chart shows, in words."""
        first, last, line = self._steps[0], self._steps[-1], self._line
        text = (
            f"The {line.title} over versions {first.version} to {last.version}, "
            f"from {words.moment(first.time)} to {words.moment(last.time)}"
        )
        if np.isnan(line.values).all():
            return f"{text}: no value yet."
        lowest, highest = self._steps[int(np.nanargmin(line.values))], self._steps[int(np.nanargmax(line.values))]
        return (
            f"{text}: lowest {self._number(lowest)} at version {lowest.version}, "
            f"highest {self._number(highest)} at version {highest.version}, at the end {self._number(last)}."
        )

    def _number(self, step: Step[Any]) -> str:
        """The number that the chart follows, in words."""
        return words.value(getattr(step.state, self._line_name))

    def _page(self) -> str:
        now, index = self._now, self._index
        near = self._steps[max(index - _ROWS_AROUND, 0) : index + _ROWS_AROUND]
        rows = [(step.version, step.time, str(step.event), self._number(step)) for step in near]
        return markup.figure(
            self._line.svg(index),
            f"{self.alt} The cursor stands at: {now['spoken']}.",
            markup.table(
                ("", "before", "after"), now["changes"], f"What version {self.version} changed: {now['event']}"
            ),
            markup.table(
                ("", "value"), ((name, text) for name, text, _ in now["state"]), f"The state at version {self.version}"
            ),
            markup.table(("version", "time", "event", self._line.name), rows, "The history around it"),
        )


def timeline(steps: Sequence[Step[Any]], line: str) -> Timeline:
    """A slider over the history of one stream.

    ``steps``: one per version and none left out, as :func:`eventlab.history.steps` gives them.
    ``line``: the name of the number in the state that the chart follows over time (money or a number): ``"balance"``.
    Raises ValueError when there are no steps, a version is missing, or the state has no such number.
    """
    if not steps:
        raise ValueError("there is no history to show: the stream has no events")
    if line not in (names := parts(steps[-1].state)):
        raise ValueError(f"the state has no {line!r} for the chart to follow; it has {', '.join(names)}")
    return Timeline(steps, line)
