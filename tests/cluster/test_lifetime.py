"""Nothing outlives what started it, however that ended, unless the user asked for it with ``up``."""

import contextlib
import signal
from pathlib import Path

import pytest

from eventlab import cluster
from eventlab.cluster import Lab, LabError

from .labs import CONNECT, User, eventually, guards, handle, nothing_runs, servers


def test_the_last_one_out_turns_off_the_light(home: Path) -> None:
    """Five share a lab and leave in five ways: it runs until the last of them is gone."""
    exits = signal.SIGCONT  # ends by itself: each of them waits for a line and then exits
    ways = [exits, signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGKILL]
    with contextlib.ExitStack() as stack:
        users = [stack.enter_context(User(home, f"{CONNECT}; input(); raise SystemExit")) for _ in ways]
        assert len({user.line() for user in users}) == 1
        lab = Lab(home)
        for user, way in zip(users, ways, strict=True):
            state = lab.state()
            assert state
            assert not lab.stop_if_unused(state.token)
            assert len(servers(home)) == 1
            if way == exits:
                user.tell("go")
            assert (user.end(way) == 0) == (way == exits)
        eventually(lambda: nothing_runs(home))


def test_the_guard_is_killed_and_the_lab_still_ends_with_its_user(home: Path) -> None:
    code = f"{CONNECT}; input(); raise SystemExit"
    with User(home, code) as user:
        user.line()
        for guard in guards(home):
            guard.kill()
        eventually(lambda: not guards(home))
        user.tell("go")
        eventually(lambda: nothing_runs(home))


def test_guard_and_user_are_killed_and_the_next_lab_has_a_guard_again(home: Path) -> None:
    with User(home, CONNECT) as user:
        line = user.line()
        for guard in guards(home):
            guard.kill()
        user.end(signal.SIGKILL)
    with User(home, CONNECT) as user:
        assert user.line() == line, "the brokers that were left are taken over"
        user.end(signal.SIGKILL)
        eventually(lambda: nothing_runs(home))


def test_ctrl_c_while_the_brokers_start(home: Path) -> None:
    with User(home, "cluster.connect(3)") as user:
        eventually(lambda: servers(home))
        assert user.end(signal.SIGINT) != 0
        eventually(lambda: nothing_runs(home))
    assert Lab(home).state() is None


def test_killed_while_the_brokers_start(home: Path) -> None:
    with User(home, "cluster.connect(3)") as user:
        eventually(lambda: servers(home))
        user.end(signal.SIGKILL)
        eventually(lambda: nothing_runs(home))


def test_what_was_asked_to_stay_stays_until_down(own: Lab) -> None:
    with User(own.home, "from eventlab.cluster import Lab; Lab().up(keep=True); print('up'); raise SystemExit") as user:
        user.line()
        user.process.wait()
    eventually(lambda: not guards(own.home))
    before = own.status()
    assert before["kafka"]["brokers"][0]["state"] == "running"
    with User(own.home, CONNECT) as user:  # and a kernel that comes and goes does not take it with it
        user.line()
        user.end(signal.SIGKILL)
    own.release(own.up())
    assert own.status() == before
    own.kill(1)
    assert own.status()["kafka"]["brokers"][0]["state"] == "dead"
    own.up()
    assert own.status()["kafka"]["bootstrap"] == before["kafka"]["bootstrap"]
    assert own.down()
    assert nothing_runs(own.home)


def test_what_runs_for_a_kernel_can_be_asked_to_stay(own: Lab) -> None:
    with User(own.home, CONNECT) as user:
        user.line()
        own.up(keep=True)
        user.end(signal.SIGKILL)
    eventually(lambda: not guards(own.home))
    assert len(servers(own.home)) == 1


def test_a_with_block_that_raises(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTLAB_HOME", str(home))
    topics: list[str] = []

    def lesson() -> None:
        with cluster.up() as kafka:
            topics.append(kafka.topic("orders"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lesson()
    assert not servers(home)
    assert Lab(home).state() is None
    with cluster.up() as kafka:
        assert topics[0] not in kafka.admin.list_topics(timeout=10).topics
    eventually(lambda: nothing_runs(home))


def test_a_with_block_inside_another_leaves_the_lab_to_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTLAB_HOME", str(home))
    with cluster.up() as outer:
        with cluster.up() as inner:
            assert inner.bootstrap == outer.bootstrap
        assert outer.brokers[0].state == "running"
    assert not servers(home)


def test_down_stops_a_lab_under_its_users(own: Lab) -> None:
    with User(own.home, CONNECT) as user:
        user.line()
        broker = handle(own).brokers[0]
        assert own.down()
        eventually(lambda: nothing_runs(own.home))
        with pytest.raises(LabError, match="No lab runs here"):
            broker.kill()
