"""P20: history is imported with the times at which it happened, and retention takes it for old."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from random import Random
from typing import Literal

from eventlab.cluster import Kafka
from eventlab.domain.money import Money
from eventlab.events.envelope import Recorded
from eventlab.inputs import import_file, sample
from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.retention_check import WEEK_MS, await_retention
from eventlab.pitfalls.topics import Writer, read
from eventlab.store import MemoryEventStore

FILES = (
    "sparkasse-2026-03.sta",
    "chase.qfx",
    "swiss.camt053.xml",
    "ing-nl.csv",
    "deutsche-bank.csv",
    "rabobank.csv",
)
"""Statements of March 2026 in four formats, an account each, that customers bring from the banks they leave."""

_COFFEES = range(2_50, 6_00)  # cents


def run(
    kafka: Kafka,
    *,
    timestamp: Literal["CreateTime", "LogAppendTime"] = "CreateTime",
    retention_ms: int = WEEK_MS,
    seed: int = 7,
) -> Result:
    """The bank imports statements into its topic, each booking with its day as the record's time. Then life goes on.

    ``timestamp``: the topic's ``message.timestamp.type``, whose clock counts: the producer's word, or the broker's own
    when the record arrives. ``retention_ms``: how long the topic keeps what is in it.
    """
    topic = kafka.topic("accounts", message_timestamp_type=timestamp, retention_ms=retention_ms)
    imported = statements(seed)
    today = _today(imported, seed)
    with Writer(kafka) as bank:
        for booking in imported:
            bank.send(topic, fact(booking), str(booking.stream), at=booking.valid_time)
        bank.flush()
        for coffee in today:
            bank.send(topic, coffee, coffee.key)
    await_retention(kafka)
    return PITFALL.result(read(kafka, topic), [Sent(each, "ok") for each in [*map(fact, imported), *today]])


def statements(seed: int = 7) -> list[Recorded]:
    """What the statements say, as events: one account after the other, each from its first booking to its last."""
    files = Random(seed).sample(FILES, len(FILES))  # noqa: S311 an order that repeats, not a secret
    store = MemoryEventStore()
    for name in files:
        import_file(sample(name), store)
    return list(store.read_all())


def fact(booking: Recorded) -> Fact:
    """The booking as it goes into the topic: its day is part of what it says, whatever becomes of the record's time."""
    label = f"{booking.valid_time:%Y-%m-%d}: {booking.event}"
    return Fact(str(booking.stream), int(booking.version), booking.type, label, "import")


def _today(imported: Sequence[Recorded], seed: int) -> list[Fact]:
    """A coffee for each account, behind what was imported."""
    random = Random(seed)  # noqa: S311 amounts that repeat, not secrets
    day = date.today()  # noqa: DTZ011 a booking day, as statements have it
    last = {str(booking.stream): fact(booking) for booking in imported}
    return [
        replace(
            each,
            version=each.version + 1,
            type="Withdrawn",
            label=f"{day}: withdrew {Money(random.choice(_COFFEES), 'EUR')}: coffee",
            producer="bank",
        )
        for each in last.values()
    ]


PITFALL = Pitfall(
    id="P20",
    hypothesis="What is imported with its own old dates is deleted as soon as the broker looks, days early.",
    workload=f"{len(FILES)} statement files of March 2026, then a coffee each today; retention 7 days",
    metric=lost_writes,
    unit="accounts have lost bookings that were acknowledged",
    run=run,
    broken={"timestamp": "CreateTime"},
    cured={"timestamp": "LogAppendTime"},
    seed=7,
    budget=10,
    brokers=1,
    sources=(
        "https://github.com/openmeterio/openmeter/issues/5005",
        "https://github.com/confluentinc/librdkafka/issues/1238",
        "https://github.com/influxdata/kapacitor/issues/2239",
        "https://github.com/elastic/beats/pull/30025",
    ),
)
