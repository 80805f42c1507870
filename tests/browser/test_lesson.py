"""Lesson 02 in JupyterLab as a learner goes through it: a guess is kept, an exercise checked, a question answered."""

from collections.abc import Iterator

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from eventlab.course import journal, plan

from .jupyter import PROJECT, Server, active_cell, open_page, run_notebook, screenshot

pytestmark = pytest.mark.browser

NOTEBOOK = "notebooks/02_state_is_a_fold.ipynb"
CELLS = [cell.source for cell in nbformat.read(PROJECT / NOTEBOOK, as_version=4).cells]
PLAN = plan.load("02")


@pytest.fixture(scope="module")
def page(browser: Browser, jupyterlab: Server) -> Iterator[Page]:
    """The lesson, run to its end."""
    stored = (PROJECT / NOTEBOOK).read_bytes()
    with open_page(browser) as page:
        run_notebook(page, jupyterlab, NOTEBOOK)
        yield page
    assert (PROJECT / NOTEBOOK).read_bytes() == stored, "the test must not save outputs into the course"


def cell(page: Page, holds: str) -> tuple[int, Locator]:
    """The cell whose source holds a text: its index, and what is seen of its outputs."""
    index = next(index for index, source in enumerate(CELLS) if holds in source)
    return index, page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".jp-OutputArea-output")


_RUN = """async ([index, source]) => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = index;
  if (source !== null) notebook.activeCell.model.sharedModel.setSource(source);
  await window.jupyterapp.commands.execute("notebook:run-cell");
}"""


def run_cell(page: Page, index: int, source: str | None = None) -> None:
    """Run one cell, with another source if one is given."""
    page.evaluate(_RUN, [index, source])


def mine() -> journal.LessonProgress:
    """What the learner's journal has of the lesson."""
    read, note = journal.facts()
    assert note == ""
    return journal.fold(read)["02"]


def test_a_guess_is_kept_and_stands_beside_the_result(page: Page) -> None:
    _, question = cell(page, 'lesson.predict("servers"')
    result, shown = cell(page, 'lesson.compare("servers"')
    expect(shown).not_to_contain_text("you said")
    slider = question.get_by_role("slider")
    slider.focus()
    before, selected = int(float(slider.get_attribute("aria-valuenow"))), active_cell(page)
    for _ in range(3):
        slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuenow", f"{before + 3:.1f}")
    assert active_cell(page) == selected, "the keys must not move the notebook's selection"
    question.get_by_role("button", name="Keep my guess").click()
    expect(question).to_contain_text(f"You say {before + 3}. Run on and see.")
    screenshot(page, "prediction")
    run_cell(page, result)
    expect(shown).to_contain_text(f"you said {before + 3}")
    assert mine().predictions == {"servers": before + 3}


def test_an_exercise_is_checked_where_it_is_written(page: Page) -> None:
    index, shown = cell(page, 'lesson.exercise("a"')
    expect(shown).to_contain_text("Not attempted.")
    run_cell(page, index, CELLS[index].replace("answer = ...", 'answer = RemoveItem("trousers", 1)'))
    expect(shown).to_contain_text("Incorrect. That leads to an event: removed 1 trousers.")
    run_cell(page, index, CELLS[index].replace("answer = ...", PLAN.exercises[0].solution))
    expect(shown).to_contain_text("Correct.")
    assert mine().exercises == {"a": True}


# The words of a picture that leave it, and the pairs of words that touch.
_CROWDED = """(picture) => {
  const edge = picture.getBoundingClientRect();
  const words = [...picture.querySelectorAll("text")].filter((text) => text.textContent.trim());
  const boxes = words.map((text) => [text.textContent, text.getBoundingClientRect()]);
  const inside = (box) =>
    box.left >= edge.left && box.right <= edge.right && box.top >= edge.top && box.bottom <= edge.bottom;
  const touch = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const cut = boxes.filter(([, box]) => !inside(box)).map(([word]) => word);
  const pairs = boxes.flatMap(([word, box], at) =>
    boxes.slice(at + 1).filter(([, other]) => touch(box, other)).map(([other]) => [word, other]));
  return [...cut, ...pairs];
}"""


def test_no_word_of_a_chart_is_cut_or_runs_into_another(page: Page) -> None:
    _, chart = cell(page, "same_again.week(")
    picture = chart.locator("svg").first
    expect(picture.get_by_text("written down")).to_be_attached()
    assert picture.evaluate(_CROWDED) == []


def test_every_answer_to_a_question_is_told_why(page: Page) -> None:
    _, quiz = cell(page, "lesson.recall()")
    quiz.scroll_into_view_if_needed()
    for option in PLAN.recall[0].options:
        quiz.get_by_title(option.text).click()
        expect(quiz).to_contain_text(f"{'✔' if option.right else '✘'} {option.feedback.replace('`', '')}")
    right = next(option for option in PLAN.recall[0].options if option.right)
    quiz.get_by_title(right.text).focus()
    quiz.get_by_title(right.text).press("Space")
    expect(quiz).to_contain_text(f"✔ {right.feedback}")
    screenshot(page, "quiz")
    assert mine().recall["0"] is True


def test_jupyterlab_has_not_asked_for_leave_to_fetch_news(page: Page) -> None:
    expect(page.locator(".jp-Notebook")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_text("official Jupyter news")).to_have_count(0)
