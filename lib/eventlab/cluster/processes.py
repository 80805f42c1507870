"""Processes that the lab started, known by pid and start time, so that no other process is ever touched."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from eventlab.cluster.errors import LabError

# psutil derives the start time from the boot time; two readings of one process may differ by a clock tick.
_SAME_START = 0.05
_POLL = 0.02
# A killed process is gone at once, unless the disk holds it up.
_KILL_SECONDS = 10


@dataclass(frozen=True)
class Process:
    """One process, for as long as it lives: another one that later gets the same pid is not it."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "Process":
        """The process that has this pid now. Raises LabError when there is none."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess as error:
            raise LabError(f"Process {pid} ended before it could be watched.") from error

    @classmethod
    def load(cls, saved: Mapping[str, Any]) -> "Process":
        """The process that ``saved`` (from :meth:`save`) names."""
        return cls(int(saved["pid"]), float(saved["started"]))

    def save(self) -> dict[str, Any]:
        """What to keep in the state file."""
        return asdict(self)

    def _find(self) -> psutil.Process | None:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            found = psutil.Process(self.pid)
            if abs(found.create_time() - self.started) < _SAME_START and found.status() != psutil.STATUS_ZOMBIE:
                return found
        return None

    @property
    def state(self) -> str:
        """``running``, ``paused`` or ``dead``."""
        found = self._find()
        if found is None:
            return "dead"
        return "paused" if found.status() == psutil.STATUS_STOPPED else "running"

    @property
    def alive(self) -> bool:
        """Whether the process is there, running or paused."""
        return self._find() is not None

    def memory(self) -> int:
        """Resident memory in bytes, 0 when dead."""
        found = self._find()
        return int(found.memory_info().rss) if found else 0

    def send(self, number: int) -> None:
        """Send a signal; nothing happens when the process is gone."""
        if found := self._find():
            with contextlib.suppress(psutil.NoSuchProcess):
                found.send_signal(number)


def me() -> Process:
    """This process."""
    return Process.of(os.getpid())


def stop(processes: Iterable[Process], patience: float) -> None:
    """Ask all to end, wait ``patience`` seconds for them together, then kill what is left (and its children)."""
    waiting = [process for process in processes if process.alive]
    for process in waiting:
        process.send(signal.SIGTERM)
        process.send(signal.SIGCONT)  # a paused process hears the first signal only once it goes on
    waiting = wait_until_dead(waiting, patience)
    for process in waiting:
        for child in _children(process):
            child.send(signal.SIGKILL)
        process.send(signal.SIGKILL)
    wait_until_dead(waiting, _KILL_SECONDS)


def _children(process: Process) -> list[Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return [Process(child.pid, child.create_time()) for child in psutil.Process(process.pid).children(True)]
    return []


def wait_until_dead(processes: Iterable[Process], seconds: float) -> list[Process]:
    """Wait for all to end, ``seconds`` at most; gives those that live on."""
    deadline = time.monotonic() + seconds
    waiting = list(processes)
    while True:
        _reap()
        waiting = [process for process in waiting if process.alive]
        if not waiting or time.monotonic() > deadline:
            return waiting
        time.sleep(_POLL)


_spawned: list[subprocess.Popen[bytes]] = []


def _reap() -> None:
    """Collect ended children of this process, so that they do not stay behind as zombies."""
    _spawned[:] = [child for child in _spawned if child.poll() is None]


def spawn(command: Sequence[str | Path], output: Path, **popen: Any) -> Process:
    """Start a server in a session of its own: neither Ctrl-C nor a closed terminal reaches it.

    Its output goes to the file ``output``. Raises LabError when it cannot be started.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        with output.open("ab") as sink:
            child = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **popen,
            )
    except OSError as error:
        raise LabError(f"{command[0]} cannot be started ({error.strerror}). Run `make setup` again.") from error
    _spawned.append(child)
    return Process.of(child.pid)


def marked(word: str) -> list[Process]:
    """The processes that have exactly ``word`` among their command-line arguments: a mark that only a lab sets."""
    found = []
    for process in psutil.process_iter(["cmdline", "create_time"]):
        if word in (process.info["cmdline"] or []):
            found.append(Process(process.pid, process.info["create_time"]))
    return found
