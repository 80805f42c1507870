"""Waiting for a condition, or for a database to come back; never for longer than a test may take."""

import time
from collections.abc import Callable
from typing import TypeVar

from eventlab.store import Unavailable

PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.001
_RETRY_SECONDS = 0.01

Result = TypeVar("Result")


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(_LOOK_SECONDS)


def stubbornly(action: Callable[[], Result]) -> Result:
    """Try again for as long as the database is away."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return action()
        except Unavailable:
            assert time.monotonic() < deadline
            time.sleep(_RETRY_SECONDS)
