"""What a lesson holds beside its notebook: title, exercises, recall questions; and finding it by its number."""

import importlib
import pkgutil
from dataclasses import dataclass

from eventlab.course import exercises as _exercises
from eventlab.course.exercise import Exercise
from eventlab.course.quiz import Question


@dataclass(frozen=True, slots=True)
class Plan:
    """The exercises and recall questions of one notebook; ``title`` as in the notebook's heading."""

    title: str
    exercises: tuple[Exercise, ...]
    recall: tuple[Question, ...]


def numbers() -> list[str]:
    """The numbers of the lessons that exist: ``["00", "01", …]``."""
    return sorted(module.name.removeprefix("n") for module in pkgutil.iter_modules(_exercises.__path__))


def load(number: str) -> Plan:
    """The plan of a lesson by its number. Raises ValueError naming the lessons there are."""
    if number not in numbers():
        raise ValueError(f"there is no lesson {number!r}; there are: {', '.join(numbers())}")
    plan: Plan = importlib.import_module(f"{_exercises.__name__}.n{number}").PLAN
    return plan
