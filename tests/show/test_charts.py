"""Charts: a picture that needs no network, its alt text, its table."""

import altair
import pandas as pd
import pytest

from eventlab.show import bars, figure, line, palette

from .pages import without_sides

FRAME = pd.DataFrame(
    {"day": pd.to_datetime(["2026-03-01", "2026-03-02", "2026-03-05"], utc=True), "balance": [100.0, 87.6, 100.0]}
)
PLACES = pd.DataFrame({"partitions": ["2", "3", "12"], "keys that move": [49, 67, 92]})


@pytest.mark.parametrize(
    "shown",
    [
        line(FRAME, "day", "balance", "The balance falls on 2 March & is back on the 5th."),
        bars(PLACES, "partitions", "keys that move", "The more partitions, the more keys move."),
        figure(altair.Chart(FRAME).mark_point().encode(x="day", y="balance"), "Three points.", FRAME),
    ],
    ids=["line", "bars", "figure"],
)
class TestEveryFigure:
    def test_has_its_alt_text_on_the_picture_and_in_a_terminal(self, shown):
        page = shown._repr_html_()
        assert f'role="img" aria-label="{shown.alt.replace("&", "&amp;")}"' in page
        assert repr(shown) == shown.alt

    def test_has_every_number_in_a_table(self, shown):
        for value in shown.table.iloc[:, 1]:
            assert f"<td>{value}</td>" in without_sides(shown._repr_html_())

    def test_needs_no_script_and_no_network(self, shown):
        page = shown._repr_html_()
        assert "<script" not in page
        assert "http" not in page.replace("http://www.w3.org/", "")

    def test_its_text_takes_the_colour_of_the_page(self, shown):
        assert 'fill="currentColor"' in shown.svg
        assert 'fill="#000"' not in shown.svg
        assert palette.BLUE in shown.svg


def test_bars_stay_in_the_order_of_the_rows():
    shown = bars(PLACES, "partitions", "keys that move", "…").svg
    assert shown.index(">2</text>") < shown.index(">3</text>") < shown.index(">12</text>")


def test_a_long_table_is_cut_and_says_so():
    rows = pd.DataFrame({"time": pd.date_range("2026-01-01", periods=1_234, tz="UTC"), "n": range(1_234)})
    page = line(rows, "time", "n", "A straight line.")._repr_html_()
    assert page.count("<tr>") == 101
    assert "The first 100 of 1,234 rows." in page
