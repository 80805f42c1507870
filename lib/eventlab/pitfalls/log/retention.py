"""P28: retention takes the beginning of every story that is older than it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, TypeVar

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

from eventlab.cluster import Kafka
from eventlab.cluster.clients import await_futures
from eventlab.domain.account import Account, AccountOpened, Deposited, Withdrawn, decider
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, Position, Recorded, StreamId
from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.record import Fact, Record
from eventlab.pitfalls.remembered import Remembered
from eventlab.pitfalls.retention_check import DAY_MS, WEEK_MS, await_retention
from eventlab.pitfalls.topics import Writer, read
from eventlab.store import KafkaEventLog, SqlEventStore
from eventlab.store.archive import archive, replay
from eventlab.store.snapshots import Snapshot, SqlSnapshots

FOR_EVER = -1
ACCOUNTS, DAYS = 15, 30

NOT_ARCHIVED = timedelta(days=2)
"""How long ago the archive was brought up to date, when somebody wants to know everything."""

_BETWEEN_OPENINGS = timedelta(days=2)
_QUIET, _FEW = 5, 3  # each fifth account has so few events
_DAYS_BETWEEN_VISITS = (2, 4)
_PAID_IN = Money.of("2000.00", "EUR")
_CENTS = range(5_00, 200_00)
_OWNERS = ("Ana", "Ben", "Carla", "Dario", "Ewa")


@dataclass(frozen=True)
class Booked:
    """What happened to an account, and when: its ``version``-th event."""

    at: datetime
    stream: StreamId
    version: int
    event: Any

    @property
    def fact(self) -> Fact:
        """As the checkers know it."""
        return Fact(str(self.stream), self.version, type(self.event).__name__, str(self.event), "bank")


def run(kafka: Kafka, *, retention_ms: int = WEEK_MS, seed: int = 7) -> Result:
    """A bank writes its accounts' events for a month, as they happen; then somebody wants to know all of them.

    ``retention_ms``: how long the topic keeps a record, a week if nobody says anything; -1 is for ever. The month has
    gone by already: the records have its times, and nothing but those tells the broker how old they are.
    """
    topic = _topic(kafka, retention_ms)
    events = month(seed)
    with Writer(kafka) as bank:
        for booked in events:
            bank.send(topic, booked.fact, str(booked.stream), booked.at)
            bank.flush()  # hours lie between two of them, so each is a request of its own
    await_retention(kafka)
    return PITFALL.result(read(kafka, topic), _sent(events))


def archived(kafka: Kafka, directory: str | Path, *, seed: int = 7) -> Result:
    """The same month, with a job that copies the topic into an archive before retention comes to it.

    It ran ``NOT_ARCHIVED`` before the end. Read are the archive, in the empty ``directory``, and the topic, as one.
    """
    events = month(seed)
    with _forgotten(kafka, events, lambda log: archive(log, directory, by="day")) as (log, kept):
        records = [_record(order, each) for order, each in enumerate(replay(kept, log))]
    return PITFALL.result(records, _sent(events))


def snapshotted(kafka: Kafka, directory: str | Path, *, seed: int = 7) -> Remembered:
    """The same month, with a job that keeps no events, but what each account amounts to: a snapshot of each.

    It ran ``NOT_ARCHIVED`` before the end. Each account is its snapshot, from a database in ``directory``, and what
    came behind the place in the topic at which the snapshots were made.
    """
    events = month(seed)
    with closing(SqlEventStore(f"sqlite:///{Path(directory) / 'snapshots.db'}")) as database:
        kept = SqlSnapshots(database)

        def job(log: KafkaEventLog) -> tuple[dict[StreamId, Snapshot], Position]:
            streams = dict.fromkeys(each.stream for each in log.read_all())
            return {stream: kept.take(log, decider, stream) for stream in streams}, log.head()

        with _forgotten(kafka, events, job) as (log, (snapshots, place)):
            left = list(log.read_all())
        began = {stream: kept.state(decider, snapshot) for stream, snapshot in snapshots.items()}
    return Remembered(
        written=_accounts((booked.stream, booked.event) for booked in events),
        left=_accounts((each.stream, each.event) for each in left),
        told=_accounts(((each.stream, each.event) for each in left if each.position > place), began),
        events=Counter(booked.stream for booked in events),
        events_left=Counter(each.stream for each in left),
    )


_Kept = TypeVar("_Kept")


@contextmanager
def _forgotten(
    kafka: Kafka, events: Sequence[Booked], job: Callable[[KafkaEventLog], _Kept]
) -> Iterator[tuple[KafkaEventLog, _Kept]]:
    """A log with the events of a month, of which ``job`` kept something before retention took all but a week."""
    topic = _topic(kafka, FOR_EVER)
    last_run = events[-1].at - NOT_ARCHIVED
    clock = _Clock()
    with closing(KafkaEventLog(kafka, topic, clock=clock)) as log:
        clock.append(log, [booked for booked in events if booked.at <= last_run])
        kept = job(log)
        clock.append(log, [booked for booked in events if booked.at > last_run])
        _keep(kafka, topic, WEEK_MS)
        await_retention(kafka)
        yield log, kept


def _accounts(
    events: Iterable[tuple[StreamId, Any]], began: Mapping[StreamId, Account] = MappingProxyType({})
) -> dict[StreamId, Account]:
    """What accounts amount to, after these events and what they ``began`` with."""
    found = dict(began)
    for stream, event in events:
        found[stream] = decider.evolve(found.get(stream, decider.initial), event)
    return found


class _Clock:
    """The time of the month that has gone by, for a log that asks for it whenever it is appended to."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self._now

    def append(self, log: KafkaEventLog, events: Sequence[Booked]) -> None:
        """Append each event when it happened."""
        for booked in events:
            self._now = booked.at
            log.append(booked.stream, [NewEvent(booked.event)])


