"""Redis for locks: there at once, alone, and gone with its user; or somebody else's."""

import importlib.util
import re
import signal
import stat
from pathlib import Path

import psutil
import pytest
import redis as client

from eventlab.cluster import LabError, doctor, leash, redis
from eventlab.cluster.processes import Process

from .labs import User, eventually

CONNECT = """
from eventlab.cluster import redis
print(redis.url()); print(redis.connect().info()["process_id"])
"""

PROGRAM = redis._program()


@pytest.fixture(autouse=True)
def _no_redis_elsewhere(monkeypatch):
    monkeypatch.delenv("EVENTLAB_REDIS", raising=False)


def test_one_server_for_the_whole_process_through_a_socket_that_is_ours_alone():
    address = redis.url()
    assert redis.url() == address
    socket = Path(address.removeprefix("unix://"))
    assert socket.is_socket()
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    with redis.connect() as mine:
        server = psutil.Process(mine.info()["process_id"])
    assert [each for each in server.net_connections("inet") if each.status == psutil.CONN_LISTEN] == []


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_its_user_however_that_ends(home, end):
    with User(home, CONNECT) as user:
        socket, server = Path(user.line().removeprefix("unix://")), Process.of(int(user.line()))
        assert server.alive
        user.end(end)
        eventually(lambda: not server.alive)
    eventually(lambda: not socket.parent.exists())


def test_a_server_that_was_killed_is_replaced():
    with redis.connect() as mine:
        server = Process.of(mine.info()["process_id"])
    server.kill()
    eventually(lambda: not server.alive)
    with redis.connect() as mine:
        assert mine.ping()


def test_yours_is_used_when_it_is_named(monkeypatch):
    address = redis.url()
    monkeypatch.setenv("EVENTLAB_REDIS", f"{address}?db=1")
    assert redis.url() == f"{address}?db=1"
    with redis.connect() as mine:
        mine.set("lock", 1)
    with client.Redis.from_url(address) as other:
        assert other.get("lock") is None
        other.flushall()


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("127.0.0.1:6379", "not a URL of a Redis server.*redis://"),
        ("redis://127.0.0.1:1", "cannot be used.*unset EVENTLAB_REDIS"),
        ("unix:///nowhere/redis.sock", "cannot be used"),
    ],
)
def test_one_that_cannot_be_used_gets_a_sentence(monkeypatch, named, told):
    monkeypatch.setenv("EVENTLAB_REDIS", named)
    with pytest.raises(LabError, match=told):
        redis.url()
    (found,) = [finding for finding in doctor() if not finding.well]
    assert found.what == "EVENTLAB_REDIS"
    assert re.search(told, found.cure)


def test_the_doctor_asks_the_one_that_is_named(monkeypatch):
    assert "EVENTLAB_REDIS: not set" in repr(doctor())
    monkeypatch.setenv("EVENTLAB_REDIS", redis.url())
    assert "EVENTLAB_REDIS: answers" in repr(doctor())


def test_a_wrong_password_gets_a_sentence(monkeypatch):
    address = redis.url()
    with client.Redis.from_url(address) as mine:
        mine.config_set("requirepass", "secret")
    try:
        monkeypatch.setenv("EVENTLAB_REDIS", address.replace("unix://", "unix://:wrong@"))
        with pytest.raises(LabError, match=r"refused the login.*password"):
            redis.url()
    finally:
        with client.Redis.from_url(address.replace("unix://", "unix://:secret@")) as mine:
            mine.config_set("requirepass", "")


class TestWithoutTheWheel:
    @pytest.fixture(autouse=True)
    def _no_wheel(self, monkeypatch):
        monkeypatch.setattr(redis, "_mine", None)
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    def test_it_says_what_to_do(self, monkeypatch):
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(LabError, match=r"Install `redis-server`. Or set EVENTLAB_REDIS to"):
            redis.url()

    def test_an_installed_server_serves(self, monkeypatch, tmp_path):
        (tmp_path / "redis-server").symlink_to(PROGRAM)
        monkeypatch.setenv("PATH", str(tmp_path))
        with redis.connect() as mine:
            assert mine.ping()
        leash.cut(redis._mine[0])

    def test_a_server_that_does_not_start_gets_a_sentence(self, monkeypatch, tmp_path):
        monkeypatch.setattr(redis, "_READY_SECONDS", 0.2)
        (tmp_path / "redis-server").symlink_to("/bin/false" if Path("/bin/false").exists() else "/usr/bin/false")
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(LabError, match=r"could not be started.*EVENTLAB_REDIS"):
            redis.url()
