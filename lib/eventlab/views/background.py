"""Projectors beside a notebook or a test: threads that are started and stopped, and whose errors are not lost."""

from collections.abc import Sequence
from threading import Event, Thread
from typing import Literal, Protocol

from eventlab.store import SqlEventStore
from eventlab.views.projector import Projector
from eventlab.views.view import View


class Runs(Protocol):
    """A projector, of a store or of a topic."""

    def run(self, stop: Event | None = None) -> None:
        """Follow until ``stop`` is set."""
        ...


class Running:
    """Projectors at work, until :meth:`stop` or the end of the ``with`` block."""

    def __init__(self, projectors: Sequence[Runs]) -> None:
        self._stop = Event()
        self._failed: list[BaseException] = []
        self._threads = [Thread(target=self._run, args=[each], daemon=True) for each in projectors]
        for thread in self._threads:
            thread.start()

    def _run(self, projector: Runs) -> None:
        try:
            projector.run(self._stop)
        except BaseException as error:  # raised by stop(), in the thread that asked
            self._failed.append(error)

    @property
    def failed(self) -> BaseException | None:
        """Why a projector stopped by itself, if one did."""
        return self._failed[0] if self._failed else None

    def stop(self) -> None:
        """Let the batch at hand end, and stop. Raises what a projector raised; a second call does nothing."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        failed, self._failed = self._failed, []
        if failed:
            raise failed[0]

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(store: SqlEventStore, *views: View, on_failure: Literal["stop", "park"] = "stop") -> Running:
    """Keep ``views`` up to date in the background, a thread for each: ``with start(store, sales): …``."""
    return Running([Projector(store, view, on_failure=on_failure) for view in views])
