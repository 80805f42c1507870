"""What came of the race: which events a reader never got, what the cure cost, who did what when."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import quantiles
from typing import Any

import altair
import pandas as pd

from eventlab import show
from eventlab.show import markup
from eventlab.show.charts import WIDTH, Figure
from eventlab.show.palette import BLUE, GREEN, PURPLE, SKY, VERMILLION

LOST = "committed events were never read"
_BAR_HEIGHT = 22  # pixels
_LOOKS = {
    "draws": (PURPLE, "square"),
    "waits": (SKY, "circle"),
    "commits": (GREEN, "diamond"),
    "reads": (BLUE, "triangle-up"),
    "finds nothing": (VERMILLION, "cross"),
}


@dataclass(frozen=True)
class Step:
    """``who`` (first, second, reader) does what, with which positions."""

    who: str
    does: str
    positions: tuple[int, ...] = ()


@dataclass(frozen=True)
class Result:
    """``written`` is what a fresh query finds committed, ``seen`` what the subscriber got, in its order, live.

    ``replayed`` is what a subscriber with the same cure gets that begins at zero afterwards. ``seconds``: from the
    first append to the last commit. ``delays``: seconds from each commit to the subscriber, of the events that it got.
    """

    cure: str
    written: tuple[int, ...]
    seen: tuple[int, ...]
    replayed: tuple[int, ...] = ()
    seconds: float = 0.0
    delays: tuple[float, ...] = ()
    steps: tuple[Step, ...] = ()
    unit: str = LOST

    @property
    def workload(self) -> tuple[int, ...]:
        """What the writers did, whatever the cure: the positions of their events."""
        return self.written

    @property
    def lost(self) -> tuple[int, ...]:
        """The positions that are committed and that the subscriber did not get."""
        return tuple(sorted(set(self.written) - set(self.seen)))

    @property
    def count(self) -> int:
        """How many events are lost."""
        return len(self.lost)

    @property
    def of(self) -> int:
        """How many events are committed."""
        return len(self.written)

    @property
    def moved(self) -> int:
        """How many events the subscriber got behind one that a replay puts after it."""
        place = {position: index for index, position in enumerate(self.replayed)}
        furthest, behind = -1, 0
        for position in self.seen:
            behind += place[position] < furthest
            furthest = max(furthest, place[position])
        return behind

    @property
    def rate(self) -> float:
        """Committed appends per second, of all writers together."""
        return self.of / self.seconds

    def delay(self, percent: int) -> float:
        """The delay in milliseconds that so many percent of the events did not exceed."""
        return quantiles(self.delays, n=100, method="inclusive")[percent - 1] * 1000

    def table(self) -> pd.DataFrame:
        """What everybody did, a row per step."""
        return pd.DataFrame(
            {
                "step": range(1, len(self.steps) + 1),
                "who": [step.who for step in self.steps],
                "does": [step.does for step in self.steps],
                "positions": [", ".join(map(str, step.positions)) for step in self.steps],
            }
        )

    def picture(self) -> Figure:
        """That table as three lanes, from left to right."""
        frame = self.table()
        return show.steps(frame, list(dict.fromkeys(frame["who"])), _LOOKS)

    def __repr__(self) -> str:
        return f"{self.cure}: {self.count} of {self.of} {self.unit}"

    def _repr_html_(self) -> str:
        return f"{escape(self.cure)}: <b>{self.count} of {self.of}</b> {escape(self.unit)}"


@dataclass(frozen=True)
class Comparison:
    """The same load with several cures."""

    results: Sequence[Result]

    def of(self, cure: str) -> Result:
        """The result of one cure. Raises KeyError for one that was not measured."""
        return {each.cure: each for each in self.results}[cure]

    def table(self) -> pd.DataFrame:
        """A row per cure; delays in milliseconds from the commit to the subscriber."""
        return pd.DataFrame(
            {
                "cure": [each.cure for each in self.results],
                "appends": [each.of for each in self.results],
                "lost": [each.count for each in self.results],
                "appends per second": [round(each.rate) for each in self.results],
                "median delay": [round(each.delay(50), 1) for each in self.results],
                "99 % within": [round(each.delay(99), 1) for each in self.results],
                "replayed in another order": [each.moved for each in self.results],
            }
        )

    def chart(self) -> Figure:
        """A bar per cure: appends per second on the left, lost events on the right."""
        frame = self.table()
        rate = frame.set_index("cure")["appends per second"]
        losers = [f"{row.cure} ({row.lost} of {row.appends})" for row in frame.itertuples() if row.lost]
        alt = (
            f"Two bar charts with a bar per cure. Most appends per second: {rate.idxmax()} ({rate.max()}); "
            f"fewest: {rate.idxmin()} ({rate.min()}). Events are lost with {', '.join(losers) or 'none of them'}."
        )
        speed, loss = _bars(frame, "appends per second", BLUE), _bars(frame, "lost", VERMILLION)
        names = altair.Axis(labelLimit=WIDTH // 3)
        both = speed.encode(y=altair.Y("cure:N", sort=None, title=None, axis=names)) | loss.encode(
            y=altair.Y("cure:N", sort=None, title=None, axis=altair.Axis(labels=False))
        )
        return show.figure(both, alt, frame)

    def __repr__(self) -> str:
        return str(self.table().to_string(index=False))

    def _repr_html_(self) -> str:
        return markup.frame_table(self.table())


def _bars(frame: pd.DataFrame, column: str, colour: str) -> Any:
    chart = altair.Chart(frame, width=WIDTH * 2 // 5, height=_BAR_HEIGHT * len(frame))
    return chart.mark_bar(color=colour).encode(x=altair.X(column, type="quantitative"))
