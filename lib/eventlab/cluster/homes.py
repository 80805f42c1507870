"""Where a lab lives: one directory with one lock, that can be written and has room."""

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import eventlab
from eventlab.cluster.errors import LabError

# Below this a broker would die while it starts: three preallocated indexes, logs and PostgreSQL's first WAL segments.
LEAST_FREE_BYTES = 300 * 2**20
# A first start on a slow network fetches Kafka; a start that hangs gives up long before.
_LOCK_SECONDS = 600
_LOCK_POLL_SECONDS = 0.02


def home() -> Path:
    """The lab's directory: ``EVENTLAB_HOME``, or ``.eventlab`` inside the project (else in the working directory)."""
    if chosen := os.environ.get("EVENTLAB_HOME"):
        return Path(chosen).expanduser().absolute()
    project = Path(eventlab.__file__).parents[2]
    return (project if (project / "pyproject.toml").exists() else Path.cwd()) / ".eventlab"


def prepare(directory: Path) -> Path:
    """Make ``directory`` and try it. Raises LabError when it cannot be written."""
    if any(sign in str(directory) for sign in ":,\n"):
        # Java splits a class path at ':' and Kafka its log.dirs at ','.
        raise LabError(f"{directory} has a colon or comma in its name; set EVENTLAB_HOME to a directory without.")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise cannot_write(directory, error) from error
    return directory


def check_room(directory: Path) -> None:
    """Raise LabError when the disk has no room for brokers to start."""
    if (free := shutil.disk_usage(directory).free) < LEAST_FREE_BYTES:
        raise LabError(
            f"The disk under {directory} has {free / 2**20:.0f} MB left; a lab needs {LEAST_FREE_BYTES / 2**20:.0f}. "
            "Free some space (`eventlab reset` removes the lab's own data), or set EVENTLAB_HOME to a larger disk."
        )


def cannot_write(path: Path, error: OSError) -> LabError:
    """The error for a path that could not be written, with the cure that fits the cause."""
    if error.errno == errno.ENOSPC:
        return LabError(f"The disk is full: {path} could not be written. Free some space and try again.")
    cure = "Set EVENTLAB_HOME to a directory that is yours, for example: export EVENTLAB_HOME=~/eventlab-home"
    if path.is_relative_to(sys.prefix):
        cure = "Run `make setup` as the user that made this Python environment, or in a checkout that is yours."
    return LabError(f"{path} cannot be written ({error.strerror}). {cure}")


def mark(directory: Path) -> str:
    """What stands on the command line of every process of the lab in ``directory``, and of no other."""
    return f"eventlab-{hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:16]}"


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the lock of ``directory``. The operating system lets go of it when the process dies, however it dies.

    Raises LabError when somebody else does not let go of it, or the directory cannot be written.
    """
    try:
        handle = (directory / "lock").open("a+")
    except OSError as error:
        raise cannot_write(directory, error) from error
    with handle:
        end = time.monotonic() + _LOCK_SECONDS
        while not _lock(handle):
            if time.monotonic() > end:
                handle.seek(0)
                raise LabError(
                    f"Process {handle.read()} has been starting or stopping something in {directory} for "
                    f"{_LOCK_SECONDS // 60} minutes. If it hangs, end that process and try again."
                )
            time.sleep(_LOCK_POLL_SECONDS)
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def _lock(handle: TextIO) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_atomically(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` (readable by its owner only): a reader sees the old or the new, never half."""
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as new:
            try:
                new.write(text)
                new.flush()
                Path(new.name).replace(path)
            except BaseException:
                Path(new.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise cannot_write(path, error) from error
