"""The recall quiz: every option answers back, right ones are kept, and it can be read without a kernel."""

import pytest

from eventlab.course.quiz import Option, Question, Quiz

QUESTIONS = (
    Question(
        "What does `fold` need?", (Option("Events", "Yes.", right=True), Option("A <table>", "It has none.")), "01"
    ),
    Question("Who decides?", (Option("The broker", "It only stores."), Option("You", "Indeed.", right=True)), "02"),
)


@pytest.fixture
def picked():
    return []


@pytest.fixture
def quiz(picked):
    return Quiz(QUESTIONS, lambda index, right: picked.append((index, right)) or "")


def block(quiz, index):
    _, buttons, feedback = quiz.widget.children[index].children
    return buttons.children, feedback


def test_every_option_has_feedback_and_each_pick_is_heard(quiz, picked):
    buttons, feedback = block(quiz, 0)
    buttons[1].click()
    assert feedback.value.startswith("✘ It has none.")
    buttons[0].click()
    assert feedback.value.startswith("✔ Yes.")
    assert picked == [(0, False), (0, True)]


def test_questions_do_not_answer_for_each_other(quiz):
    block(quiz, 0)[0][0].click()
    assert "Pick an answer" in block(quiz, 1)[1].value


def test_a_screen_reader_hears_the_option_not_only_its_letter(quiz):
    assert [button.tooltip for button in block(quiz, 1)[0]] == ["The broker", "You"]


def test_a_note_is_shown_with_the_feedback():
    quiz = Quiz(QUESTIONS, lambda index, right: "Your progress is not kept.")
    buttons, feedback = block(quiz, 0)
    buttons[0].click()
    assert "Your progress is not kept." in feedback.value


def test_text_is_escaped_and_code_is_marked(quiz):
    asked = quiz.widget.children[0].children[0].value
    assert "<code>fold</code>" in asked
    assert "A &lt;table&gt;" in asked


def test_without_a_kernel_questions_and_folded_answers_can_be_read(quiz):
    bundle = quiz._repr_mimebundle_()
    assert bundle["text/plain"].startswith(
        "1. What does `fold` need?\n   A. Events\n   B. A <table>\n\n2. Who decides?"
    )
    assert bundle["text/html"].count("<details>") == 2
    assert "✔ Indeed." in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle
