"""P29: a topic for each entity, so that each can be loaded alone: what the cluster keeps for every one of them."""

import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path
from typing import Literal, get_args

import pandas as pd
import psutil
from confluent_kafka import TopicPartition
from confluent_kafka.admin import OffsetSpec

from eventlab import show
from eventlab.cluster import Kafka, NeedsEmbeddedLab
from eventlab.cluster.clients import admin
from eventlab.cluster.proxy import FaultProxy, Frames
from eventlab.domain.account import AccountOpened
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.pitfalls.curves import Curves, Point
from eventlab.pitfalls.experiment import Pitfall
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.topics import Writer
from eventlab.show.charts import Figure
from eventlab.store import NoStream, SqlEventStore

ACCOUNTS = 100
FILES, OPEN = "files", "open files"
METADATA, MEMORY = "bytes of metadata", "MB more in the brokers"
_PATIENCE_SECONDS = 30.0

Home = Literal["topic per account", "one topic", "event store"]


@dataclass(frozen=True)
class Kept:
    """What is kept for so many ``accounts``: ``logs``, as the cluster says.

    ``events``: how many of them are there. ``seconds``: for opening all accounts, one after the other. ``beside`` is
    what else can be seen, by name and unit: the files of the logs or of the event store, and those held open; how much
    longer the answer is that a client gets who asks for all topics; and how much more memory the brokers take (a JVM
    takes it in steps, so a few accounts may show nothing). Of a cluster that the lab did not start, that is unknown.
    """

    home: Home
    accounts: int
    events: int
    seconds: float
    logs: int
    beside: Mapping[str, float]
    unit: str = "accounts cost the cluster one more log"

    @property
    def workload(self) -> tuple[int, int]:
        """How many accounts were opened, and how many events say so."""
        return self.accounts, self.events

    @property
    def count(self) -> int:
        """How many logs the accounts cost."""
        return self.logs

    @property
    def of(self) -> int:
        """How many accounts there are."""
        return self.accounts

    @property
    def costs(self) -> dict[str, float]:
        """All of it, by name and unit."""
        each = round(1e3 * self.seconds / self.accounts, 2)
        return {"logs": self.logs, **self.beside, "ms to open an account": each}

    def table(self) -> pd.DataFrame:
        """One row."""
        return pd.DataFrame([{"home": self.home, "accounts": self.accounts, **self.costs}])

    def picture(self) -> Figure:
        """What is kept, a bar for each kind of thing."""
        kinds = {"accounts": self.accounts, "logs": self.logs}
        kinds |= {name: round(self.beside[name]) for name in (FILES, OPEN) if name in self.beside}
        frame = pd.DataFrame(kinds.items(), columns=["what", "number"])
        said = ", ".join(f"{name} {number:,}" for name, number in kinds.items())
        return show.bars(frame, "what", "number", f"What is kept, with {self.home}: {said}.")

    def __repr__(self) -> str:
        return f"{self.count:,} of {self.of:,} {self.unit}"

    def _repr_html_(self) -> str:
        return f"<b>{self.count:,} of {self.of:,}</b> {escape(self.unit)}"


def run(kafka: Kafka, *, home: Home = "topic per account", accounts: int = ACCOUNTS, seed: int = 7) -> Kept:
    """Customers open accounts, one after the other; each account is one event. Afterwards what was made is removed.

    ``home``: where the events of an account lie: in a topic that is made for it, in one topic with all others, or in
    the table of an event store. ``seed`` names the accounts.
    """
    mark = f"accounts-{uuid.uuid4().hex[:8]}"  # in the name of each log of this run, and in no other
    before = _weight(kafka)
    with _Store() if home == "event store" else _Topics(kafka, mark, shared=home == "one topic") as bank:
        began = time.perf_counter()
        for number in range(1, accounts + 1):
            bank.open(f"{seed}-{number}")
        seconds = time.perf_counter() - began
        grown = {name: round(weight - before[name], 1) for name, weight in _weight(kafka).items()}
        return Kept(home, accounts, bank.events(), seconds, len(_logs(kafka, mark)), {**bank.files(), **grown})


def costs(kafka: Kafka, sizes: Sequence[int] = (10, 100, 1_000)) -> Curves:
    """What is kept, and how long it takes to open an account, as there are more."""
    kept = [run(kafka, home=home, accounts=accounts) for home in get_args(Home) for accounts in sizes]
    return Curves("accounts", [Point(each.home, each.accounts, each.costs) for each in kept])


