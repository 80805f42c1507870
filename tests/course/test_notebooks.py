"""Every notebook has the whole skeleton of a lesson; ``eventlab.course.exercises`` describes it."""

import ast
import re
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from statistics import median

import nbformat
import pytest

from eventlab.course.plan import load, numbers

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
HEADINGS = ["Goals", "Now you", "Where this hides in your system", "Summary", "Recall", "Where next"]
NEEDS = re.compile(r"^\*\*\d+ minutes · (no broker|1 broker|3 brokers) · (after \d\d(, \d\d)*|first lesson)\*\*$", re.M)
LAST_LESSON = 30
MOST_LINES = 4  # the median of a notebook's code cells: the logic is in the library


class Notebook:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = path.name[:2]
        self.node = nbformat.read(path, as_version=4)
        self.markdown = [cell.source for cell in self.node.cells if cell.cell_type == "markdown"]
        self.code = [cell.source for cell in self.node.cells if cell.cell_type == "code"]
        self.trees = [ast.parse(source) for source in self.code]

    @cached_property
    def title(self) -> str:
        return self.markdown[0].splitlines()[0]

    def section(self, heading: str) -> str:
        """The Markdown under ``## heading``, up to the next one."""
        text = "\n\n".join(self.markdown)
        return re.split(r"^## ", text.split(f"## {heading}\n", 1)[1], maxsplit=1, flags=re.M)[0]

    def calls(self, method: str) -> list[tuple[int, ast.Call]]:
        """The calls ``lesson.<method>(…)`` with the index of their code cell."""
        return [
            (index, node)
            for index, tree in enumerate(self.trees)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == method
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "lesson"
        ]

    def answer_cells(self) -> list[int]:
        return [
            index for index, source in enumerate(self.code) if re.search(r"lesson\.exercise\(.*\)\.check\(", source)
        ]


def test_there_is_a_notebook_for_every_plan_and_a_plan_for_every_notebook():
    assert NOTEBOOKS
    assert [path.name[:2] for path in NOTEBOOKS] == numbers()


def test_they_are_stored_without_outputs():
    subprocess.run([sys.executable, "-m", "nbstripout", "--verify", *NOTEBOOKS], check=True)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return Notebook(request.param)


def test_it_is_a_valid_notebook_for_any_python_kernel(notebook):
    nbformat.validate(notebook.node)
    assert (notebook.node.nbformat, notebook.node.nbformat_minor) == (4, 5)
    assert notebook.node.metadata.kernelspec.name == "python3"
    assert notebook.node.metadata.kernelspec.display_name == "Python 3 (ipykernel)"


def test_file_name_title_and_lesson_carry_the_same_number(notebook):
    assert re.fullmatch(r"\d\d_[a-z0-9_]+\.ipynb", notebook.path.name)
    assert notebook.title == f"# {notebook.number} · {load(notebook.number).title}"
    assert "from eventlab.course import Lesson" in notebook.code[0]
    assert f'lesson = Lesson("{notebook.number}")' in notebook.code[0]


def test_it_says_minutes_brokers_and_what_comes_before(notebook):
    assert NEEDS.search(notebook.markdown[0]), notebook.markdown[0]


def test_it_has_every_section_in_order(notebook):
    found = re.findall(r"^## (.+)$", "\n".join(notebook.markdown), re.M)
    assert [heading for heading in found if heading in HEADINGS] == HEADINGS


def test_it_has_three_goals_of_one_line(notebook):
    lines = [line for line in notebook.section("Goals").splitlines() if line.strip()]
    assert [line.startswith("- ") for line in lines].count(True) == 3


def test_every_prediction_is_compared_in_a_later_cell(notebook):
    predicted = {call.args[0].value: index for index, call in notebook.calls("predict")}
    compared = {call.args[0].value: index for index, call in notebook.calls("compare")}
    assert predicted
    assert predicted.keys() == compared.keys()
    assert all(predicted[key] < compared[key] for key in predicted)


def test_every_exercise_of_the_plan_has_one_answer_cell_after_its_question(notebook):
    ids = [exercise.id for exercise in load(notebook.number).exercises]
    assert [call.args[0].value for _, call in notebook.calls("exercise")] == ids
    assert len(notebook.answer_cells()) == len(ids)
    kinds = {exercise.id: exercise.kind.capitalize() for exercise in load(notebook.number).exercises}
    asked = re.findall(r"^### (\w)\. (\w+):", notebook.section("Now you"), re.M)
    assert asked == list(kinds.items())


def test_answer_cells_are_blank_and_hand_over_what_the_check_needs(notebook):
    exercises = {exercise.id: exercise for exercise in load(notebook.number).exercises}
    for index in notebook.answer_cells():
        assert re.search(r"^(answer = \.\.\.|def answer\(.*\):)", notebook.code[index], re.M)
        assert "..." in notebook.code[index]
        call = next(call for cell, call in notebook.calls("exercise") if cell == index)
        assert {keyword.arg for keyword in call.keywords} == exercises[call.args[0].value].needs


def test_no_later_cell_needs_an_exercise(notebook):
    answers = set(notebook.answer_cells())
    made = {name for index in answers for name in _stored(notebook.trees[index])}
    elsewhere = [tree for index, tree in enumerate(notebook.trees) if index not in answers]
    assert not made & {name for tree in elsewhere for name in _stored(tree) | _loaded(tree)}


def _stored(tree: ast.AST) -> set[str]:
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return functions | {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _loaded(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def test_it_ends_with_a_summary_of_three_sentences_and_recall(notebook):
    assert len(re.findall(r"[.!?](\s|$)", notebook.section("Summary").strip())) == 3
    assert len(notebook.calls("recall")) == 1


def test_code_cells_are_short(notebook):
    assert median(len(source.splitlines()) for source in notebook.code) <= MOST_LINES


def test_links_to_other_notebooks_and_files_lead_somewhere(notebook):
    for target in re.findall(r"\]\(([^)#]+?)\)", "\n".join(notebook.markdown)):
        if not target.startswith("https://"):
            assert (notebook.path.parent / target).exists(), target


class TestStartHere:
    """The map of the course tells the truth about what is there."""

    @pytest.fixture
    def course(self):
        return Notebook(NOTEBOOKS[0]).section("The course")

    def test_it_links_every_lesson_and_marks_the_rest_as_to_come(self, course):
        linked = re.findall(r"\]\((\S+\.ipynb)\)", course)
        assert linked == [path.name for path in NOTEBOOKS[1:]]
        named = re.findall(r"(?<![\w(])(\d\d) [A-Za-z]", course)
        assert sorted(named) == [f"{number:02}" for number in range(1, LAST_LESSON + 1)]

    @pytest.mark.parametrize(("have", "hours"), [("one hour", 1), ("one day", 8)])
    def test_a_way_through_the_course_fits_its_time(self, course, have, hours):
        way = re.search(rf"\| {have} \| ([\d, ]+)", course)[1]
        minutes = {
            path.name[:2]: int(re.search(r"\*\*(\d+) minutes", Notebook(path).markdown[0])[1]) for path in NOTEBOOKS
        }
        assert sum(minutes[number] for number in re.findall(r"\d\d", way)) <= hours * 60
