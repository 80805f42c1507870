"""Where a lab keeps its state: one directory, one state file, one lock."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import eventlab
from eventlab.cluster.errors import LabError

# Below this a broker would die while it starts: three preallocated indexes, logs and PostgreSQL's first WAL segments.
LEAST_FREE_BYTES = 300 * 2**20


def home() -> Path:
    """The lab's directory: ``EVENTLAB_HOME``, or ``.eventlab`` inside the project (else in the working directory)."""
    if chosen := os.environ.get("EVENTLAB_HOME"):
        return Path(chosen).expanduser().absolute()
    project = Path(eventlab.__file__).parents[2]
    return (project if (project / "pyproject.toml").exists() else Path.cwd()) / ".eventlab"


def prepare(directory: Path) -> Path:
    """Make ``directory`` ready for a lab. Raises LabError when it cannot be written, or the disk is full."""
    if any(sign in str(directory) for sign in ":,\n"):
        # Java splits a class path at ':' and Kafka its log.dirs at ','.
        raise LabError(f"{directory} has a colon or comma in its name; set EVENTLAB_HOME to a directory without.")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise cannot_write(directory, error) from error
    if (free := shutil.disk_usage(directory).free) < LEAST_FREE_BYTES:
        raise LabError(
            f"The disk under {directory} has {free / 2**20:.0f} MB left; a lab needs {LEAST_FREE_BYTES / 2**20:.0f}. "
            "Free some space (`eventlab reset` removes the lab's own data), or set EVENTLAB_HOME to a larger disk."
        )
    return directory


def cannot_write(path: Path, error: OSError) -> LabError:
    """The error for a path that could not be written, with the cure that fits the cause."""
    if error.errno == errno.ENOSPC:
        return LabError(f"The disk is full: {path} could not be written. Free some space and try again.")
    return LabError(
        f"{path} cannot be written ({error.strerror}). Set EVENTLAB_HOME to a directory that is yours, "
        "for example: export EVENTLAB_HOME=~/eventlab-home"
    )


def mark(directory: Path) -> str:
    """What stands on the command line of every process of the lab in ``directory``, and of no other."""
    return f"eventlab-{hashlib.sha256(str(directory).encode()).hexdigest()[:16]}"


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the lab's lock. The operating system lets go of it when the process dies, however it dies."""
    with (directory / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write_atomically(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` (readable by its owner only): a reader sees the old or the new, never half."""
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as new:
            new.write(text)
        Path(new.name).replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error


def read_state(directory: Path) -> dict[str, Any] | None:
    """The state file; None when there is none, or nothing that can be read as one."""
    try:
        state = json.loads((directory / "lab.json").read_text())
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, UnicodeDecodeError):
        return None
    return state if isinstance(state, dict) and "token" in state else None


def write_state(directory: Path, state: dict[str, Any] | None) -> None:
    """Keep ``state``; None removes it."""
    if state is None:
        (directory / "lab.json").unlink(missing_ok=True)
    else:
        write_atomically(directory / "lab.json", json.dumps(state, indent=1))
