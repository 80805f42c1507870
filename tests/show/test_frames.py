"""Data frames as a notebook shows them: the sides of the columns, dashes, pandas' own options."""

import re

import pandas as pd
import polars as pl
import pytest
from IPython.core.interactiveshell import InteractiveShell

from eventlab.show import frames

CARTS = pd.DataFrame(
    {
        "pieces": pd.array([1, None], "Int64"),
        "customer": ["ana", None],
        "total": ["3.50 EUR", "12.00 EUR"],
        "share": [0.5, float("nan")],
        "status": ["open", "open"],
    },
    index=pd.Index(["cart-1", "cart-2"], name="cart"),
)


def left(page: str) -> set[str]:
    """The columns, counted from the right, and the kinds of headers that begin at the left."""
    return set(re.findall(r"(?<=:nth-last-child\()\d+|(?<=:is\()tbody th", page))


@pytest.fixture
def shell(monkeypatch):
    shell = InteractiveShell()
    shell.display_formatter.active_types = ["text/plain", "text/html"]
    monkeypatch.setattr(frames, "get_ipython", lambda: shell)
    return shell


def shown(shell, frame):
    return shell.display_formatter.format(frame)[0].get("text/html")


def test_once_a_lesson_began_text_begins_at_the_left_and_numbers_end_at_the_right(shell):
    frames.in_this_kernel()
    assert left(shown(shell, CARTS)) == {"1", "4", "tbody th"}
    assert left(shown(shell, CARTS[["pieces", "share"]].reset_index(drop=True))) == set()


def test_what_is_not_there_is_a_dash():
    page = frames.html(CARTS)
    assert page.count("<td>–</td>") == 3
    assert not re.search("NaN|NA&gt;|None", page)


def test_a_word_that_looks_like_nothing_stays():
    assert "<td>None</td>" in frames.html(pd.DataFrame({"said": ["None"]}))


def test_pandas_own_options_count(shell):
    frames.in_this_kernel()
    long = pd.DataFrame({"number": range(1000)})
    assert "1000 rows" in shown(shell, long)
    assert shown(shell, long).count("<tr>") < 20
    with pd.option_context("display.notebook_repr_html", False):
        assert shown(shell, long) is None


def test_a_long_text_is_whole():
    text = "2026-03-02: deposited 229.20 CHF: batch of 2 · Sammelgutschrift"
    assert f"<td>{text}</td>" in frames.html(pd.DataFrame({"label": [text]}))


def test_a_frame_of_polars_has_neither_quotes_nor_types(shell):
    frames.in_this_kernel()
    page = shown(shell, pl.DataFrame({"stream": [f"cart-{n}" for n in range(30)], "pieces": [None, *range(29)]}))
    assert '<td style="text-align:left">cart-0</td><td style="text-align:right">–</td>' in page
    assert "The first 20 of 30 rows." in page
    assert not re.search("&quot;|i64", page)


def test_without_a_kernel_nothing_happens():
    frames.in_this_kernel()
