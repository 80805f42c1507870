"""The schema registry: fetched on first use, alone on the loopback address, keeps its schemas, ends with its lab."""

import contextlib
import hashlib
import json
import re
import signal
import tarfile

import psutil
import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from eventlab import cluster
from eventlab.cluster import Lab, LabError, doctor, install, registry
from eventlab.cluster.jars import Jar

from .labs import User, eventually, nothing_runs
from .test_install import JARS, Mirror, bare, mirror

__all__ = ["bare", "mirror"]  # fixtures

SCHEMA = Schema('{"type": "record", "name": "CartCreated", "fields": [{"name": "customer", "type": "string"}]}', "AVRO")


@pytest.fixture
def running(shared) -> Lab:
    """A lab with a registry that runs, whatever the test before it did."""
    shared.up(1, with_registry=True)
    return shared


def server(lab: Lab) -> psutil.Process:
    return psutil.Process(lab.status()["registry"]["pid"])


def client(lab: Lab) -> SchemaRegistryClient:
    return SchemaRegistryClient({"url": lab.status()["registry"]["url"]})


def test_it_listens_on_the_loopback_address_only(running):
    listening = [each.laddr for each in server(running).net_connections() if each.status == psutil.CONN_LISTEN]
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
    assert len(listening) == 2, "its API, and its management port"


def test_schemas_survive_a_kill_and_are_found_at_the_same_address(running):
    id_ = client(running).register_schema("carts-value", SCHEMA)
    address = running.status()["registry"]["url"]
    server(running).kill()
    eventually(lambda: running.status()["registry"]["state"] == "dead")
    running.up()
    assert running.status()["registry"]["url"] == address
    assert json.loads(client(running).get_schema(id_).schema_str) == json.loads(SCHEMA.schema_str)


def test_a_lab_without_one_is_as_it_was(own):
    own.up(1)
    assert own.status()["registry"] is None


def test_yours_is_used_when_it_is_named(running, monkeypatch):
    address = running.status()["registry"]["url"]
    monkeypatch.setenv("EVENTLAB_REGISTRY", address)
    assert cluster.schema_registry() == address
    assert "EVENTLAB_REGISTRY: answers" in repr(doctor())


def test_it_ends_with_its_user_however_that_ends(home):
    with User(home, "print(cluster.schema_registry())") as user:
        address = user.line()
        assert address.startswith("http://127.0.0.1:")
        process = server(Lab(home))
        user.end(signal.SIGKILL)
        eventually(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
    eventually(lambda: nothing_runs(home))


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("registry.example", "unset EVENTLAB_REGISTRY"),
        ("http://127.0.0.1:1/apis/ccompat/v7", "cannot be reached.*unset EVENTLAB_REGISTRY"),
    ],
)
def test_one_that_cannot_be_used_gets_a_sentence(monkeypatch, named, told):
    monkeypatch.setenv("EVENTLAB_REGISTRY", named)
    with pytest.raises(LabError, match=told):
        cluster.schema_registry()
    (found,) = [finding for finding in doctor() if not finding.well]
    assert found.what == "EVENTLAB_REGISTRY"
    assert re.search(told, found.cure)


def test_what_is_no_registry_gets_a_sentence(running, monkeypatch):
    monkeypatch.setenv("EVENTLAB_REGISTRY", running.status()["registry"]["url"].replace("ccompat/v7", "nothing"))
    with pytest.raises(LabError, match=r"is no schema registry.*ends with /apis/ccompat/v7"):
        cluster.schema_registry()


def test_a_registry_that_dies_at_start_says_why(running, monkeypatch, tmp_path):
    monkeypatch.setattr(registry, "_HEAP", "-Xmx2m")
    with pytest.raises(LabError, match=r"died at start(.|\n)*The whole log: .*registry\.log"):
        registry.start(tmp_path / "registry", tmp_path / "logs", "-Dnobody")


def test_down_ends_it_and_reset_takes_its_schemas(running):
    process = server(running)
    client(running).register_schema("carts-value", SCHEMA)
    running.down()
    assert not process.is_running()
    running.up(1, with_registry=True)
    assert client(running).get_subjects() == ["carts-value"]
    running.reset()
    assert not (running.home / "registry").exists()


class TestFirstUse:
    """It is brought from a mirror as the jars are; here a small archive stands for it."""

    @pytest.fixture(autouse=True)
    def _small(self, bare, mirror: Mirror, monkeypatch, tmp_path):
        program = tmp_path / "quarkus-run.jar"
        program.write_bytes(b"program")
        archive = tmp_path / "apicurio-registry-app-3.3.3-all.tar.gz"
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(program, "quarkus-run.jar")
        small = Jar("io.apicurio:apicurio-registry-app:3.3.3:tar.gz:all", _sum(archive))
        monkeypatch.setattr(registry, "_APICURIO", small)
        monkeypatch.setitem(JARS, archive.name, archive)
        monkeypatch.setenv("EVENTLAB_MAVEN", mirror.url)
        self.mirror, self.directory, self.archive = mirror, bare, archive

    def test_it_is_fetched_once_with_its_progress(self, monkeypatch):
        told: list[tuple[int, int]] = []
        shown = contextlib.nullcontext(lambda what, done, total: told.append((done, total)))
        monkeypatch.setattr(install, "bars", lambda: shown)
        registry.ensure()
        size = self.archive.stat().st_size
        assert told[-1] == (size, size)
        assert registry._program().read_bytes() == b"program"
        asked = len(self.mirror.asked)
        registry.ensure()
        assert len(self.mirror.asked) == asked
        assert {path.name for path in self.directory.iterdir()} == {"apicurio-3.3.3", "lock"}

    def test_a_first_start_that_was_killed_leaves_nothing_in_the_way(self):
        half = self.directory / "registry" / "unpacked"
        half.mkdir(parents=True)
        (half / "quarkus-run.jar").write_bytes(b"half")
        registry.ensure()
        assert registry._program().read_bytes() == b"program"

    def test_an_archive_that_was_changed_is_thrown_away(self):
        self.mirror.spoil = lambda name, content: b"spoiled" if name == self.archive.name else content
        with pytest.raises(LabError, match=r"wrong checksum.*run `eventlab up --registry` again"):
            registry.ensure()
        assert not registry._program().exists()
        self.mirror.spoil = lambda name, content: content
        registry.ensure()
        assert registry._program().exists()

    def test_without_a_network_it_says_how_to_go_on(self, monkeypatch):
        monkeypatch.setenv("EVENTLAB_MAVEN", "http://127.0.0.1:1/maven")
        with pytest.raises(LabError, match=r"could not be reached.*Then run `eventlab up --registry` again"):
            registry.ensure()

    def test_a_repository_without_it_is_named(self, monkeypatch):
        monkeypatch.delitem(JARS, self.archive.name)
        with pytest.raises(LabError, match=r"apicurio-registry-app:3.3.3.* is in none of the Maven repositories"):
            registry.ensure()

    def test_a_lab_that_cannot_have_it_starts_nothing(self, own, monkeypatch):
        monkeypatch.setattr("eventlab.cluster.install.ensure", lambda: None)
        monkeypatch.setenv("EVENTLAB_MAVEN", "http://127.0.0.1:1/maven")
        with pytest.raises(LabError, match="could not be reached"):
            own.up(1, with_registry=True)
        assert own.state() is None


def _sum(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
