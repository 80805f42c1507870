"""What something costs as there is more of it: the same costs in several ways, at several sizes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import linear_regression

import altair
import pandas as pd

from eventlab import show
from eventlab.show import markup
from eventlab.show.charts import HEIGHT, WIDTH, Figure

# Up to which slope what is said of it in words holds. Readings scatter: a tenth is no growth.
_WORDS = (
    (0.15, "does not grow"),
    (0.85, "grows, but less than in step"),
    (1.15, "grows in step"),
    (math.inf, "grows faster than in step"),
)


@dataclass(frozen=True)
class Point:
    """What it costs in one ``way`` at one ``size``; the names of ``costs`` say their units."""

    way: str
    size: int
    costs: Mapping[str, float]


@dataclass(frozen=True)
class Curves:
    """Costs against size; ``sizes`` says what is counted: ``accounts``."""

    sizes: str
    points: Sequence[Point]

    @property
    def ways(self) -> list[str]:
        """The ways, as they were measured."""
        return list(dict.fromkeys(point.way for point in self.points))

    def of(self, way: str, cost: str) -> dict[int, float]:
        """One curve: the cost by size. Raises KeyError for a cost that was not measured."""
        return {point.size: point.costs[cost] for point in self.points if point.way == way}

    def slope(self, way: str, cost: str) -> float:
        """See :func:`slope`."""
        return slope(self.of(way, cost))

    def table(self) -> pd.DataFrame:
        """A row for each way and size, a column for each cost."""
        return pd.DataFrame([{"way": each.way, self.sizes: each.size, **each.costs} for each in self.points])

    def slopes(self) -> pd.DataFrame:
        """A row for each curve: its slope, and that in words."""
        costs = list(dict.fromkeys(cost for point in self.points for cost in point.costs))
        found = [(cost, way, self.slope(way, cost)) for cost in costs for way in self.ways]
        rows = [(cost, way, slope, in_words(slope)) for cost, way, slope in found]
        return pd.DataFrame(rows, columns=["cost", "way", "slope", "in words"])

    def chart(self, cost: str) -> Figure:
        """One cost, a line for each way; both axes logarithmic, so that the slope is what the eye sees."""
        frame = self.table()[["way", self.sizes, cost]]
        above_zero = frame[frame[cost] > 0]
        lines = altair.Chart(above_zero, width=WIDTH, height=HEIGHT).mark_line(point=True)
        lines = lines.encode(
            x=altair.X(f"{self.sizes}:Q").scale(type="log", nice=False),
            y=altair.Y(cost, type="quantitative").scale(type="log"),
            color=altair.Color("way:N", title=None, sort=self.ways),
            strokeDash=altair.StrokeDash("way:N", sort=self.ways, legend=None),
        )
        return show.figure(lines, f"{cost} against {self.sizes}, both axes logarithmic. {self._said(cost)}", frame)

    def _said(self, cost: str) -> str:
        told = []
        for way in self.ways:
            curve = self.of(way, cost)
            first, last = min(curve), max(curve)
            told.append(
                f"{way}: {curve[first]:,.4g} for {first:,} {self.sizes}, {curve[last]:,.4g} for {last:,}; "
                f"it {in_words(slope(curve))} (slope {slope(curve):.2f})."
            )
        return " ".join(told)

    def __repr__(self) -> str:
        return str(self.table().to_string(index=False))

    def _repr_html_(self) -> str:
        return markup.frame_table(self.table())


def slope(curve: Mapping[int, float]) -> float:
    """The exponent with which a cost grows with the size: 0, size does not matter; 1, twice the size costs double.

    That of a straight line through the logarithms of what is above zero; 0 when that is less than two points.
    """
    points = [(math.log(size), math.log(cost)) for size, cost in curve.items() if cost > 0]
    if len(points) < 2:  # no line goes through them
        return 0.0
    fit = linear_regression(*zip(*points, strict=True))
    return round(fit.slope, 2) + 0.0  # no minus before a zero


def in_words(slope: float) -> str:
    """What a slope means."""
    return next(words for upto, words in _WORDS if slope <= upto)
