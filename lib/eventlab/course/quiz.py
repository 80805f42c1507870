"""Recall: three questions at the end of a lesson, with feedback for every option."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

import ipywidgets as widgets

from eventlab.course.card import inline, with_fallback


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that can be picked, and what to say to who picks it."""

    text: str
    feedback: str
    right: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A multiple-choice question with one right option. ``lesson`` is the lesson that it recalls: ``"01"``."""

    text: str
    options: tuple[Option, ...]
    lesson: str


class Quiz:
    """The questions as widgets: a button per option, reached with Tab and pressed with Space.

    ``picked(question index, right)`` hears each pick and gives a note to show, empty when all is well. Without a kernel
    the questions can be read, with the answers folded away.
    """

    def __init__(self, questions: Sequence[Question], picked: Callable[[int, bool], str]) -> None:
        self.questions = questions
        self.widget = widgets.VBox([self._block(index, question, picked) for index, question in enumerate(questions)])

    def _block(self, index: int, question: Question, picked: Callable[[int, bool], str]) -> Any:
        feedback = widgets.HTML("<i>Pick an answer.</i>")

        def show(option: Option) -> None:
            note = picked(index, option.right)
            feedback.value = f"{_mark(option)} {inline(option.feedback)} {inline(note)}"

        buttons = []
        for letter, option in _lettered(question):
            button = widgets.Button(description=letter, tooltip=option.text, layout=widgets.Layout(width="3em"))
            button.on_click(lambda _, option=option: show(option))
            buttons.append(button)
        return widgets.VBox([widgets.HTML(_ask(index, question)), widgets.HBox(buttons), feedback])

    def __repr__(self) -> str:
        blocks = []
        for index, question in enumerate(self.questions):
            options = [f"   {letter}. {option.text}" for letter, option in _lettered(question)]
            blocks.append("\n".join([f"{index + 1}. {question.text}", *options]))
        return "\n\n".join(blocks)

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        page = "".join(
            f"{_ask(index, question)}<details><summary>Answer</summary>{_answers(question)}</details>"
            for index, question in enumerate(self.questions)
        )
        return with_fallback(self.widget, page, repr(self))


def _lettered(question: Question) -> list[tuple[str, Option]]:
    return list(zip(ascii_uppercase, question.options, strict=False))


def _ask(index: int, question: Question) -> str:
    options = "".join(f"<li>{inline(option.text)}</li>" for option in question.options)
    return f'<p><b>{index + 1}.</b> {inline(question.text)}</p><ol type="A">{options}</ol>'


def _answers(question: Question) -> str:
    lines = (f"<li>{_mark(option)} {inline(option.feedback)}</li>" for option in question.options)
    return f'<ol type="A">{"".join(lines)}</ol>'


def _mark(option: Option) -> str:
    return "✔" if option.right else "✘"
