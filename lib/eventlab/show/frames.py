"""Data frames in a notebook: text begins at the left, numbers end at the right, and what is not there is a dash."""

from typing import TYPE_CHECKING

import pandas as pd
from IPython.core.getipython import get_ipython

from eventlab.show import markup, words

if TYPE_CHECKING:
    import polars as pl

_WIDEST = 200  # letters; pandas cuts at 50, and a cell has more than one line
_ROWS = 20
_NOT_THERE = ("NaN", "NaT", "None", "&lt;NA&gt;")


def in_this_kernel() -> None:
    """Have the kernel show its data frames so from now on; without a kernel nothing happens."""
    shell = get_ipython()
    if shell and shell.display_formatter:
        pages = shell.display_formatter.formatters["text/html"]
        pages.for_type(pd.DataFrame, html)
        pages.for_type_by_name("polars.dataframe.frame", "DataFrame", html_of_polars)  # which few kernels import


def html(frame: pd.DataFrame) -> str | None:
    """What pandas shows, by its own options, with the sides and the dashes put right."""
    widest = pd.get_option("display.max_colwidth")
    with pd.option_context("display.max_colwidth", widest and max(widest, _WIDEST)):
        page: str | None = frame._repr_html_()
    if page is None:
        return None
    if frame.isna().any(axis=None):
        for nothing in _NOT_THERE:
            page = page.replace(f"<td>{nothing}</td>", f"<td>{words.NOTHING}</td>")
    shown = frame.head(markup.MOST_ROWS)
    text = [not markup.numbers(column.dropna()) for _, column in shown.items()]
    # Counted from the right: a row may begin with any number of names.
    places = [place for place, begins in enumerate(reversed(text), start=1) if begins]
    left = {str(place): f":is(td, thead th):nth-last-child({place})" for place in places}
    if not markup.numbers(shown.index):
        left["names"] = ":is(tbody th, thead th:first-child)"
    name = "-".join(["left", *left])
    rules = [f".{name} {cells} {{ text-align: left; white-space: normal; }}" for cells in left.values()]
    style = "\n".join(["<style>", f".{name} td {{ white-space: nowrap; }}", *rules, "</style>"])
    return style + page.replace('class="dataframe"', f'class="dataframe {name}"', 1)


def html_of_polars(frame: "pl.DataFrame") -> str:
    """The same for a frame of Polars, which has no index, without quotes and types; a long one is cut."""
    cut = f"The first {_ROWS} of {len(frame):,} rows." if len(frame) > _ROWS else ""
    return markup.sheet(frame.columns, frame.head(_ROWS).rows(), cut)
