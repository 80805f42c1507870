"""One to three brokers: their settings, their start, and why they died if they did."""

import base64
import json
import re
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventlab.cluster import homes, ports, runtime
from eventlab.cluster.clients import admin
from eventlab.cluster.errors import LabError
from eventlab.cluster.processes import Process, spawn

_POLL_SECONDS = 0.01
_METADATA_SECONDS = 0.5
_REASONS_SHOWN = 3


class PortTaken(LabError):
    """Another program took a broker's port between choosing and binding."""


def random_id() -> str:
    """An id as Kafka writes them: 16 random bytes, URL-safe base64 without padding, not starting with a dash."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text


@dataclass(frozen=True)
class Layout:
    """Who listens where: broker id → (port for clients, port for controllers)."""

    nodes: Mapping[int, tuple[int, int]]

    @classmethod
    def choose(cls, brokers: int) -> "Layout":
        """Free ports for ``brokers`` brokers."""
        free = ports.choose(2 * brokers)
        return cls({node: (free[2 * node - 2], free[2 * node - 1]) for node in range(1, brokers + 1)})

    @property
    def bootstrap(self) -> str:
        """What a client connects to: ``host:port,…``."""
        return ",".join(f"{ports.LOOPBACK}:{port}" for port, _ in self.nodes.values())

    def settings(self, node: int, data: Path) -> dict[str, Any]:
        """Broker ``node``'s settings, each with its reason where it is not simply where things are."""
        port, controller = self.nodes[node]
        replicas = len(self.nodes)
        in_sync = max(1, replicas - 1)
        return {
            "process.roles": "broker,controller",
            "node.id": node,
            # Static voters: the ports may change from one start to the next, a dynamic quorum would remember them.
            "controller.quorum.voters": ",".join(f"{n}@{ports.LOOPBACK}:{p[1]}" for n, p in self.nodes.items()),
            "listeners": f"PLAINTEXT://{ports.LOOPBACK}:{port},CONTROLLER://{ports.LOOPBACK}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{ports.LOOPBACK}:{port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": data,
            # A mistyped topic is an error, not a new topic.
            "auto.create.topics.enable": "false",
            "default.replication.factor": replicas,
            "min.insync.replicas": in_sync,
            # Internal topics: one partition each (their first use creates them, and 50 take seconds).
            "offsets.topic.num.partitions": 1,
            "offsets.topic.replication.factor": replicas,
            "transaction.state.log.num.partitions": 1,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": in_sync,
            "share.coordinator.state.topic.num.partitions": 1,
            "share.coordinator.state.topic.replication.factor": replicas,
            "share.coordinator.state.topic.min.isr": in_sync,
            # A lesson's groups have few members: do not wait three seconds for more of them.
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            # A share group's member is told of its partitions by its second heartbeat: soon, instead of after 5 s.
            "group.share.min.heartbeat.interval.ms": 500,
            "group.share.heartbeat.interval.ms": 500,
            # A share group may take a record back after a second, if it is told so, and not after 15 s at the earliest.
            "group.share.min.record.lock.duration.ms": 1000,
            # The same for groups of the new protocol (KIP-848), whose patience is a setting of the group.
            "group.consumer.min.session.timeout.ms": 1000,
            "group.consumer.min.heartbeat.interval.ms": 100,
            # A transaction that lasts too long is ended within half a second after its time, not within ten.
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": 500,
            # A dead broker is noticed in 3 s instead of 9 (a new leader while the learner watches).
            "broker.session.timeout.ms": 3000,
            "broker.heartbeat.interval.ms": 500,
            # The first election among three takes a fifth of the default's time.
            "controller.quorum.election.timeout.ms": 200,
            "controller.quorum.election.backoff.max.ms": 100,
            # Two cores for everything: the defaults would start 24 threads more.
            "num.network.threads": 2,
            "num.io.threads": 4,
            "log.cleaner.dedupe.buffer.size": 2 * 2**20,
            # It looks for work twice a second instead of every 15 s: a lesson waits for it.
            "log.cleaner.backoff.ms": 500,
            # So does retention, instead of every five minutes, and at once instead of half a minute after the start.
            # What a topic may forget it forgets while the learner watches. The cost: docs/decisions/retention.md.
            "log.retention.check.interval.ms": 500,
            "log.initial.task.delay.ms": 500,
        }

    def write(self, node: int, data: Path, path: Path) -> Path:
        """The settings as a Java properties file at ``path``."""
        path.write_text(_properties(self.settings(node, data)))
        return path


