"""Who did what when: a lane for each, the steps from left to right, every kind of step with a colour and a shape."""

from collections.abc import Mapping, Sequence

import altair
import pandas as pd

from eventlab.show.charts import WIDTH, Figure, figure

_LANE_HEIGHT = 60  # pixels
_ABOVE = -16  # pixels from a mark to its words


def steps(frame: pd.DataFrame, lanes: Sequence[str], looks: Mapping[str, tuple[str, str]]) -> Figure:
    """A row of ``frame`` is a step: its number, who did it, what it was, and words to stand above the mark.

    ``lanes``: who there is, from the top down. ``looks``: what there is to do, each with a colour and a shape.
    """
    step, who, does, words = frame.columns
    base = altair.Chart(frame, width=WIDTH, height=_LANE_HEIGHT * len(lanes)).encode(
        x=altair.X(step, type="quantitative")
        .axis(tickMinStep=1, grid=False)
        .scale(domain=[0.5, len(frame) + 0.5], nice=False),
        y=altair.Y(who, type="nominal", title=None, sort=lanes),
    )
    there = [kind for kind in looks if kind in set(frame[does])]
    colours, shapes = zip(*(looks[kind] for kind in there), strict=True)
    marks = base.mark_point(filled=True, size=130, opacity=1).encode(
        color=altair.Color(does, type="nominal", title=None, legend=altair.Legend(orient="top")).scale(
            domain=there, range=colours
        ),
        shape=altair.Shape(does, type="nominal", title=None).scale(domain=there, range=shapes),
    )
    told = [" ".join(map(str, row)).strip() for row in frame[[who, does, words]].itertuples(index=False)]
    alt = f"The steps from left to right, a lane for each of {', '.join(lanes)}: {'; '.join(told)}."
    return figure(marks + base.mark_text(dy=_ABOVE).encode(text=altair.Text(words, type="nominal")), alt, frame)
