"""Predictions, exercises, quizzes and the learner's progress."""