def _logs(kafka: Kafka, mark: str) -> list[TopicPartition]:
    """The partitions of the topics with ``mark`` in their names, as the cluster says."""
    topics = kafka.admin.list_topics(timeout=_PATIENCE_SECONDS).topics.values()
    return [TopicPartition(each.topic, number) for each in topics if mark in each.topic for number in each.partitions]


def _weight(kafka: Kafka) -> dict[str, float]:
    """How long the answer is that a client gets who asks for all topics, and the memory that the brokers take."""
    try:
        with FaultProxy(kafka) as proxy:
            answers = proxy.watch(Frames("Metadata", "response"))
            admin(proxy.config()).list_topics(timeout=_PATIENCE_SECONDS)
        memory = sum(psutil.Process(broker.pid).memory_info().rss for broker in kafka.brokers)
    except NeedsEmbeddedLab:
        return {}
    return {METADATA: answers.longest, MEMORY: memory / 2**20}


class _Topics:
    """The accounts in topics, for the length of a ``with`` block: one for all, or one for each."""

    def __init__(self, kafka: Kafka, mark: str, shared: bool) -> None:
        self._kafka, self._mark, self._shared = kafka, mark, shared
        self._made: list[str] = []

    def __enter__(self) -> "_Topics":
        self._writer = Writer(self._kafka)
        return self

    def __exit__(self, failed: type[BaseException] | None, *rest: object) -> None:
        try:
            self._writer.__exit__(failed, *rest)
        finally:
            self._kafka.delete(self._made)

    def open(self, name: str) -> None:
        if not self._shared or not self._made:
            self._made.append(self._kafka.topic(f"{self._mark}-{name}"))
        self._writer.send(self._made[-1], Fact(f"account-{name}", 1, "AccountOpened", "opened", "bank"), name)
        self._writer.flush()

    def events(self) -> int:
        asked = {log: OffsetSpec.latest() for log in _logs(self._kafka, self._mark)}
        answers = self._kafka.admin.list_offsets(asked, request_timeout=_PATIENCE_SECONDS)
        return sum(answer.result(_PATIENCE_SECONDS).offset for answer in answers.values())

    def files(self) -> dict[str, float]:
        """The files of the logs, on all brokers, and those of them that the brokers hold open."""
        try:
            brokers = self._kafka.brokers
        except NeedsEmbeddedLab:
            return {}
        files = [file for broker in brokers for log in broker.data.glob(f"*{self._mark}*") for file in log.iterdir()]
        opened = [each.path for broker in brokers for each in psutil.Process(broker.pid).open_files()]
        return {FILES: len(files), OPEN: sum(self._mark in path for path in opened)}


class _Store:
    """The accounts in an event store, on SQLite, for the length of a ``with`` block."""

    def __enter__(self) -> "_Store":
        self._directory = tempfile.TemporaryDirectory()
        self._store = SqlEventStore(f"sqlite:///{Path(self._directory.name) / 'bank.db'}")
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()
        self._directory.cleanup()

    def open(self, name: str) -> None:
        event = AccountOpened("customer", "EUR", Money(0, "EUR"), date(2026, 3, 2))
        self._store.append(StreamId("account", name), [NewEvent(event)], expected=NoStream)

    def events(self) -> int:
        return sum(1 for _ in self._store.read_all())

    def files(self) -> dict[str, float]:
        """The files of the database, and those of them that are open."""
        opened = {each.path for each in psutil.Process().open_files()}
        files = list(Path(self._directory.name).resolve().iterdir())
        return {FILES: len(files), OPEN: sum(str(file) in opened for file in files)}


PITFALL = Pitfall(
    id="P29",
    hypothesis="A topic for each account costs the cluster a log for each account: files, open files, metadata, time.",
    workload=f"{ACCOUNTS} accounts are opened, one after the other",
    metric=None,
    unit=Kept.unit,
    run=run,
    broken={"home": "topic per account"},
    cured={"home": "event store"},
    seed=7,
    budget=30,
    brokers=1,
    sources=(
        "https://github.com/thenativeweb/node-eventstore/issues/105",
        "https://github.com/Blizzard/node-rdkafka/issues/459",
        "https://github.com/tulios/kafkajs/issues/1605",
        "https://github.com/utilitywarehouse/tf_kube_ignition/pull/185",
    ),
)
