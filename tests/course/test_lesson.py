"""A lesson as its notebook uses it: by a learner who clicks, and headless by nobody."""

import pandas as pd
import pytest

from eventlab.course import Lesson
from eventlab.course.exercise import Exercise, Outcome, judge

QUESTION = "How many of the 40 carts are out of order?"


@pytest.fixture(autouse=True)
def _progress_of_ana(tmp_path, monkeypatch):
    monkeypatch.setenv("EVENTLAB_HOME", str(tmp_path))
    monkeypatch.setenv("EVENTLAB_LEARNER", "ana")


@pytest.fixture
def lesson():
    return Lesson("01")


def guess(prediction, number):
    prediction.slider.value = number
    prediction.button.click()


def test_a_lesson_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match=r"there is no lesson '99'; there are: .*01"):
        Lesson("99")


class TestPredictions:
    def test_nobody_answered_so_nothing_is_compared(self, lesson):
        lesson.predict("unkeyed", QUESTION, 0, 40)
        assert repr(lesson.compare("unkeyed", 31)) == f"{QUESTION} **31**"

    def test_the_result_is_bold_beside_the_guess(self, lesson):
        guess(lesson.predict("unkeyed", QUESTION, 0, 40), 5)
        assert repr(lesson.compare("unkeyed", 31)) == f"{QUESTION} **31** · you said 5"

    def test_moving_the_slider_alone_is_no_answer(self, lesson):
        lesson.predict("unkeyed", QUESTION, 0, 40).slider.value = 7
        assert "you said" not in repr(lesson.compare("unkeyed", 31))

    def test_the_guess_is_still_known_after_the_kernel_restarted(self, lesson):
        guess(lesson.predict("unkeyed", QUESTION, 0, 40), 5)
        again = Lesson("01")
        assert again.predict("unkeyed", QUESTION, 0, 40).slider.value == 5
        assert "you said 5" in repr(again.compare("unkeyed", 31))

    def test_a_guess_of_zero_is_an_answer(self, lesson):
        guess(lesson.predict("unkeyed", QUESTION, 0, 40), 0)
        assert "you said 0" in repr(lesson.compare("unkeyed", 31))

    def test_lessons_do_not_share_guesses(self, lesson):
        guess(lesson.predict("unkeyed", QUESTION, 0, 40), 5)
        assert "you said" not in repr(Lesson("00").compare("unkeyed", 31))

    def test_limits_with_decimals_ask_for_decimals(self, lesson):
        guess(lesson.predict("share", "What share is lost?", 0.0, 1.0), 0.25)
        assert repr(lesson.compare("share", 2 / 3)) == "What share is lost? **0.67** · you said 0.25"

    def test_an_old_guess_outside_new_limits_does_not_break_the_slider(self, lesson):
        guess(lesson.predict("unkeyed", QUESTION, 0, 40), 39)
        assert Lesson("01").predict("unkeyed", QUESTION, 0, 10).slider.value == 10

    def test_when_progress_cannot_be_kept_the_learner_is_told_and_the_guess_still_counts(self, lesson, monkeypatch):
        monkeypatch.setenv("EVENTLAB_HOME", "/dev/null")
        prediction = lesson.predict("unkeyed", QUESTION, 0, 40)
        guess(prediction, 5)
        assert "Your progress is not kept" in prediction.status.value
        assert "you said 5" in repr(lesson.compare("unkeyed", 31))

    def test_a_reader_without_widgets_sees_the_question(self, lesson):
        bundle = lesson.predict("unkeyed", QUESTION, 0, 40)._repr_mimebundle_()
        assert "application/vnd.jupyter.widget-view+json" in bundle
        assert QUESTION in bundle["text/html"]
        assert QUESTION in bundle["text/plain"]


