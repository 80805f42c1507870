"""Producers and consumers in processes of their own, which stand still at a chosen point of their work.

There they can be killed, paused or started again, so that what is a race elsewhere is certain here.

This file is also the other end: a script that reads a line of JSON (which function to call, with what), and then a line
for each step that it may go on from. It writes its pid, and a line of JSON for each step that it has come to.
"""

import importlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eventlab.cluster import leash, processes
from eventlab.cluster.errors import LabError
from eventlab.cluster.processes import Process

_PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.001
_END = "ended"


# What the work calls wherever somebody may want to strike, ``tell(step, **what)``; it returns when the work may go on.
Tell = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Step:
    """A point that an actor has come to, and what it said there."""

    name: str
    what: dict[str, Any]


class Actor:
    """``work(tell, **options)`` in a process of its own, for the length of a ``with`` block, however that ends.

    ``work`` is a function of a module, so that the other process finds it; ``options`` are what JSON can hold. The
    process does nothing but what :meth:`until` and :meth:`finish` let it do; its other threads (a client's heartbeat)
    go on while it stands at a step. ``steps`` are all that it has come to, over all its lives.
    """

    def __init__(self, work: Callable[..., None], **options: Any) -> None:
        if work.__module__ == "__main__" or "<" in work.__qualname__:
            raise ValueError(f"another process cannot find {work.__qualname__}: put it into a module, by itself")
        self._task = {"path": sys.path, "module": work.__module__, "name": work.__qualname__, "options": options}
        self.steps: list[Step] = []

    def __enter__(self) -> "Actor":
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        leash.cut(self._leash)
        self._leash.wait()

    def _start(self) -> None:
        self._leash = leash.tie([sys.executable, "-P", __file__])
        self._heard: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=_listen, args=(self._leash, self._heard), daemon=True).start()
        self._hear()  # the working directory that the leash gave it
        self._process = Process.of(int(self._hear()))
        self._say(json.dumps(self._task))
        self._waits = False

    def until(self, step: str, times: int = 1) -> Step:
        """Let it work until it has come to ``step`` so many times from now on; it stands there. Gives what it says.

        Raises LabError when it ends before that, or is not there in time.
        """
        for _ in range(times):
            while (come := self._next()).name != step:
                if come.name == _END:
                    raise LabError(f"The process did all its work and never came to {step!r}.")
        return come

    def finish(self) -> None:
        """Let it work to its end."""
        while self._next().name != _END:
            pass

    def _next(self) -> Step:
        if self._waits:
            self._say("")
        step = Step(*json.loads(self._hear()))
        self._waits = True
        self.steps.append(step)
        return step

    def kill(self) -> None:
        """``kill -9``."""
        self._process.kill()
        processes.wait_until_dead([self._process], _PATIENCE_SECONDS)

    def pause(self) -> None:
        """SIGSTOP, for all its threads: alive, but silent."""
        self._process.send(signal.SIGSTOP)
        end = time.monotonic() + _PATIENCE_SECONDS
        while self._process.state == "running":
            if time.monotonic() > end:
                raise LabError(f"Process {self._process.pid} did not stop within {_PATIENCE_SECONDS:g} s.")
            time.sleep(_POLL_SECONDS)

    def resume(self) -> None:
        """SIGCONT: it goes on where it was; at a step, it still stands there."""
        self._process.send(signal.SIGCONT)

    def restart(self) -> None:
        """Kill it if it lives, and start it again from the beginning of its work."""
        self.kill()
        self.__exit__()
        self._start()

    @property
    def state(self) -> str:
        """``running`` (also while it stands at a step), ``paused`` or ``dead``."""
        return self._process.state

    def _say(self, line: str) -> None:
        assert self._leash.stdin
        try:
            self._leash.stdin.write(f"{line}\n")
            self._leash.stdin.flush()
        except BrokenPipeError as error:
            raise LabError("The process has ended; what it said stands above.") from error

    def _hear(self) -> str:
        try:
            line = self._heard.get(timeout=_PATIENCE_SECONDS)
        except queue.Empty:
            raise LabError(f"The process came to no step within {_PATIENCE_SECONDS:g} s.") from None
        if not line:
            self._heard.put("")  # also when somebody asks again
            raise LabError("The process has ended before its work was done; what it said stands above.")
        return line


def _listen(server: "subprocess.Popen[str]", heard: "queue.SimpleQueue[str]") -> None:
    """Lines as they come, and an empty one at the end."""
    assert server.stdout
    with server.stdout as output:
        for line in output:
            heard.put(line)
    heard.put("")


def _main() -> None:
    def tell(step: str, /, **what: Any) -> None:
        say([step, what])
        sys.stdin.readline()

    def say(what: object) -> None:
        print(json.dumps(what), flush=True)  # noqa: T201 the other end reads it

    say(os.getpid())
    task = json.loads(sys.stdin.readline())
    sys.path[:] = task["path"]
    work = getattr(importlib.import_module(task["module"]), task["name"])
    work(tell, **task["options"])
    say([_END, {}])


if __name__ == "__main__":
    _main()
