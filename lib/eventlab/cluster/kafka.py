"""What a notebook holds: one cluster, whoever started it, and names on it that are this learner's alone."""

import atexit
import contextlib
import getpass
import os
import re
import uuid
from collections.abc import Callable, Collection
from concurrent import futures
from html import escape
from pathlib import Path
from typing import Any

from eventlab.cluster import clients, elsewhere, jars
from eventlab.cluster.errors import LabError, NeedsEmbeddedLab
from eventlab.cluster.lab import Lab

_METADATA_SECONDS = 10
_CARD_SECONDS = 3
_CLOSE_SECONDS = 3  # Jupyter kills a kernel that takes more than 5


class Broker:
    """One broker of the lab, to experiment on."""

    def __init__(self, lab: Lab, node: int) -> None:
        self._lab, self.id = lab, node

    @property
    def _status(self) -> dict[str, Any]:
        brokers = (self._lab.status()["kafka"] or {"brokers": []})["brokers"]
        found: dict[str, Any] | None = next((broker for broker in brokers if broker["id"] == self.id), None)
        if found is None:
            raise LabError("The lab that this broker belonged to has been stopped. Run `cluster.connect()` again.")
        return found

    @property
    def pid(self) -> int:
        """Its process id."""
        return int(self._status["pid"])

    @property
    def port(self) -> int:
        """Where it listens for clients."""
        return int(self._status["port"])

    @property
    def state(self) -> str:
        """``running``, ``paused`` or ``dead``."""
        return str(self._status["state"])

    @property
    def data(self) -> Path:
        """Where it keeps its logs: a folder per partition, ``topic-0``, with the segments."""
        return self._lab.data(self.id)

    def kill(self) -> None:
        """``kill -9``."""
        self._lab.kill(self.id)

    def pause(self) -> None:
        """SIGSTOP: alive, but silent."""
        self._lab.pause(self.id)

    def resume(self) -> None:
        """SIGCONT."""
        self._lab.resume(self.id)

    def restart(self) -> None:
        """Stop it if it runs and start it again: same ports, same data. Gives back control when it is ready."""
        self._lab.restart(self.id)

    def __repr__(self) -> str:
        return f"Broker {self.id} (pid {self.pid}, 127.0.0.1:{self.port}, {self.state})"


