"""Tables that stand alone in a page."""

import re

import pandas as pd

from eventlab.show import markup

from .pages import without_sides


def test_text_begins_at_the_left_and_numbers_end_at_the_right():
    rows = [("2026-03-01", "Opening <balance>", "–", "1,925.87 EUR"), ("2026-03-03", "Kiosk", "-12.40 EUR", 1_913)]
    page = markup.sheet(["day", "text", "amount", "balance"], rows)
    sides = re.findall(r'<(t[hd]) style="text-align:(\w+)">', page)
    assert sides[:4] == [("th", "left"), ("th", "left"), ("th", "right"), ("th", "right")]
    assert [side for _, side in sides] == ["left", "left", "right", "right"] * 3
    assert "Opening &lt;balance&gt;" in page


def test_a_table_without_rows_has_its_headers():
    assert re.findall(r">(\w+)</th>", markup.sheet(["day", "text"], [])) == ["day", "text"]


def test_what_a_frame_does_not_have_is_a_dash_and_its_whole_numbers_stay_whole():
    frame = pd.DataFrame(
        {
            "product": ["trousers", None],
            "pieces": pd.array([3, None], "Int64"),
            "on": pd.to_datetime(["2026-03-03", None]),
        }
    )
    page = without_sides(markup.frame_table(frame))
    assert "<td>trousers</td><td>3</td><td>2026-03-03 00:00:00</td>" in page
    assert "<td>–</td><td>–</td><td>–</td>" in page
