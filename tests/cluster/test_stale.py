"""What a crash, a reboot or a helping hand left behind: the next start copes, and touches no process but the lab's."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from eventlab.cluster import Lab, LabError, homes
from eventlab.cluster.processes import Process, me

from .labs import CONNECT, STAY, User, eventually, guards, handle, nothing_runs, read, servers, write

NOTHING = {"kafka": None, "postgres": None, "registry": None}


@pytest.fixture
def innocent() -> Iterator[subprocess.Popen[bytes]]:
    """A process that no lab started."""
    with subprocess.Popen([sys.executable, "-c", STAY]) as process:
        yield process
        assert process.poll() is None, "the lab ended a process that it did not start"
        process.kill()


def state_file(home: Path) -> Path:
    return home / "lab.json"


def test_everything_was_killed(own: Lab) -> None:
    with User(own.home, "k = cluster.connect(); print(t := k.topic('orders'))\n" + WRITE_KEPT) as user:
        topic = user.line()
        user.line()
        for guard in guards(own.home):
            guard.kill()
        for server in servers(own.home):
            server.kill()
        user.end(signal.SIGKILL)
    assert state_file(own.home).exists()
    eventually(lambda: own.status() == NOTHING)
    own.up(1)
    assert read(handle(own).config(), topic, 1) == ["kept"]


WRITE_KEPT = "from confluent_kafka import Producer\np = Producer(k.config()); p.produce(t, b'kept'); print(p.flush())"


def another_boot(birth: str) -> str:
    return "00000000-0000-0000-0000-000000000000/" + birth.rpartition("/")[2]


def another_start(birth: str) -> str:
    boot, _, ticks = birth.rpartition("/")
    return f"{boot}/{int(ticks) + 1}"


@pytest.mark.parametrize("change", [another_boot, another_start])
@pytest.mark.parametrize("keep", [False, True])
def test_the_pids_of_the_last_lab_belong_to_others_now(
    own: Lab, innocent: subprocess.Popen[bytes], change: Any, keep: bool
) -> None:
    """As after a reboot: the state file is there, its pids are taken, by a process of the user's own."""
    theirs = Process.of(innocent.pid)
    stale = {"pid": theirs.pid, "birth": change(theirs.birth)}
    homes.prepare(own.home)
    broker = {"process": stale, "port": 20_001, "controller": 20_002}
    state = {
        "token": "x",
        "keep": keep,
        "leases": {"y": stale},
        "brokers": {"1": broker},
        "postgres": {"process": stale, "port": 20_003, "password": "z"},
        "guard": stale,
    }
    if keep:  # the other one is the file of a version that knew no registries
        state["registry"] = {"process": stale, "port": 20_004}
    state_file(own.home).write_text(json.dumps(state))
    if not keep:
        assert own.status() == NOTHING
        with pytest.raises(LabError, match="No lab runs here"):
            own.kill(1)
    else:
        assert own.status()["kafka"]["brokers"][0]["state"] == "dead"
        with pytest.raises(LabError, match="dead already"):
            own.kill(1)
    assert own.stop_if_unused("x")
    state_file(own.home).write_text(json.dumps(state))
    assert own.down() == keep
    assert own.reset() == []


def test_a_start_after_a_reboot(own: Lab, innocent: subprocess.Popen[bytes]) -> None:
    """What somebody asked to keep is there again as it was; else a new lab starts, which ends with its user."""
    own.up(1)
    before = own.status()["kafka"]["bootstrap"]
    written = json.loads(state_file(own.home).read_text())
    theirs = Process.of(innocent.pid)
    stale = {"pid": theirs.pid, "birth": another_boot(theirs.birth)}
    written["brokers"]["1"]["process"] = written["guard"] = stale
    written["leases"] = dict.fromkeys(written["leases"], stale)
    for keep in (True, False):
        own.down()
        state_file(own.home).write_text(json.dumps({**written, "keep": keep}))
        own.up()
        state = own.state()
        assert state
        assert state.keep == keep
        assert (own.status()["kafka"]["bootstrap"] == before) == keep
        assert own.status()["kafka"]["brokers"][0]["pid"] != theirs.pid


def test_a_wall_clock_that_jumps_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop that slept, or WSL: psutil's start times move with the clock, the identity of a process does not."""
    before = me()
    real = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: real(self) + 3600)
    assert before.alive
    assert me() == before


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"token": "x"}', b"\xff\xfe\x00", b'{"token": 1, "leases": 3}']
)
def test_a_state_file_that_cannot_be_read_is_none(own: Lab, content: bytes) -> None:
    homes.prepare(own.home)
    state_file(own.home).write_bytes(content)
    assert own.status() == NOTHING
    assert not own.down()


def test_a_state_file_is_destroyed_while_the_lab_runs(own: Lab) -> None:
    own.up(1)
    for guard in guards(own.home):
        guard.kill()
    old = servers(own.home)
    state_file(own.home).write_text("{")
    own.up(1)
    assert not any(process.alive for process in old), "two brokers on the same data"
    assert [process.pid for process in servers(own.home)] == [own.status()["kafka"]["brokers"][0]["pid"]]


def test_a_state_file_is_lost_while_the_lab_runs(home: Path) -> None:
    with User(home, CONNECT) as user:
        user.line()
        state_file(home).unlink()
        eventually(lambda: nothing_runs(home))


def test_the_home_is_deleted_while_the_lab_runs(own: Lab) -> None:
    with User(own.home, CONNECT) as user:
        user.line()
        shutil.rmtree(own.home, ignore_errors=True)
        eventually(lambda: nothing_runs(own.home))
    shutil.rmtree(own.home, ignore_errors=True)  # the broker may have written once more
    assert own.status() == NOTHING
    assert not own.down()
    assert own.reset() == []
    own.up(1)
    topic = handle(own).topic("orders")
    write(handle(own).config(), topic, ["new"])
    assert read(handle(own).config(), topic, 1) == ["new"]


def test_the_home_is_deleted_under_a_with_block(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from eventlab import cluster

    monkeypatch.setenv("EVENTLAB_HOME", str(home))
    with cluster.up():
        shutil.rmtree(home, ignore_errors=True)
    eventually(lambda: nothing_runs(home))
