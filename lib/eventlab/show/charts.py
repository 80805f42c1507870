"""Charts as static SVG that need neither network nor JavaScript, each with alt text and a table.

Altair's own renderers load scripts from the network or emit types that stop a headless run; SVG from
vl-convert shows everywhere. Text and axes take the colour of the page, so that dark themes work.
"""

from dataclasses import dataclass

import altair
import pandas as pd
import vl_convert

from eventlab.show import markup
from eventlab.show.palette import SERIES

WIDTH, HEIGHT = 720, 240  # pixels; the page may make it smaller
# Pixels. vl-convert measures letters as wide as Arial's; the page's may be a sixth wider (DejaVu Sans, on most Linux
# machines). So the words are given the room of larger letters, and none is cut or runs into the next.
_LETTERS, _ROOM = 12, 14
_LONGEST_LABEL = 250
# By default Vega says 02:30 for half past two in the afternoon, and names a day by its weekday or by its month.
_TIMES = {"date": "%b %d", "hours": "%H:%M", "minutes": "%H:%M"}


def svg(chart: altair.TopLevelMixin) -> str:
    """An Altair chart as SVG in the style of the house."""
    styled = (
        chart.configure(background="transparent", aria=False)
        .configure_axis(
            labelColor="currentColor",
            titleColor="currentColor",
            tickColor="currentColor",
            domainColor="currentColor",
            gridColor="currentColor",
            gridOpacity=0.15,
            labelFontSize=_ROOM,
            titleFontSize=_ROOM,
            titleFontWeight="normal",
            labelLimit=_LONGEST_LABEL,
            labelFlush=False,  # else the last label is pushed into the one before it
        )
        .configure_axisTemporal(format=_TIMES)
        .configure_legend(
            labelColor="currentColor",
            titleColor="currentColor",
            labelFontSize=_ROOM,
            titleFontSize=_ROOM,
            labelLimit=_LONGEST_LABEL,
        )
        .configure_header(labelColor="currentColor", labelFontSize=_ROOM)
        .configure_text(color="currentColor", fontSize=_ROOM)
        .configure_view(stroke=None)
        .configure_range(category=list(SERIES))
        .configure_mark(color=SERIES[0])
    )
    laid_out = str(vl_convert.vegalite_to_svg(styled.to_dict()))
    return laid_out.replace(f'font-size="{_ROOM}px"', f'font-size="{_LETTERS}px"')


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture for the eye, a sentence for the ear, and the numbers themselves."""

    svg: str
    alt: str
    table: pd.DataFrame

    def __repr__(self) -> str:
        return self.alt

    def _repr_html_(self) -> str:
        return markup.figure(self.svg, self.alt, markup.frame_table(self.table))


def figure(chart: altair.TopLevelMixin, alt: str, table: pd.DataFrame) -> Figure:
    """Any Altair chart as a figure. ``alt`` says what the picture shows, in a sentence or two."""
    return Figure(svg(chart), alt, table)


def bars(frame: pd.DataFrame, x: str, y: str, alt: str) -> Figure:
    """A bar per row of ``frame``: the category in column ``x``, in the order of the rows, and the number in ``y``."""
    chart = altair.Chart(frame, width=WIDTH, height=HEIGHT).mark_bar()
    return figure(chart.encode(x=altair.X(x, type="nominal", sort=None).axis(labelAngle=0), y=_numbers(y)), alt, frame)


def line(frame: pd.DataFrame, x: str, y: str, alt: str) -> Figure:
    """A line that keeps its value until the next row (a balance, a total): times in column ``x``, numbers in ``y``."""
    chart = altair.Chart(frame, width=WIDTH, height=HEIGHT).mark_line(interpolate="step-after")
    return figure(chart.encode(x=altair.X(x, type="temporal").scale(type="utc"), y=_numbers(y)), alt, frame)


def _numbers(column: str) -> altair.Y:
    return altair.Y(column, type="quantitative")
