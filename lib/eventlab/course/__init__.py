"""Predictions, exercises, quizzes and the learner's progress: what a notebook asks of its reader.

A notebook begins with ``from eventlab.course import Lesson; lesson = Lesson("01")``. How to write a lesson's
exercises stands in :mod:`eventlab.course.exercises`.
"""

from eventlab.course.journal import progress
from eventlab.course.lesson import Lesson

__all__ = ["Lesson", "progress"]