class Kafka:
    """A running cluster. Shows itself as a card; ``config()`` is what confluent-kafka's clients take."""

    def __init__(self, config: dict[str, Any], lab: Lab | None) -> None:
        self._config, self._lab = config, lab
        self._admin: Any = None
        self._mine: list[str] = []
        self._groups: list[str] = []
        # Twenty learners, and several notebooks of one learner, on one cluster: the names tell them apart.
        self._namespace = f"{elsewhere.prefix() or _user()}.{uuid.uuid4().hex[:6]}"
        atexit.register(self.close)

    @property
    def bootstrap(self) -> str:
        """Where clients connect first: ``host:port,…``."""
        return str(self._config["bootstrap.servers"])

    def config(self, **overrides: Any) -> dict[str, Any]:
        """The settings for a client of confluent-kafka: ``Producer(kafka.config(**{"acks": "all"}))``."""
        return {**self._config, **overrides}

    @property
    def admin(self) -> Any:
        """An ``AdminClient``, kept, since confluent-kafka's futures do not hold theirs."""
        if self._admin is None:
            self._admin = clients.admin(self._config)
        return self._admin

    @property
    def brokers(self) -> list[Broker]:
        """The lab's brokers. Raises NeedsEmbeddedLab on a cluster that the lab did not start."""
        lab = self._embedded()
        return [Broker(lab, broker["id"]) for broker in (lab.status()["kafka"] or {"brokers": []})["brokers"]]

    def _embedded(self) -> Lab:
        if self._lab is None:
            raise NeedsEmbeddedLab(
                "This experiment kills or pauses brokers, so it needs the lab's own: unset EVENTLAB_KAFKA."
            )
        return self._lab

    def name(self, what: str) -> str:
        """A name for a topic, group or transactional id that nobody else on this cluster has."""
        return f"{self._namespace}.{what}.{uuid.uuid4().hex[:6]}"

    def group(self, what: str) -> str:
        """A name for a group of this learner's; when the kernel ends, the group is deleted."""
        name = self.name(what)
        self._groups.append(name)
        return name

    def topic(self, what: str, partitions: int = 1, replication: int | None = None, **configs: Any) -> str:
        """Create a topic of this learner's and give its real name; it is deleted when the kernel ends.

        ``configs`` are topic settings with ``_`` for ``.``: ``retention_ms=-1``. Raises LabError when refused.
        """
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import NewTopic

        name = self.name(what)
        settings = {key.replace("_", "."): str(value) for key, value in configs.items()}
        wanted = NewTopic(name, partitions, -1 if replication is None else replication, config=settings)
        try:
            clients.create_topic(self.admin, wanted, _METADATA_SECONDS)
        except KafkaException as error:
            raise LabError(f"The cluster did not create the topic {name}: {error.args[0].str()}") from error
        except TimeoutError as error:
            raise LabError(
                f"The cluster did not answer when the topic {name} was to be created. Are brokers paused or dead? "
                "`eventlab up` has all of them run again."
            ) from error
        self._mine.append(name)
        clients.await_leaders(self.admin, name, partitions, _METADATA_SECONDS)
        return name

    def delete(self, topics: Collection[str]) -> None:
        """Delete these topics of this learner's now, and not when the kernel ends. Raises LabError when refused."""
        from confluent_kafka import KafkaException

        if not topics:
            return
        try:
            clients.await_futures(self.admin.delete_topics(list(topics)))
        except (KafkaException, TimeoutError) as error:
            raise LabError(f"The cluster did not delete {len(topics)} topics: {error}") from error
        self._mine = [name for name in self._mine if name not in topics]

    def close(self) -> None:
        """Delete the topics and groups of this handle, as far as the cluster can be reached."""
        from confluent_kafka import KafkaException

        atexit.unregister(self.close)
        topics, self._mine = self._mine, []
        groups, self._groups = self._groups, []
        if (topics or groups) and (self._lab is None or self._lab.state()):
            with contextlib.suppress(KafkaException):
                asked = list(self.admin.delete_topics(topics).values()) if topics else []
                # Share groups, too. One that nobody joined is not there; one with a killed member goes by itself later.
                asked += self.admin.delete_consumer_groups(groups).values() if groups else []
                futures.wait(asked, _CLOSE_SECONDS)
        if self._lab:
            self._lab.watch()

    def _line(self) -> str:
        from confluent_kafka import KafkaException

        try:
            metadata = self.admin.list_topics(timeout=_CARD_SECONDS)
        except KafkaException as error:
            return f"Kafka · {self.bootstrap} · no broker answers ({error.args[0].str()})"
        topics = sum(not name.startswith("__") for name in metadata.topics)
        what = f"Apache Kafka {jars.kafka_version()}" if self._lab else "Kafka, elsewhere"
        brokers = len(metadata.brokers)
        count: Callable[[int, str], str] = lambda n, noun: f"{n} {noun}" if n == 1 else f"{n} {noun}s"  # noqa: E731
        return f"{what} · {count(brokers, 'broker')} · {self.bootstrap} · {count(topics, 'topic')}"

    def __repr__(self) -> str:
        return self._line()

    def _repr_html_(self) -> str:
        style = "border-left:4px solid #009E73;padding:.4em .8em;display:inline-block"
        return f'<div style="{style}">{escape(self._line())}</div>'


def _user() -> str:
    try:
        return re.sub(r"[^A-Za-z0-9_]", "_", getpass.getuser())
    except (KeyError, OSError):  # a container's user that has no name
        return f"user{os.getuid()}"
