"""Data frames in a notebook: text begins at the left, numbers end at the right, and what is not there is a dash."""

import pandas as pd
from IPython.core.getipython import get_ipython

from eventlab.show import markup, words

_NOT_THERE = ("NaN", "NaT", "None", "&lt;NA&gt;")


def in_this_kernel() -> None:
    """Have the kernel show its data frames so from now on; without a kernel nothing happens."""
    shell = get_ipython()
    if shell and shell.display_formatter:
        shell.display_formatter.formatters["text/html"].for_type(pd.DataFrame, html)


def html(frame: pd.DataFrame) -> str | None:
    """What pandas shows, by its own options, with the sides and the dashes put right."""
    page: str | None = frame._repr_html_()
    if page is None:
        return None
    if frame.isna().any(axis=None):
        for nothing in _NOT_THERE:
            page = page.replace(f"<td>{nothing}</td>", f"<td>{words.NOTHING}</td>")
    shown = frame.head(markup.MOST_ROWS)
    text = [not markup.numbers(column.dropna()) for _, column in shown.items()]
    # Counted from the right: a row may begin with any number of names.
    left = {
        str(place): f":is(td, thead th):nth-last-child({place})" for place in range(1, 1 + len(text)) if text[-place]
    }
    if not markup.numbers(shown.index):
        left["names"] = ":is(tbody th, thead th:first-child)"
    name = "-".join(["left", *left])
    rules = "".join(f".{name} {cells} {{ text-align: left; }}\n" for cells in left.values())
    return f"<style>{rules}</style>" + page.replace('class="dataframe"', f'class="dataframe {name}"', 1)
