"""What came of deposits that were made at once: how many were lost, what they cost, who did what when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import altair
import pandas as pd

from eventlab import show
from eventlab.locks.steps import Step, Told
from eventlab.show import markup
from eventlab.show.charts import WIDTH, Figure
from eventlab.show.palette import BLUE, GREEN, PURPLE, SKY, VERMILLION

_LOOKS: dict[str, tuple[str, str]] = {
    Step.WAITS: (SKY, "circle"),
    Step.LOCKS: (PURPLE, "square"),
    Step.READS: (BLUE, "triangle-up"),
    Step.WRITES: (GREEN, "diamond"),
    Step.REFUSED: (VERMILLION, "cross"),
}
_BAR_HEIGHT = 120
_AXIS_WIDTH, _GAP = 60, 12


@dataclass(frozen=True)
class Result:
    """``updates`` deposits of ``writers`` were acknowledged, ``stored`` of them are in the balance.

    ``retries``: attempts in vain that a way made good. ``seconds``: from the first deposit to the last.
    """

    way: str
    writers: int
    updates: int
    stored: int
    retries: int
    seconds: float
    steps: tuple[Told, ...] = ()

    @property
    def count(self) -> int:
        """How many updates were lost."""
        return self.updates - self.stored

    @property
    def rate(self) -> float:
        """Acknowledged updates per second, of all writers together."""
        return self.updates / self.seconds

    def table(self, round: int = 1) -> pd.DataFrame:  # noqa: A002 (the word of the lesson)
        """What the writers did in one round, a row per step; ``balance`` in EUR as it was read or written."""
        told = [each for each in self.steps if each.round == round]
        return pd.DataFrame(
            {
                "step": range(1, len(told) + 1),
                "writer": [each.writer for each in told],
                "does": [str(each.step) for each in told],
                "balance": ["" if each.balance is None else f"{each.balance / 100:.2f}" for each in told],
            }
        )

    def picture(self, round: int = 1) -> Figure:  # noqa: A002 (the word of the lesson)
        """That table as a lane per writer, from left to right."""
        frame = self.table(round)
        frame["writer"] = [f"writer {number}" for number in frame["writer"]]
        return show.steps(frame, sorted(set(frame["writer"])), _LOOKS)

    def __repr__(self) -> str:
        return f"{self.way}: {self.count} of {self.updates} updates lost"

    def _repr_html_(self) -> str:
        return f"{escape(self.way)}: <b>{self.count} of {self.updates}</b> updates lost"


@dataclass(frozen=True)
class Comparison:
    """The same deposits in several ways, by several numbers of writers."""

    results: Sequence[Result]

    def of(self, way: str, writers: int) -> Result:
        """One of the results. Raises KeyError for one that was not measured."""
        found = {(each.way, each.writers): each for each in self.results}
        return found[way, writers]

    def table(self) -> pd.DataFrame:
        """A row per way and number of writers."""
        return pd.DataFrame(
            {
                "way": [each.way for each in self.results],
                "writers": [each.writers for each in self.results],
                "updates": [each.updates for each in self.results],
                "lost": [each.count for each in self.results],
                "updates per second": [round(each.rate) for each in self.results],
                "attempts in vain": [each.retries for each in self.results],
            }
        )

    def chart(self) -> Figure:
        """Throughput above, lost updates below: a small chart for each way, a bar for each number of writers."""
        frame = self.table()
        most = frame[frame["writers"] == frame["writers"].max()]
        losers = frame.loc[frame["lost"] > 0, "way"].unique()
        fastest, slowest = (most.loc[pick, "way"] for pick in (_rate(most).idxmax(), _rate(most).idxmin()))
        alt = (
            f"Small bar charts, one per way of locking, by number of writers ({_words(frame['writers'].unique())}). "
            f"With {most['writers'].iloc[0]} writers the most updates per second has {fastest}, the fewest {slowest}. "
            f"Updates are lost with {_words(losers) or 'none of them'}."
        )
        rows = [_small_bars(frame, "updates per second", BLUE), _small_bars(frame, "lost", VERMILLION)]
        return show.figure(altair.vconcat(*rows), alt, frame)

    def __repr__(self) -> str:
        return str(self.table().to_string(index=False))

    def _repr_html_(self) -> str:
        return markup.frame_table(self.table())


def _rate(frame: pd.DataFrame) -> pd.Series:
    return frame["updates per second"]


def _words(names: Iterable[object]) -> str:
    return ", ".join(map(str, names))


def _small_bars(frame: pd.DataFrame, column: str, colour: str) -> Any:
    ways = list(dict.fromkeys(frame["way"]))
    width = (WIDTH - _AXIS_WIDTH) / len(ways) - _GAP
    return (
        altair.Chart(frame, width=width, height=_BAR_HEIGHT)
        .mark_bar(color=colour)
        .encode(
            x=altair.X("writers:O").axis(labelAngle=0),
            y=altair.Y(column, type="quantitative"),
            column=altair.Column("way:N", sort=ways, title=None, spacing=_GAP),
        )
    )
