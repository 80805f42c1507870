"""What a writer does, one step after the other: it tells each, so that others can watch, meet it there, or stop it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """A step of one deposit. Each is told when it is done, a write in SQL just before its commit."""

    WAITS = "waits for the lock"
    LOCKS = "has the lock"
    READS = "reads"
    WRITES = "writes"
    REFUSED = "is refused"


# The step, and the balance (in cents) that was read or written with it.
Tell = Callable[[Step, int | None], None]


def nobody(step: Step, balance: int | None) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Told:
    """One step of a writer (numbered from 1) in a round (too); ``balance`` in cents."""

    round: int
    writer: int
    step: Step
    balance: int | None


class Log:
    """The steps of several writers in the order in which they were told; a writer that still waits is told once."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self._lock = threading.Lock()
        self._last: dict[int, Told] = {}

    def tell(self, told: Told) -> None:
        """Write it down."""
        with self._lock:
            if told.step is not Step.WAITS or self._last.get(told.writer) != told:
                self.told.append(told)
            self._last[told.writer] = told
