"""Every exercise of every lesson: its solution is right, its blank is not attempted, its wrong answers get a diagnosis.

What only a lesson's author knows, plausible wrong answers and the notebook's values, is in ``samples/nNN.py``.
"""

import ast
import importlib.util
import re
from decimal import Decimal
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

from eventlab.course.exercise import Exercise, Outcome, judge
from eventlab.course.plan import load, numbers
from eventlab.domain.money import Money

PLANS = {number: load(number) for number in numbers()}
EXERCISES = [
    pytest.param(number, exercise, id=f"{number}{exercise.id}")
    for number, plan in PLANS.items()
    for exercise in plan.exercises
]


def samples(number: str) -> ModuleType:
    path = Path(__file__).parent / "samples" / f"n{number}.py"
    assert path.exists(), f"{path} is missing; eventlab.course.exercises says what belongs into it"
    spec = importlib.util.spec_from_file_location(f"samples_n{number}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def in_hand(request):
    """The values that a lesson's notebook has, made once per lesson."""
    made = {}

    def values(number: str) -> dict[str, object]:
        if number not in made:
            made[number] = samples(number).context(request)
        return made[number]

    return values


def solved(exercise: Exercise, values: dict[str, object]) -> object:
    """The answer that the shown solution gives when its source is run in the notebook."""
    namespace = dict(values)
    exec(compile(exercise.solution, "<solution>", "exec"), namespace)
    return namespace["answer"]


class Raises:
    """An answer that raises whatever is done with it."""

    def _planted(self, *_, **__):
        raise RuntimeError("planted")

    __bool__ = __call__ = __contains__ = __eq__ = __float__ = __format__ = __getattr__ = __getitem__ = __hash__ = (
        __int__
    ) = __iter__ = __le__ = __len__ = __lt__ = __str__ = _planted


def raises(*_, **__):
    raise RuntimeError("planted")


@pytest.mark.parametrize(("number", "exercise"), EXERCISES)
def test_the_shown_solution_is_right(number, exercise, in_hand):
    values = in_hand(number)
    verdict = judge(exercise, solved(exercise, values), values)
    assert verdict.outcome is Outcome.CORRECT, verdict
    assert exercise.why in verdict.text


@pytest.mark.parametrize(("number", "exercise"), EXERCISES)
def test_plausible_wrong_answers_get_a_diagnosis_that_does_not_give_the_answer_away(number, exercise, in_hand):
    values = in_hand(number)
    right = solved(exercise, values)
    wrong = samples(number).wrong(values).get(exercise.id)
    assert wrong, f"tests/course/samples/n{number}.py has no wrong answer for exercise {exercise.id}"
    for answer in wrong:
        verdict = judge(exercise, answer, values)
        assert verdict.outcome is Outcome.INCORRECT, f"{answer!r}: {verdict}"
        assert "The check cannot use" not in verdict.text, (
            f"{answer!r} broke the check instead of a diagnosis: {verdict}"
        )
        assert not gives_away(verdict.text, right, answer), f"{answer!r}: {verdict}"


def gives_away(text: str, right: object, answer: object) -> bool:
    """Whether the right answer can be read in ``text`` (and is not just the learner's own words)."""
    if not isinstance(right, str | int | float | Decimal | Money) or isinstance(right, bool):
        return False
    return str(right) not in str(answer) and re.search(rf"(?<!\w){re.escape(str(right))}(?!\w)", text) is not None


@pytest.mark.parametrize(("number", "exercise"), EXERCISES)
def test_a_blank_is_not_attempted(number, exercise, in_hand):
    values = in_hand(number)
    stub = [lambda *_, **__: ...] if isinstance(solved(exercise, values), FunctionType) else []
    for blank in [..., None, *stub]:
        assert judge(exercise, blank, values).outcome is Outcome.NOT_ATTEMPTED


@pytest.mark.parametrize(("number", "exercise"), EXERCISES)
def test_an_answer_that_raises_is_incorrect(number, exercise, in_hand):
    values = in_hand(number)
    is_function = isinstance(solved(exercise, values), FunctionType)
    verdict = judge(exercise, raises if is_function else Raises(), values)
    assert verdict.outcome is Outcome.INCORRECT
    if is_function:
        assert "RuntimeError: planted" in verdict.text
        assert 'raise RuntimeError("planted")' in verdict.text, "the learner's own line is shown"


@pytest.mark.parametrize(("number", "exercise"), EXERCISES)
def test_hints_come_in_tiers_and_hold_no_line_of_the_solution(number, exercise, in_hand):
    assert len(exercise.hints) >= 2
    lines = {line.strip().removeprefix("answer =").strip() for line in exercise.solution.strip().splitlines()}
    right = solved(exercise, in_hand(number))
    for hint in exercise.hints:
        assert not [line for line in lines if len(line) > 3 and line in hint]
        assert not gives_away(hint, right, "")


@pytest.mark.parametrize(("number", "exercise"), EXERCISES)
def test_the_check_asks_only_for_what_the_notebook_has(number, exercise, in_hand):
    assert exercise.needs <= in_hand(number).keys()


@pytest.mark.parametrize(("number", "plan"), PLANS.items())
class TestPlan:
    def test_it_has_three_exercises_or_more_with_an_id_of_their_own(self, number, plan):
        ids = [exercise.id for exercise in plan.exercises]
        assert len(ids) >= 3
        assert ids == sorted(set(ids))

    def test_it_recalls_three_things_at_least_one_from_an_earlier_lesson(self, number, plan):
        assert len(plan.recall) == 3
        assert all(question.lesson <= number for question in plan.recall)
        assert number == min(PLANS) or any(question.lesson < number for question in plan.recall)

    def test_every_question_has_one_right_option_and_feedback_for_each(self, number, plan):
        for question in plan.recall:
            assert [option.right for option in question.options].count(True) == 1
            assert len(question.options) >= 3
            assert all(option.feedback.strip() for option in question.options)
            assert len({option.text for option in question.options}) == len(question.options)

    def test_the_right_option_is_not_always_in_the_same_place(self, number, plan):
        places = {[option.right for option in question.options].index(True) for question in plan.recall}
        assert len(places) > 1

    def test_its_solutions_are_python_that_defines_answer(self, number, plan):
        for exercise in plan.exercises:
            names = {node.id for node in ast.walk(ast.parse(exercise.solution)) if isinstance(node, ast.Name)}
            functions = {node.name for node in ast.parse(exercise.solution).body if isinstance(node, ast.FunctionDef)}
            assert "answer" in names | functions
