"""Starts that cannot go well: each says why and what to do, and leaves nothing behind."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eventlab import cluster
from eventlab.cluster import Lab, LabError, homes, ports

from .labs import User, eventually, handle, nothing_runs, read, servers, write


@pytest.fixture
def stranger() -> Iterator[socket.socket]:
    """Another program that listens on a port."""
    with socket.create_server((ports.LOOPBACK, 0)) as listener:
        yield listener
        assert listener.getsockname(), "closed"


def test_a_port_is_taken_between_choosing_and_binding(
    own: Lab, stranger: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = stranger.getsockname()[1]
    real, chosen = ports.choose, []

    def choose(count: int) -> list[int]:
        chosen.append([taken, *real(count - 1)] if not chosen else real(count))
        return chosen[-1]

    monkeypatch.setattr(ports, "choose", choose)
    own.up(1)
    assert len(chosen) == 2, "another try"
    assert [broker.port for broker in handle(own).brokers] == chosen[1][:1]
    assert len(servers(own.home)) == 1


def test_every_port_is_taken(own: Lab, stranger: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = stranger.getsockname()[1]
    real = ports.choose
    monkeypatch.setattr(ports, "choose", lambda count: [*real(count - 1), taken])  # the controller's port this time
    with pytest.raises(LabError, match=r"another program took its port.*Try again"):
        own.up(1)
    assert own.state() is None
    eventually(lambda: nothing_runs(own.home))


def test_the_port_is_taken_while_its_broker_is_down(own: Lab) -> None:
    own.up(1)
    kafka = handle(own)
    topic = kafka.topic("orders")
    write(kafka.config(), topic, ["kept"])
    broker = kafka.brokers[0]
    port = broker.port
    broker.kill()
    with socket.create_server((ports.LOOPBACK, port)), pytest.raises(LabError, match="another program took its port"):
        broker.restart()
    assert broker.state == "dead"
    broker.restart()
    assert broker.port == port
    assert read(kafka.config(), topic, 1) == ["kept"]


def wrong_identity(storage: Path) -> None:
    properties = storage / "meta.properties"
    properties.write_text(properties.read_text().replace("node.id=1", "node.id=7"))


def no_identity(storage: Path) -> None:
    (storage / "meta.properties").write_text("\x00\x01 damaged")


def damaged_quorum(storage: Path) -> None:
    (storage / "__cluster_metadata-0" / "quorum-state").write_text("{ damaged")


def full_disk(storage: Path) -> None:
    """The device that is always full stands where the broker writes first."""
    (storage / "__cluster_metadata-0" / "leader-epoch-checkpoint.tmp").symlink_to("/dev/full")


DAMAGES: list[tuple[Callable[[Path], None], str]] = [
    (wrong_identity, r"Broker 1 died.*node.*7.*`eventlab reset`"),
    (no_identity, r"Broker 1 died.*node ID not found in .*`eventlab reset`"),
    (damaged_quorum, r"Broker 1 died.*quorum-state.*`eventlab reset`"),
    (full_disk, r"Broker 1 died: the disk is full\. Free some space"),
]


def test_a_broker_that_dies_at_start_says_why(own: Lab) -> None:
    storage = own.home / "kafka" / "1" / "1"
    own.up(1)
    own.down()
    for damage, message in DAMAGES:
        sound = {path: path.read_bytes() for path in storage.rglob("*") if path.is_file()}
        damage(storage)
        with pytest.raises(LabError, match=f"(?s){message}") as caught:
            own.up(1)
        assert "Traceback" not in str(caught.value)
        assert own.state() is None
        for path in [path for path in storage.rglob("*") if path.is_symlink()]:
            path.unlink()
        for path, content in sound.items():
            path.write_bytes(content)
    own.up(1)
    assert handle(own).brokers[0].state == "running"


def test_a_storage_that_was_not_finished_is_made_again(own: Lab) -> None:
    half = own.home / "kafka" / "1" / "1"
    half.mkdir(parents=True)
    (half / "bootstrap.checkpoint").write_bytes(b"half")
    own.up(1)
    assert handle(own).brokers[0].state == "running"


def test_a_disk_with_too_little_room(own: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    own.up(1)
    monkeypatch.setattr(homes, "LEAST_FREE_BYTES", 2**60)
    own.up(1)  # who only uses what runs needs no room
    own.down()
    with pytest.raises(LabError, match=r"MB left; a lab needs .*Free some space.*EVENTLAB_HOME"):
        own.up(1)
    assert own.state() is None
    assert not servers(own.home)


def test_a_disk_that_is_full_when_the_state_is_written(own: Lab) -> None:
    """A quota of 4 kB per file: brokers die, and the error is a sentence."""
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n" + SAY_ERROR
    with User(own.home, code) as user:
        assert user.line().startswith("LabError Broker 1 died.")
    eventually(lambda: nothing_runs(own.home))


SAY_ERROR = """try:
    cluster.connect()
except Exception as error:
    print(type(error).__name__, str(error).replace(chr(10), ' '))"""


@pytest.mark.parametrize("place", ["file/below", "file", "/proc/eventlab", "with,comma"])
def test_a_home_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    (tmp_path / "file").write_text("a file")
    home = tmp_path / place
    monkeypatch.setenv("EVENTLAB_HOME", str(home))
    for what in (cluster.connect, cluster.database, lambda: cluster.database(postgres=True)):
        with pytest.raises(LabError, match=r"EVENTLAB_HOME"):
            what()
    lab = Lab()
    assert lab.status() == {"kafka": None, "postgres": None, "registry": None}
    assert not lab.down()
    assert lab.reset() == []
    assert [finding.what for finding in cluster.doctor() if not finding.well] == ["Home"]


def test_a_home_with_an_awkward_name(tmp_path: Path) -> None:
    """Letters that a POSIX locale does not know, and signs that mean something to Java's property files.

    And flags in the environment that are meant for another Java.
    """
    home = tmp_path / "Büro zwei =x#%20!"
    strange = {"LC_ALL": "C", "LANG": "C", "JAVA_TOOL_OPTIONS": "-Xmx1k"}
    with User(home, "k = cluster.connect(); print(k.topic('orders'))", **strange) as user:
        assert ".orders." in user.line()
    eventually(lambda: nothing_runs(home))
    assert (home / "kafka" / "1" / "1" / "meta.properties").exists()
    assert (home / "logs" / "broker-1.log").stat().st_size > 0
