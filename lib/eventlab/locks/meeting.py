"""Makes a race certain: nobody writes before every writer has read, or stands at the lock."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from eventlab.locks.steps import Log, Step, Told

_PATIENCE_SECONDS = 60
_POLL_SECONDS = 0.001


class Meeting:
    """Rounds of ``writers`` threads. ``blocked()`` says how many of them wait for a lock inside the database."""

    def __init__(self, writers: int, blocked: Callable[[], int]) -> None:
        self.log = Log()
        self._writers, self._blocked = writers, blocked
        self._begin = threading.Barrier(writers)
        self._there: set[int] = set()

    @contextmanager
    def writer(self) -> Iterator[None]:
        """Around all rounds of a writer: when it fails, the others do not wait for it."""
        try:
            yield
        except BaseException:
            self._begin.abort()
            raise

    def round(self, number: int, writer: int) -> Callable[[Step, int | None], None]:
        """Wait for the others to begin round ``number`` too; gives what the writer has to tell its steps to."""
        if self._begin.wait(_PATIENCE_SECONDS) == 0:
            self._there.clear()
        self._begin.wait(_PATIENCE_SECONDS)  # nobody comes in before it is cleared

        def tell(step: Step, balance: int | None) -> None:
            self.log.tell(Told(number, writer, step, balance))
            if step in (Step.WAITS, Step.READS):
                self._there.add(writer)
            if step is Step.READS:
                self._wait_for_all()

        return tell

    def _wait_for_all(self) -> None:
        end = time.monotonic() + _PATIENCE_SECONDS
        while len(self._there) < self._writers and len(self._there) + self._blocked() < self._writers:
            if self._begin.broken or time.monotonic() > end:
                raise threading.BrokenBarrierError
            time.sleep(_POLL_SECONDS)
