"""Lesson 05 in JupyterLab: the picture of both times moves by keyboard and by mouse, and says what was believed."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from eventlab import history
from eventlab.course.two_times import ANA, Bank
from eventlab.domain.account import decider
from eventlab.show import words

from .jupyter import PROJECT, Server, active_cell, open_page, run_notebook, screenshot, use_theme

pytestmark = pytest.mark.browser

NOTEBOOK = "notebooks/05_two_times.ipynb"
BOTH = history.bitemporal(Bank().store, decider, ANA, since="2026-03-01T00:00+00:00")
LAST = len(BOTH.valid) - 1, len(BOTH.recorded) - 1


@pytest.fixture(scope="module")
def picture(browser: Browser, jupyterlab: Server) -> Iterator[Locator]:
    """The picture of both times, in a notebook that has run to its end."""
    stored = (PROJECT / NOTEBOOK).read_bytes()
    with open_page(browser) as page:
        run_notebook(page, jupyterlab, NOTEBOOK)
        yield page.locator(".eventlab.two-times").first
    assert (PROJECT / NOTEBOOK).read_bytes() == stored, "the test must not save outputs into the course"


@pytest.fixture
def plane(picture: Locator) -> Locator:
    """The plane with the focus on it, at the first moments of both axes."""
    sliders(picture)[0].press("Home")
    sliders(picture)[1].press("Home")
    found = picture.locator(".chart")
    found.focus()
    expect_place(picture, (0, 0))
    return found


def sliders(picture: Locator) -> tuple[Locator, Locator]:
    return picture.get_by_role("slider", name="About"), picture.get_by_role("slider", name="Known at")


def expect_place(picture: Locator, place: tuple[int, int]) -> None:
    """All that the widget shows is about ``place``, on the valid and the recorded axis."""
    valid, recorded = place
    time, known_at = words.moment(BOTH.valid[valid]), words.moment(BOTH.recorded[recorded])
    headline = f"Known at {known_at} about {time}: balance {BOTH.states[recorded][valid].balance}"
    expect(picture.locator(".headline")).to_have_text(headline)
    for slider, at, text in zip(sliders(picture), place, (time, known_at), strict=True):
        expect(slider).to_have_value(str(at))
        expect(slider).to_have_attribute("aria-valuetext", f"{text}. {headline}")
    happened = [event for event in BOTH.events if event.valid_time <= BOTH.valid[valid]]
    later = [event for event in happened if event.recorded_time > BOTH.recorded[recorded]]
    expect(picture.locator("table.later tbody tr")).to_have_count(min(len(later), 8))


def test_the_lesson_opens_it_on_tuesday_about_monday(picture: Locator) -> None:
    expect(picture.locator(".headline")).to_contain_text("balance -267.30 EUR")
    expect(picture.locator("table.later")).to_contain_text("salary")
    expect(picture.locator(".chart")).to_have_accessible_name(re.compile("events were recorded late"))


def test_arrow_keys_go_along_both_axes_and_stay_in_the_widget(picture: Locator, plane: Locator) -> None:
    cell = active_cell(plane.page)
    for key, place in [
        ("ArrowRight", (1, 0)),
        ("ArrowUp", (1, 1)),
        ("ArrowUp", (1, 2)),
        ("ArrowLeft", (0, 2)),
        ("ArrowDown", (0, 1)),
        ("End", (LAST[0], 1)),
        ("Home", (0, 1)),
    ]:
        plane.press(key)
        expect_place(picture, place)
    assert active_cell(plane.page) == cell, "the keys must not move the notebook's selection"


def test_the_sliders_and_buttons_move_one_axis_each(picture: Locator, plane: Locator) -> None:
    about, known_at = sliders(picture)
    about.press("ArrowRight")
    expect_place(picture, (1, 0))
    known_at.press("End")
    expect_place(picture, (1, LAST[1]))
    expect(picture.get_by_role("button", name="Known at: one moment later")).to_be_disabled()
    picture.get_by_role("button", name="Known at: one moment earlier").click()
    expect_place(picture, (1, LAST[1] - 1))
    picture.get_by_role("button", name="About: one moment later").click()
    expect_place(picture, (2, LAST[1] - 1))


def test_pointing_goes_there_and_dragging_follows(picture: Locator, plane: Locator) -> None:
    svg = picture.locator(".chart svg")
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    mouse = picture.page.mouse
    mouse.move(box["x"] + box["width"] * 0.95, box["y"] + box["height"] * 0.09)
    mouse.down()
    expect_place(picture, LAST)
    mouse.move(box["x"] + box["width"] * 0.95, box["y"] + box["height"] * 0.84, steps=8)
    mouse.up()
    about, known_at = sliders(picture)
    expect(about).to_have_value(str(LAST[0]))
    expect(known_at).not_to_have_value(str(LAST[1]))
    expect_place(picture, (LAST[0], int(known_at.input_value())))
    dot = picture.locator("circle.cursor").bounding_box()
    line = picture.locator("line.cursor.recorded").bounding_box()
    assert picture.page.evaluate("getSelection().toString()") == "", "dragging selects no text"
    expect(plane).to_be_focused()
    assert dot["y"] + dot["height"] / 2 == pytest.approx(line["y"] + line["height"] / 2, abs=2), "one cursor, one point"


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_it_is_kept_as_a_picture_in_both_themes(picture: Locator, plane: Locator, theme: str) -> None:
    plane.press("ArrowRight")
    plane.press("ArrowRight")
    plane.press("ArrowUp")
    expect_place(picture, (2, 1))
    use_theme(picture.page, theme)
    picture.scroll_into_view_if_needed()
    screenshot(picture.page, f"two-times-{theme.lower()}")