def format_storage(data: Path, node: int, cluster_id: str) -> None:
    """Make ``data`` a formatted storage, unless it is one: a copy of what Kafka's own tool made, with new ids."""
    if (data / "meta.properties").exists():
        return
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    shutil.copyfile(runtime.bootstrap_checkpoint(), data / "bootstrap.checkpoint")
    identity = {"version": 1, "cluster.id": cluster_id, "node.id": node, "directory.id": random_id()}
    # Written last: a storage without this file was not finished and is made again.
    homes.write_atomically(data / "meta.properties", _properties(identity))


def _properties(settings: Mapping[str, Any]) -> str:
    # JSON escapes backslashes and foreign letters as these files want it. (javaproperties takes 25 ms to import.)
    return "".join(f"{key}={json.dumps(str(value))[1:-1]}\n" for key, value in settings.items())


def log_file(logs: Path, node: int) -> Path:
    """Where broker ``node`` writes its log."""
    return logs / f"broker-{node}.log"


def mark_argument(mark: str) -> str:
    """The argument that marks a broker's process."""
    return f"-Deventlab.lab={mark}"


def start(node: int, layout: Layout, storage: Path, logs: Path, mark: str) -> Process:
    """Start broker ``node``; it is not ready yet. ``mark`` on its command line tells whose it is."""
    logs.mkdir(parents=True, exist_ok=True)
    settings = layout.write(node, storage / str(node), storage / f"{node}.properties")
    log = log_file(logs, node)
    log.unlink(missing_ok=True)  # the reason for a death is looked for in this start's log only
    output = logs / f"broker-{node}.out"
    output.unlink(missing_ok=True)
    flags = [*runtime.broker_flags(), mark_argument(mark)]
    command = runtime.command("kafka.Kafka", settings, flags=flags, log=log)
    return spawn(command, output, env=runtime.server_environment())


def wait_until_ready(brokers: Mapping[int, Process], layout: Layout, logs: Path, deadline: float) -> None:
    """Wait until every broker answers and the cluster knows them all.

    Raises PortTaken, or LabError with the reason from the log when one dies or ``deadline`` seconds pass.
    """
    end = time.monotonic() + deadline
    waiting = [layout.nodes[node][0] for node in brokers]
    # Ask only those: the others may remember a broker that died a moment ago as alive.
    client = admin({"bootstrap.servers": Layout({node: layout.nodes[node] for node in brokers}).bootstrap})
    while True:
        for node, process in brokers.items():
            if not process.alive:
                raise _death(node, logs)
        waiting = [port for port in waiting if not ports.listening(port)]
        if not waiting and set(brokers) <= _known(client):
            return
        if time.monotonic() > end:
            raise LabError(
                f"The brokers were not ready within {deadline:.0f} s. Is the machine busy? `eventlab logs` shows what "
                f"they do, `eventlab doctor` checks memory and disk."
            )
        time.sleep(_POLL_SECONDS)


def _known(client: Any) -> set[int]:
    from confluent_kafka import KafkaException

    try:
        return set(client.list_topics(timeout=_METADATA_SECONDS).brokers)
    except KafkaException:
        return set()


def _death(node: int, logs: Path) -> LabError:
    text = _read(log_file(logs, node)) + _read(logs / f"broker-{node}.out")
    if "Address already in use" in text:
        return PortTaken(
            f"Broker {node}: another program took its port while it started. Try again; if that does not help, "
            "`eventlab down` and `eventlab up` take other ports."
        )
    if "No space left on device" in text:
        return LabError(f"Broker {node} died: the disk is full. Free some space; `eventlab reset` removes lab data.")
    found = re.findall(r"^.*(?:\bERROR\b|\bFATAL\b|Exception|Error:).*$", text, re.MULTILINE)
    reason = (
        "\n  ".join(dict.fromkeys(line.strip()[:300] for line in found)) or text.strip()[-500:] or "no word in its log"
    )
    first = "\n  ".join(reason.split("\n  ")[:_REASONS_SHOWN])
    return LabError(
        f"Broker {node} died. Its log says:\n  {first}\n"
        f"The whole log: {log_file(logs, node)}. If its data is damaged, `eventlab reset` starts afresh."
    )


def _read(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
