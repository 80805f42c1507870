"""Processes that the lab started, known by pid and start time, so that no other process is ever touched."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from eventlab.cluster.errors import LabError

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_BIRTH_FIELD = 19  # of /proc/PID/stat, counted after the name: start time in clock ticks since boot
_POLL = 0.02
# A killed process is gone at once, unless the disk holds it up.
_KILL_SECONDS = 10


@dataclass(frozen=True)
class Process:
    """One process, for as long as it lives: another one that later gets the same pid is not it."""

    pid: int
    birth: str

    @classmethod
    def of(cls, pid: int) -> "Process":
        """The process that has this pid now. Raises LabError when there is none."""
        try:
            return cls(pid, _birth(pid))
        except psutil.NoSuchProcess as error:
            raise LabError(f"Process {pid} ended before it could be watched.") from error

    def _find(self) -> psutil.Process | None:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if _birth(self.pid) == self.birth:
                found = psutil.Process(self.pid)
                # A killed JVM is a zombie while its last threads still hold its ports and files.
                ended = found.status() == psutil.STATUS_ZOMBIE and found.num_threads() <= 1
                return None if ended else found
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

    @property
    def working(self) -> bool:
        """Whether it is there and not about to end: what was killed has no memory, so no words, before it is gone."""
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            return bool((found := self._find()) and found.cmdline())
        return False

    def memory(self) -> int:
        """Resident memory in bytes, 0 when dead."""
        found = self._find()
        return int(found.memory_info().rss) if found else 0

    def send(self, number: int) -> None:
        """Send a signal; nothing happens when the process is gone."""
        if found := self._find():
            with contextlib.suppress(psutil.NoSuchProcess):
                found.send_signal(number)

    def kill(self) -> None:
        """Kill it and its children (PostgreSQL's live on until they look up from their work)."""
        if found := self._find():
            with contextlib.suppress(psutil.NoSuchProcess):
                for victim in [*found.children(recursive=True), found]:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        victim.kill()


def _birth(pid: int) -> str:
    """When the process with this pid began, by a clock that nobody sets.

    psutil's ``create_time`` moves on Linux when the wall clock is set (a laptop that slept, WSL), since it adds ticks
    since boot to a computed boot time; the ticks themselves, with the boot's id, never move.
    """
    try:
        ticks = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[_BIRTH_FIELD].decode()
        return f"{_BOOT_ID.read_text().strip()}/{ticks}"
    except OSError:  # not Linux, or no such process
        return f"{psutil.Process(pid).create_time():.3f}"


def me() -> Process:
    """This process."""
    return Process.of(os.getpid())


def stop(processes: Iterable[Process], patience: float) -> None:
    """Ask all to end, wait ``patience`` seconds for them together, then kill what is left."""
    waiting = [process for process in processes if process.alive]
    for process in waiting:
        process.send(signal.SIGTERM)
        process.send(signal.SIGCONT)  # a paused process hears the first signal only once it goes on
    waiting = wait_until_dead(waiting, patience)
    for process in waiting:
        process.kill()
    wait_until_dead(waiting, _KILL_SECONDS)


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


def marked(*marks: str) -> list[Process]:
    """The processes that have exactly one of ``marks`` among their arguments: words that only a lab sets."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if not set(marks).isdisjoint(process.info["cmdline"] or []):
            with contextlib.suppress(LabError):  # it has just ended
                found.append(Process.of(process.pid))
    return found