def month(seed: int = 7) -> list[Booked]:
    """Every second day somebody opens an account and pays in; then they take out money now and again.

    In the order of time, from thirty days ago until today. Each fifth of them soon has no more use for the account.
    """
    random = Random(seed)  # noqa: S311 a month that repeats, not a secret
    begin = datetime.now(UTC) - timedelta(days=DAYS)
    found = []
    for number in range(1, ACCOUNTS + 1):
        at = begin + (number - 1) * _BETWEEN_OPENINGS + timedelta(hours=random.uniform(0, 8))
        stream = StreamId("account", str(number))
        visits = _FEW if number % _QUIET == 0 else DAYS
        version = 0
        while at < begin + timedelta(days=DAYS) and version < visits:
            version += 1
            found.append(Booked(at, stream, version, _event(version, at, random)))
            at += timedelta(days=random.uniform(*_DAYS_BETWEEN_VISITS))
    return sorted(found, key=lambda booked: booked.at)


def _event(version: int, at: datetime, random: Random) -> AccountOpened | Deposited | Withdrawn:
    on, amount = at.date(), Money(random.choice(_CENTS), "EUR")
    if version == 1:
        return AccountOpened(random.choice(_OWNERS), "EUR", Money(0, "EUR"), on)
    return Deposited(_PAID_IN, on) if version == 2 else Withdrawn(amount, on)


def _topic(kafka: Kafka, retention_ms: int) -> str:
    # Retention takes whole segments and never a part of one: here the events of a day.
    return kafka.topic("accounts", message_timestamp_type="CreateTime", segment_ms=DAY_MS, retention_ms=retention_ms)


def _keep(kafka: Kafka, topic: str, retention_ms: int) -> None:
    """What the topic keeps from now on."""
    entry = ConfigEntry("retention.ms", str(retention_ms), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    await_futures(kafka.admin.incremental_alter_configs([resource]))


def _sent(events: Sequence[Booked]) -> list[Sent]:
    return [Sent(booked.fact, "ok") for booked in events]


def _record(order: int, event: Recorded) -> Record:
    fact = Booked(event.recorded_time, event.stream, int(event.version), event.event).fact
    return Record(
        **{field.name: getattr(fact, field.name) for field in fields(Fact)},
        order=order,
        partition=0,
        offset=event.position - 1,
        timestamp=event.recorded_time,
    )


PITFALL = Pitfall(
    id="P28",
    hypothesis="A topic forgets after a week, and stories that are older have lost their beginning.",
    workload=f"{ACCOUNTS} accounts, opened one after the other over {DAYS} days, in a topic with a segment per day",
    metric=lost_writes,
    unit="accounts no longer begin at version 1",
    run=run,
    broken={"retention_ms": WEEK_MS},
    cured={"retention_ms": FOR_EVER},
    seed=7,
    budget=10,
    brokers=1,
    sources=(
        "https://kafka.apache.org/documentation/#topicconfigs_retention.ms",
        "https://github.com/confluentinc/ksql/pull/735",
        "https://github.com/confluentinc/confluent-kafka-python/issues/1464",
        "https://github.com/eventuate-local/eventuate-local/issues/25",
    ),
)