class TestExercises:
    def test_an_unknown_exercise_is_refused_with_those_that_exist(self, lesson):
        with pytest.raises(ValueError, match="lesson 01 has no exercise 'z'; it has: "):
            lesson.exercise("z")

    def test_three_outcomes(self, lesson):
        def put_back(events):
            return 0

        assert lesson.exercise("c").check(...).outcome is Outcome.NOT_ATTEMPTED
        assert lesson.exercise("c").check(put_back).outcome is Outcome.INCORRECT

    def test_stuck_learners_are_pointed_to_the_hints(self, lesson):
        assert 'lesson.exercise("c").hint()' in repr(lesson.exercise("c").check(...))

    def test_hints_come_one_by_one_and_the_last_one_stays(self, lesson):
        shown = [repr(lesson.exercise("c").hint()) for _ in range(4)]
        assert shown[0].startswith("**Hint 1 of 2.**")
        assert shown[1].startswith("**Hint 2 of 2.**")
        assert 'lesson.exercise("c").solution()' in shown[1]
        assert shown[1] == shown[2] == shown[3]

    def test_the_solution_is_shown_as_python(self, lesson):
        shown = repr(lesson.exercise("c").solution())
        assert shown.startswith("One solution:\n\n```python\nfrom eventlab.domain.cart import QuantityChanged")

    def test_without_the_values_it_needs_a_check_says_which(self, lesson):
        verdict = lesson.exercise("b").check([])
        assert verdict.outcome is Outcome.NOT_ATTEMPTED
        assert 'lesson.exercise("b", story=story)' in verdict.text

    def test_values_given_once_are_remembered(self, lesson):
        lesson.exercise("b", story=[])
        assert lesson.exercise("b").check(["no event"]).outcome is Outcome.INCORRECT

    def test_when_progress_cannot_be_kept_the_verdict_says_so(self, lesson, monkeypatch):
        monkeypatch.setenv("EVENTLAB_HOME", "/dev/null")
        verdict = lesson.exercise("c").check(lambda events: 0)
        assert verdict.outcome is Outcome.INCORRECT
        assert "Your progress is not kept" in verdict.text


class TestJudging:
    """What a check makes of an answer, whatever the answer is."""

    def exercise(self, check):
        return Exercise("a", "make", check, "Because.", ("x", "y"), "answer = 1")

    @pytest.mark.parametrize("blank", [..., None, [...], (1, ...), {"a": ...}, {...: 1}, {1, ...}, lambda: ...])
    def test_blanks(self, blank):
        verdict = judge(self.exercise(lambda answer: answer() if callable(answer) else None), blank, {})
        assert verdict.outcome is Outcome.NOT_ATTEMPTED

    @pytest.mark.parametrize("falsy", [0, "", [], {}, (), False, 0.0])
    def test_an_empty_answer_is_an_answer(self, falsy):
        assert judge(self.exercise(lambda answer: None), falsy, {}).outcome is Outcome.CORRECT

    def test_a_number_out_of_a_data_frame_is_a_number(self):
        check = self.exercise(lambda answer: None if isinstance(answer, int) else "not a number")
        assert judge(check, pd.Series([3]).sum(), {}).outcome is Outcome.CORRECT

    def test_the_learners_line_is_shown_not_the_librarys(self):
        def answer(text):
            return int(text) + 1

        verdict = judge(self.exercise(lambda answer: str(answer("three"))), answer, {})
        assert verdict.outcome is Outcome.INCORRECT
        line = answer.__code__.co_firstlineno + 1
        assert "`ValueError: invalid literal for int() with base 10: 'three'`" in verdict.text
        assert f"in line {line} of its cell: `return int(text) + 1`" in verdict.text

    def test_a_function_with_the_wrong_parameters_is_told_so(self):
        def answer():
            return 1

        verdict = judge(self.exercise(lambda answer: str(answer("three"))), answer, {})
        assert "takes 0 positional arguments but 1 was given" in verdict.text

    def test_an_answer_that_the_check_cannot_use_is_told_its_type(self):
        verdict = judge(self.exercise(lambda answer: str(answer + 1)), "three", {})
        assert verdict.text.startswith("The check cannot use an answer of type `str`: `TypeError")

    def test_a_message_with_backticks_and_newlines_stays_one_piece_of_code(self):
        def answer():
            raise ValueError("a `quoted` name\nover two lines")

        verdict = judge(self.exercise(lambda answer: str(answer())), answer, {})
        assert "`` ValueError: a `quoted` name over two lines ``" in verdict.text

    def test_endless_recursion_is_incorrect(self):
        def answer():
            return answer()

        assert "RecursionError" in judge(self.exercise(lambda answer: answer()), answer, {}).text
