"""P30: whoever wants the events of one entity reads those of all."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html import escape
from pathlib import Path
from random import Random
from statistics import median
from typing import Literal, get_args
from uuid import UUID

import altair
import pandas as pd
from confluent_kafka import Message

from eventlab import show
from eventlab.cluster import Kafka
from eventlab.cluster.scan import Scan
from eventlab.domain.account import AccountOpened, Deposited
from eventlab.domain.money import Money
from eventlab.events.catalogue import registry
from eventlab.events.codec import JsonCodec
from eventlab.events.envelope import Position, StreamId, Version
from eventlab.pitfalls.curves import Curves, Point
from eventlab.pitfalls.experiment import Pitfall
from eventlab.pitfalls.withdrawals import account
from eventlab.show.charts import WIDTH, Figure
from eventlab.show.palette import BLUE, VERMILLION
from eventlab.store import KafkaEventLog, SqlEventStore
from eventlab.store.rules import StoredEvent

EVENTS = 10_000
OF_EACH = 20  # events of every account
_DAY = date(2026, 3, 2)
_NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
_CENTS = range(1_00, 100_00, 1_00)
_READINGS = 3
_BAR_HEIGHT = 60  # pixels
_WHOSE = ("of this account", "of others")

Log = Literal["topic", "event store"]
Load = Callable[[], tuple[Sequence[object], int, int]]
"""Gives the events of the account, how many others the reader was handed, and the bytes of all of them."""


@dataclass(frozen=True)
class Loaded:
    """What it took to load ``stream`` from ``log``, which holds so many ``events``.

    ``others``: events of other accounts that the reader was handed. ``bytes``: of the data alone, without keys and
    envelopes. ``balance`` is what the account amounts to.
    """

    log: Log
    events: int
    stream: StreamId
    own: int
    others: int
    bytes: int
    seconds: float
    balance: Money
    unit: str = "events of other accounts were read to load one"

    @property
    def workload(self) -> tuple[int, StreamId, int, Money]:
        """What was asked, and the answer, which is the same from both."""
        return self.events, self.stream, self.own, self.balance

    @property
    def count(self) -> int:
        """How many events of other accounts were read."""
        return self.others

    @property
    def of(self) -> int:
        """How many there are."""
        return self.events - self.own

    def table(self) -> pd.DataFrame:
        """One row."""
        return pd.DataFrame(
            [
                {
                    "log": self.log,
                    "events": self.events,
                    "read": self.own + self.others,
                    "of this account": self.own,
                    "KB": round(self.bytes / 1e3, 1),
                    "ms": round(self.seconds * 1e3, 2),
                    "balance": str(self.balance),
                }
            ]
        )

    def picture(self) -> Figure:
        """All that was read, as one bar; what there is in the log is its full width."""
        read = pd.DataFrame({"whose": _WHOSE, "events": [self.own, self.others]})
        bar = altair.Chart(read, width=WIDTH, height=_BAR_HEIGHT).mark_bar()
        bar = bar.encode(
            x=altair.X("events:Q").title("events read").scale(domain=[0, self.events]),
            color=altair.Color("whose:N", title=None).scale(domain=list(_WHOSE), range=[BLUE, VERMILLION]),
            order=altair.Order("whose:N", sort="descending"),
        )
        alt = (
            f"A bar of the events that were read in the {self.log} to load {self.stream}: {self.own:,} of its own and "
            f"{self.others:,} of others, of {self.events:,} there are."
        )
        return show.figure(bar, alt, self.table())

    def __repr__(self) -> str:
        return f"{self.count:,} of {self.of:,} {self.unit}"

    def _repr_html_(self) -> str:
        return f"<b>{self.count:,} of {self.of:,}</b> {escape(self.unit)}"


def run(kafka: Kafka, *, log: Log = "topic", events: int = EVENTS, seed: int = 7) -> Loaded:
    """A bank with many accounts, 20 events each, in the order of time. A teller wants to know one balance.

    ``log``: where the same events lie. A topic is read from its beginning to its end, at full speed; the event store
    looks the account up. ``events`` is a multiple of 20.
    """
    stream = _accounts(events)[Random(seed).randrange(events // OF_EACH)]  # noqa: S311 an account, not a secret
    with _loading(kafka, log, events, stream, seed) as load:
        return _timed(log, events, stream, load)


def costs(kafka: Kafka, sizes: Sequence[int] = (1_000, 10_000, 100_000), seed: int = 7) -> Curves:
    """What one load costs as the log grows, in both ways; the time is the middle one of three."""
    points = []
    for log in get_args(Log):
        for events in sizes:
            stream = _accounts(events)[-1]
            with _loading(kafka, log, events, stream, seed) as load:
                loads = [_timed(log, events, stream, load) for _ in range(_READINGS)]
            read = loads[0].own + loads[0].others
            seconds = median(each.seconds for each in loads)
            points.append(Point(log, events, {"events read": read, "bytes read": loads[0].bytes, "ms": seconds * 1e3}))
    return Curves("events", points)


def _timed(log: Log, events: int, stream: StreamId, load: Load) -> Loaded:
    began = time.perf_counter()
    own, others, size = load()
    seconds = time.perf_counter() - began
    return Loaded(log, events, stream, len(own), others, size, seconds, account(own).balance)


@contextmanager
def _loading(kafka: Kafka, log: Log, events: int, stream: StreamId, seed: int) -> Iterator[Load]:
    """A bank of so many events, and what loads ``stream`` from it."""
    if log == "topic":
        # The events are older than a week, after which a topic forgets unless told otherwise (P20).
        topic = kafka.topic("accounts", retention_ms=-1)
        bank = KafkaEventLog(kafka, topic)
        bank.restore(_events(events, seed))
        bank.close()
        yield lambda: _from_topic(kafka, topic, stream)
    else:
        with tempfile.TemporaryDirectory() as directory:
            store = SqlEventStore(f"sqlite:///{Path(directory) / 'bank.db'}")
            store.restore(_events(events, seed))
            yield lambda: _from_store(store, stream)
            store.close()


def _from_topic(kafka: Kafka, topic: str, stream: StreamId) -> tuple[Sequence[object], int, int]:
    key, codec = str(stream).encode(), JsonCodec(registry)
    mine: list[Message] = []
    read = size = 0
    for batch in Scan(kafka, topic):
        read += len(batch)
        size += sum(len(message.value()) for message in batch)
        mine += [message for message in batch if message.key() == key]
    return [_decoded(codec, message) for message in mine], read - len(mine), size


def _decoded(codec: JsonCodec, message: Message) -> object:
    headers = dict(message.headers())
    return codec.decode(headers["type"].decode(), int(headers["schema_version"]), message.value())


def _from_store(store: SqlEventStore, stream: StreamId) -> tuple[Sequence[object], int, int]:
    codec = JsonCodec(registry)
    read = list(store.read(stream))
    mine = [each.event for each in read if each.stream == stream]
    return mine, len(read) - len(mine), sum(len(codec.encode(each.event).data) for each in read)


def _accounts(events: int) -> list[StreamId]:
    return [StreamId("account", str(number)) for number in range(1, events // OF_EACH + 1)]


def _events(events: int, seed: int) -> Iterator[StoredEvent]:
    """All accounts are opened, then all customers pay something in, and again, and again."""
    random, codec = Random(seed), JsonCodec(registry)  # noqa: S311 deposits that repeat, not secrets
    accounts = _accounts(events)
    opened = codec.encode(AccountOpened("customer", "EUR", Money(0, "EUR"), _DAY))
    deposits = [codec.encode(Deposited(Money(cents, "EUR"), _DAY)) for cents in _CENTS]
    for position in range(events):
        version, number = divmod(position, len(accounts))
        type_, schema_version, data = opened if version == 0 else random.choice(deposits)
        yield StoredEvent(
            stream=accounts[number],
            version=Version(version + 1),
            position=Position(position + 1),
            type=type_,
            schema_version=schema_version,
            data=data,
            id=UUID(int=position + 1),
            valid_time=_NOON,
            recorded_time=_NOON,
            causation=None,
            correlation=None,
            metadata={},
        )


PITFALL = Pitfall(
    id="P30",
    hypothesis="To load one account from a topic, a reader goes through the events of all accounts.",
    workload=f"{EVENTS:,} events of {EVENTS // OF_EACH:,} accounts, and the balance of one is asked for",
    metric=None,
    unit=Loaded.unit,
    run=run,
    broken={"log": "topic"},
    cured={"log": "event store"},
    seed=7,
    budget=20,
    brokers=1,
    sources=(
        "https://github.com/jonsequitur/Its.Cqrs/issues/195",
        "https://github.com/thenativeweb/node-eventstore/issues/105",
        "https://github.com/AxonIQ/AxonFramework/issues/375",
    ),
)
