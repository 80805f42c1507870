"""A writer in a process of its own that stops dead between reading and writing, as a long pause of its machine does.

The other end of :class:`StoppingWriter` is this file as a script. Its input: a line of JSON (what
:class:`eventlab.locks.Teller` takes, and the ``way``), then the cents of each deposit, a line each. Its output: its
pid, then a line of JSON for each step (``[step, balance]``), and for the end of a deposit its attempts in vain.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eventlab.cluster import leash
from eventlab.cluster.processes import Process
from eventlab.locks.steps import Step, Tell

_PATIENCE_SECONDS = 30
_POLL_SECONDS = 0.001


class StoppingWriter:
    """Deposits at the teller that ``options`` describe; use :func:`stopping_writer`."""

    def __init__(self, server: Any, options: dict[str, object]) -> None:
        self._input, self._output = server.stdin, server.stdout
        self._output.readline()  # the working directory that the leash gave it
        self._process = Process.of(self._hear())
        self._send(json.dumps(options))

    def start(self, amount: int, tell: Tell) -> None:
        """Begin a deposit of ``amount`` cents; it has read the balance and stopped when this returns."""
        self._send(str(amount))
        while self._step(self._hear(), tell) is not Step.READS:
            pass
        end = time.monotonic() + _PATIENCE_SECONDS
        while self._process.state != "paused":
            if time.monotonic() > end:
                raise RuntimeError(f"the writer (process {self._process.pid}) did not stop after it had read")
            time.sleep(_POLL_SECONDS)

    def finish(self, tell: Tell) -> int:
        """Let it go on to the end of its deposit; gives how many attempts were in vain."""
        self._process.send(signal.SIGCONT)
        while isinstance(heard := self._hear(), list):
            self._step(heard, tell)
        return int(heard)

    def _step(self, heard: Any, tell: Tell) -> Step:
        step, balance = Step(heard[0]), heard[1]
        tell(step, balance)
        return step

    def _send(self, line: str) -> None:
        self._input.write(f"{line}\n")
        self._input.flush()

    def _hear(self) -> Any:
        if not (line := self._output.readline()):
            raise RuntimeError("the writer that was to stop has ended; what it said stands above")
        return json.loads(line)


@contextmanager
def stopping_writer(**options: object) -> Iterator[StoppingWriter]:
    """Such a writer, for a ``with`` block; it ends with this process, also while it is stopped."""
    with leash.tie([sys.executable, "-P", __file__]) as server:
        try:
            yield StoppingWriter(server, options)
        finally:
            leash.cut(server)


def _main() -> None:
    from eventlab.locks import WAYS, Teller

    _say(os.getpid())
    options = json.loads(sys.stdin.readline())
    way = WAYS[options.pop("way")]
    teller = Teller(**options)
    for line in sys.stdin:
        _say(way.deposit(teller, int(line), _stop_at_first_read()))


def _stop_at_first_read() -> Tell:
    reads = 0

    def tell(step: Step, balance: int | None) -> None:
        nonlocal reads
        _say([step, balance])
        if step is Step.READS:
            reads += 1
            if reads == 1:
                os.kill(os.getpid(), signal.SIGSTOP)

    return tell


def _say(what: object) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201 the other end reads it


if __name__ == "__main__":
    _main()
