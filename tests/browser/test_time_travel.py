"""Lesson 04 in JupyterLab: the slider moves by keyboard and by mouse, and the state moves with it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from eventlab.domain.account import decider
from eventlab.events.envelope import StreamId
from eventlab.history import Step, steps
from eventlab.inputs.generate import demo_account, demo_store

from .jupyter import PROJECT, Server, active_cell, open_page, run_notebook, screenshot, use_theme

pytestmark = pytest.mark.browser

NOTEBOOK = "notebooks/04_time_travel.ipynb"
ANA = StreamId("account", "ana")
STEPS = steps(demo_store({ANA: demo_account(4)}), decider, ANA)
LAST = STEPS[-1]


@pytest.fixture(scope="module")
def timeline(browser: Browser, jupyterlab: Server) -> Iterator[Locator]:
    """The first slider of the lesson, in a notebook that has run to its end."""
    stored = (PROJECT / NOTEBOOK).read_bytes()
    with open_page(browser) as page:
        run_notebook(page, jupyterlab, NOTEBOOK)
        yield page.locator(".eventlab.timeline").first
    assert (PROJECT / NOTEBOOK).read_bytes() == stored, "the test must not save outputs into the course"


@pytest.fixture
def slider(timeline: Locator) -> Locator:
    """The slider with the focus on it, at the last version."""
    found = timeline.get_by_role("slider", name="Version")
    found.focus()
    found.press("End")
    expect_step(timeline, LAST)
    return found


def expect_step(timeline: Locator, step: Step) -> None:
    """All that the widget shows is about ``step``."""
    expect(timeline.locator("output")).to_have_text(f"version {step.version} of {len(STEPS)}")
    expect(timeline.locator(".headline")).to_have_text(str(step.event))
    expect(timeline.locator(".when")).to_have_text(f"{step.time:%Y-%m-%d %H:%M:%S} UTC")
    balance = timeline.locator(".state tr").filter(has_text="balance").locator("td").nth(1)
    expect(balance).to_have_text(str(step.state.balance))
    expect(timeline.locator(".changes tbody tr")).to_have_count(len(step.changes))


def shown(timeline: Locator) -> Step:
    """The step at which the slider stands."""
    return STEPS[int(timeline.get_by_role("slider", name="Version").input_value()) - 1]


def test_the_keyboard_goes_through_the_history_and_stays_in_the_widget(timeline: Locator, slider: Locator) -> None:
    cell = active_cell(timeline.page)
    for key, version in [
        ("Home", 1),
        ("ArrowRight", 2),
        ("ArrowUp", 3),
        ("ArrowLeft", 2),
        ("End", len(STEPS)),
        ("ArrowDown", len(STEPS) - 1),
    ]:
        slider.press(key)
        expect_step(timeline, STEPS[version - 1])
    slider.press("PageDown")
    expect(slider).not_to_have_value(str(len(STEPS) - 1))
    assert shown(timeline).version < len(STEPS) - 10, "a page is many versions"
    expect_step(timeline, shown(timeline))
    assert active_cell(timeline.page) == cell, "the keys must not move the notebook's selection"


def test_what_is_seen_is_also_said(timeline: Locator, slider: Locator) -> None:
    slider.press("Home")
    expect_step(timeline, STEPS[0])
    expect(slider).to_have_attribute(
        "aria-valuetext",
        f"Version 1 of {len(STEPS)}, 2026-01-02 09:00:00 UTC: {STEPS[0].event}. Balance {STEPS[0].state.balance}",
    )
    chart = timeline.locator(".chart")
    expect(chart).to_have_accessible_name(re.compile(f"^The balance in EUR over versions 1 to {len(STEPS)}, from 2026"))


def test_the_mouse_drags_the_slider(timeline: Locator, slider: Locator) -> None:
    box = slider.bounding_box()
    mouse, height = timeline.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + box["width"] - 10, height)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.6, height, steps=12)
    mouse.move(box["x"] + box["width"] * 0.4, height, steps=12)
    mouse.up()
    step = shown(timeline)
    assert 0.35 * len(STEPS) < step.version < 0.45 * len(STEPS)
    expect_step(timeline, step)


def test_the_buttons_go_one_version_and_stop_at_the_ends(timeline: Locator, slider: Locator) -> None:
    earlier, later = timeline.get_by_role("button", name="earlier"), timeline.get_by_role("button", name="later")
    expect(later).to_be_disabled()
    earlier.click()
    expect_step(timeline, STEPS[-2])
    expect(later).to_be_enabled()


def test_pointing_at_the_line_goes_there(timeline: Locator, slider: Locator) -> None:
    chart = timeline.locator(".chart svg").bounding_box()
    timeline.page.mouse.click(chart["x"] + chart["width"] / 2, chart["y"] + chart["height"] / 2)
    expect(slider).not_to_have_value(str(LAST.version))
    step = shown(timeline)
    assert STEPS[0].time < step.time < LAST.time
    expect_step(timeline, step)
    cursor, dot = (timeline.locator(f"{shape}.cursor").bounding_box() for shape in ("line", "circle"))
    assert cursor["x"] == pytest.approx(chart["x"] + chart["width"] / 2, abs=chart["width"] / 20)
    assert cursor["x"] == pytest.approx(dot["x"] + dot["width"] / 2, abs=2), "one cursor, one moment"


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_text_can_be_read_in_both_themes(timeline: Locator, slider: Locator, theme: str) -> None:
    slider.press("Home")
    for _ in range(155):  # to the card payment that the lesson is about
        slider.press("ArrowRight")
    expect_step(timeline, STEPS[155])
    use_theme(timeline.page, theme)
    timeline.page.get_by_role("heading", name="A slider over the past").evaluate("heading => heading.scrollIntoView()")
    screenshot(timeline.page, "time-travel" if theme == "Light" else "time-travel-dark", readme=theme == "Light")
    for place in (".headline", ".when", ".state td", ".chart svg text"):
        assert contrast(timeline.locator(place).first) > 4.5, place  # WCAG 2.2, 1.4.3


# The colour of an element against the first opaque background behind it, as WCAG 2.2 defines the ratio.
_CONTRAST = """(element) => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = getComputedStyle(element);
  let behind = element;
  while (numbers(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
  const ink = light(element instanceof SVGElement ? style.fill : style.color);
  const paper = light(getComputedStyle(behind).backgroundColor);
  return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
}"""


def contrast(element: Locator) -> float:
    return float(element.evaluate(_CONTRAST))
