"""Charts: a picture that needs no network, its alt text, its table."""

import re

import altair
import pandas as pd
import pytest

from eventlab.show import bars, figure, line, palette, steps

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


def test_times_of_day_count_to_24_and_days_are_dates():
    hours = pd.date_range("2026-03-02", "2026-03-03", freq="6h", tz="UTC")
    picture = line(pd.DataFrame({"time": hours, "balance": range(5)}), "time", "balance", "It grows.").svg
    assert ">18:00</text>" in picture
    assert ">Mar 03</text>" in picture
    assert not re.search(">0?6 PM<|>Tue 03<", picture)


def test_the_last_number_of_an_axis_keeps_its_place():
    """Pushed inwards it would run into the one before it, as in 380400."""
    chart = (
        altair.Chart(pd.DataFrame({"events": [0, 400], "ms": [0, 1]}), width=480).mark_line().encode(x="events", y="ms")
    )
    shown = figure(chart, "A line.", pd.DataFrame()).svg
    assert re.search(r'text-anchor="middle"[^>]*>400</text>', shown)


def test_steps_stand_in_lanes_with_their_words():
    frame = pd.DataFrame(
        {"step": [1, 2], "who": ["second", "first"], "does": ["draws", "commits"], "positions": ["7", ""]}
    )
    looks = {"commits": (palette.GREEN, "diamond"), "draws": (palette.BLUE, "square"), "waits": (palette.SKY, "circle")}
    shown = steps(frame, ["first", "second"], looks)
    assert shown.alt.endswith("a lane for each of first, second: second draws 7; first commits.")
    assert shown.svg.index(">first<") < shown.svg.index(">second<")
    assert "waits" not in shown.svg
