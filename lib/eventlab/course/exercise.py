"""An exercise and its check: three outcomes, and never a traceback for the learner's mistake."""

import functools
import inspect
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import EllipsisType, FunctionType
from typing import Any, Literal

import numpy as np

from eventlab.course.card import Card, code


@dataclass(frozen=True, slots=True)
class Exercise:
    """One question to the learner, with its check. The question itself stands in the notebook.

    ``check(answer, **context)`` gives None when the answer is right, otherwise a diagnosis: one or two sentences
    that say what to look at, not the answer. Its keyword parameters are values of the notebook that it needs.
    ``why`` is shown with a right answer. ``hints`` go from vague to near. ``solution`` is the source that could
    stand in the answer cell: it defines the name ``answer``, which the tests put through the check.
    """

    id: str
    kind: Literal["investigate", "modify", "make"]
    check: Callable[..., str | None]
    why: str
    hints: tuple[str, ...]
    solution: str

    @property
    def needs(self) -> set[str]:
        """The names of the notebook's values that the check asks for."""
        return set(list(inspect.signature(self.check).parameters)[1:])


class Outcome(Enum):
    """What a check can say."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    NOT_ATTEMPTED = "not attempted"


_MARKS = {Outcome.CORRECT: "✔", Outcome.INCORRECT: "✘", Outcome.NOT_ATTEMPTED: "○"}


class Verdict(Card):
    """The outcome of a check and what there is to say about it."""

    def __init__(self, outcome: Outcome, text: str) -> None:
        super().__init__(f"{_MARKS[outcome]} **{outcome.value.capitalize()}.** {text}")
        self.outcome, self.text = outcome, text


class _Blank(Exception):
    """The learner's function gave back the ``...`` of its stub."""


def judge(exercise: Exercise, answer: object, context: Mapping[str, object]) -> Verdict:
    """The verdict on ``answer``: an answer that raises is incorrect, with the error and the line it came from."""
    not_attempted = Verdict(Outcome.NOT_ATTEMPTED, "Put your answer in place of the `...` and run the cell again.")
    if _blank(answer):
        return not_attempted
    if missing := exercise.needs - context.keys():
        names = ", ".join(f"{name}={name}" for name in sorted(missing))
        call = f'lesson.exercise("{exercise.id}", {names})'
        return Verdict(Outcome.NOT_ATTEMPTED, f"The check has to know more: run the cells above, then use `{call}`.")
    try:
        given = {name: context[name] for name in exercise.needs}
        diagnosis = exercise.check(_watched(answer), **given)
    except _Blank:
        return not_attempted
    except Exception as error:
        return Verdict(Outcome.INCORRECT, _raised(error, answer))
    if diagnosis is None:
        return Verdict(Outcome.CORRECT, exercise.why)
    return Verdict(Outcome.INCORRECT, diagnosis)


def _blank(answer: object) -> bool:
    """Nothing there yet: ``...``, None, or a collection with a ``...`` left in it."""
    if isinstance(answer, list | tuple | set):
        return any(part is ... for part in answer)
    if isinstance(answer, dict):
        return any(part is ... for pair in answer.items() for part in pair)
    return answer is None or isinstance(answer, EllipsisType)


def _watched(answer: object) -> Any:
    """The answer as the check gets it: a number out of a data frame as Python's own number; a function wrapped, so that
    a stub's ``return ...`` is seen when the check calls it.
    """
    if isinstance(answer, np.generic):
        return answer.item()
    if not isinstance(answer, FunctionType):
        return answer

    @functools.wraps(answer)
    def called(*args: object, **kwargs: object) -> object:
        if (result := answer(*args, **kwargs)) is ...:
            raise _Blank
        return result

    return called


def _raised(error: Exception, answer: object) -> str:
    """What to tell about an answer that raised: the message, and the learner's own line if it came from there."""
    message = code(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
    if not isinstance(answer, FunctionType):
        return f"The check cannot use an answer of type `{type(answer).__name__}`: {message}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == answer.__code__.co_filename]
    if not own:
        return f"Calling your function raised {message}"
    line = f": {code(own[-1].line)}" if own[-1].line else ""
    return f"Your function raised {message} in line {own[-1].lineno} of its cell{line}"
