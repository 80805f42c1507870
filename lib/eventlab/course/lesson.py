"""The lesson as its notebook sees it: predict, compare, exercise, recall."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from eventlab.course import journal, plan
from eventlab.course.card import Card
from eventlab.course.exercise import Exercise, Outcome, Verdict, judge
from eventlab.course.prediction import Prediction
from eventlab.course.quiz import Quiz
from eventlab.show import frames


class Lesson:
    """One lesson, by its number: ``Lesson("01")``. Raises ValueError for a lesson that does not exist.

    Its notebook shows data frames in the way of the house.
    """

    def __init__(self, number: str) -> None:
        frames.in_this_kernel()
        self.number = number
        self._plan = plan.load(number)
        self._said: dict[str, float] = {}
        self._questions: dict[str, str] = {}
        self._exercises: dict[str, LiveExercise] = {}

    def __repr__(self) -> str:
        return f"{self.number} · {self._plan.title}"

    def predict(self, key: str, question: str, low: float, high: float) -> Prediction:
        """Ask for a guess between ``low`` and ``high``. Whole limits ask for a whole number."""
        self._questions[key] = question

        def keep(guess: float) -> str:
            self._said[key] = guess
            return journal.record(self.number, "predicted", key, guess)

        return Prediction(question, low, high, self._guess(key), keep)

    def compare(self, key: str, actual: float | Decimal) -> Card:
        """The result of what was predicted under ``key``, beside the learner's guess if there is one."""
        said = self._guess(key)
        guess = "" if said is None else f" · you said {_number(said)}"
        return Card(f"{self._questions.get(key, '')} **{_number(actual)}**{guess}".strip())

    def _guess(self, key: str) -> float | None:
        if key in self._said:
            return self._said[key]
        mine = journal.fold(journal.facts()[0]).get(self.number)
        return mine.predictions.get(key) if mine else None

    def exercise(self, id: str, **context: object) -> "LiveExercise":  # noqa: A002 (the word of the field)
        """The exercise ``id``; ``context`` hands values of the notebook to its check.

        Raises ValueError for an exercise that the lesson does not have.
        """
        if id not in self._exercises:
            found = {exercise.id: exercise for exercise in self._plan.exercises}
            if id not in found:
                raise ValueError(f"lesson {self.number} has no exercise {id!r}; it has: {', '.join(found)}")

            def keep(right: bool) -> str:
                return journal.record(self.number, "checked", id, right)

            self._exercises[id] = LiveExercise(found[id], keep)
        self._exercises[id].context.update(context)
        return self._exercises[id]

    def recall(self) -> Quiz:
        """Three questions to answer without looking back."""

        def picked(index: int, right: bool) -> str:
            return journal.record(self.number, "recalled", str(index), right)

        return Quiz(self._plan.recall, picked)


class LiveExercise:
    """An exercise in a running notebook: ``check(answer)``, ``hint()``, ``solution()``."""

    def __init__(self, exercise: Exercise, keep: Callable[[bool], str]) -> None:
        self._exercise, self._keep = exercise, keep
        self._hinted = 0
        self.context: dict[str, object] = {}

    def __repr__(self) -> str:
        return f"exercise {self._exercise.id} ({self._exercise.kind}): check(answer), hint(), solution()"

    def check(self, answer: object) -> Verdict:
        """Correct, incorrect with a diagnosis, or not attempted. Never raises for what the learner did."""
        verdict = judge(self._exercise, answer, self.context)
        more = []
        if verdict.outcome is not Outcome.NOT_ATTEMPTED:
            more.append(self._keep(verdict.outcome is Outcome.CORRECT))
        if verdict.outcome is not Outcome.CORRECT:
            more.append(f"Stuck? `{self._call('hint')}`")
        return Verdict(verdict.outcome, "\n\n".join([verdict.text, *filter(None, more)]))

    def hint(self) -> Card:
        """The next hint, from vague to near; the last one stays."""
        hints = self._exercise.hints
        self._hinted = min(self._hinted + 1, len(hints))
        last = f"\n\nThis was the last hint; then there is `{self._call('solution')}`."
        return Card(
            f"**Hint {self._hinted} of {len(hints)}.** {hints[self._hinted - 1]}"
            + (last if self._hinted == len(hints) else "")
        )

    def solution(self) -> Card:
        """One answer that passes the check; others may too."""
        return Card(f"One solution:\n\n```python\n{self._exercise.solution.strip()}\n```")

    def _call(self, method: str) -> str:
        return f'lesson.exercise("{self._exercise.id}").{method}()'


def _number(value: Any) -> str:
    """A number for reading: thousands separated, a float cut to two decimals."""
    return f"{round(value, 2):,}" if isinstance(value, float) else f"{value:,}"
