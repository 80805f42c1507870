"""What lesson 17 draws: a consumer's way through its partition, as its book tells it."""

from collections.abc import Iterable, Iterator
from typing import Any

import altair
import pandas as pd

from eventlab import show
from eventlab.pitfalls.checkers import repeats
from eventlab.pitfalls.experiment import Result
from eventlab.show.charts import HEIGHT, WIDTH, Figure
from eventlab.show.palette import BLUE, ORANGE, VERMILLION

_FIRST, _AGAIN, _NEVER = "for the first time", "again", "never"
_LOOKS = {_FIRST: (BLUE, "circle"), _AGAIN: (VERMILLION, "diamond")}


def way(result: Result) -> Figure:
    """The offset of each line of the book, in the order of the lines; and as a band what has no line.

    For a topic of one partition to which nothing but ``result.history.sent`` was written, in that order.
    """
    again = set(repeats(result.history))
    lines = pd.DataFrame(
        [(record.order, record.offset, _AGAIN if record in again else _FIRST) for record in result.records],
        columns=["line", "offset", "booked"],
    )
    there = set(lines["offset"])
    missing = [offset for offset in range(len(result.history.sent)) if offset not in there]
    spans = [(first, last, lines["booked"][place]) for place, first, last in _walks(lines)]
    gaps = [(first, last, _NEVER) for _, first, last in _spans(enumerate(missing))]
    table = pd.DataFrame(
        [(f"{first} to {last}", last - first + 1, what) for first, last, what in spans + gaps],
        columns=["offsets", "payments", "booked"],
    )
    told = "; ".join(f"offsets {row.offsets} {row.booked}" for row in table.itertuples())
    return show.figure(_chart(lines, gaps), f"The consumer's way through the partition: {told}.", table)


def _walks(lines: pd.DataFrame) -> Iterator[tuple[int, int, int]]:
    """Stretches in which one offset follows the other, and all are booked for the first time, or all again."""
    for _, part in lines.groupby((lines["booked"] != lines["booked"].shift()).cumsum()):
        yield from _spans(zip(part["line"], part["offset"], strict=True))


def _spans(offsets: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """Offsets that follow each other: the place of the first, the first and the last."""
    start: tuple[int, int] | None = None
    last = 0
    for place, offset in offsets:
        if start is None or offset != last + 1:
            if start is not None:
                yield (*start, last)
            start = place, offset
        last = offset
    if start is not None:
        yield (*start, last)


def _chart(lines: pd.DataFrame, gaps: list[tuple[int, int, str]]) -> Any:
    there = [what for what in _LOOKS if what in set(lines["booked"])]
    colours, shapes = zip(*(_LOOKS[what] for what in there), strict=True)
    legend = altair.Legend(orient="top")
    points = (
        altair.Chart(lines, width=WIDTH, height=HEIGHT)
        .mark_point(filled=True, size=20, opacity=1)
        .encode(
            x=altair.X("line:Q", title="lines of the book, in the order of booking"),
            y=altair.Y("offset:Q", title="offset"),
            color=altair.Color("booked:N", title=None, legend=legend).scale(domain=there, range=colours),
            shape=altair.Shape("booked:N", title=None, legend=legend).scale(domain=there, range=shapes),
        )
    )
    if not gaps:
        return points
    frame = pd.DataFrame(gaps, columns=["first", "last", "what"])
    frame["said"] = [f"never booked: {first} to {last}" for first, last, _ in gaps]
    frame["middle"] = (frame["first"] + frame["last"]) / 2
    bands = altair.Chart(frame).mark_rect(color=ORANGE, opacity=0.3).encode(y="first:Q", y2="last:Q")
    words = altair.Chart(frame).mark_text().encode(y="middle:Q", x=altair.value(WIDTH / 2), text="said:N")
    return altair.layer(bands, points, words)
