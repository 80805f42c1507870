"""P16: a consumer that its group has given up still has work in hand, and does it when another one has done it."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

from eventlab.cluster import Kafka
from eventlab.pitfalls import bank
from eventlab.pitfalls.actors import Actor
from eventlab.pitfalls.batches import Protocol
from eventlab.pitfalls.book import applied
from eventlab.pitfalls.checkers import repeats
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.payments import arrived

PAYMENTS = 80
# How long the group has patience with the slow process: five minutes by default, and a slow batch in real life.
_SHORT_MS, _HEARTBEAT_MS = 2000, 500
_SLOW: Mapping[Protocol, Mapping[str, int]] = {
    # Members of a classic group say how often they have to be heard of, too, and it may not be less often.
    "classic": {
        "max.poll.interval.ms": _SHORT_MS,
        "session.timeout.ms": _SHORT_MS,
        "heartbeat.interval.ms": _HEARTBEAT_MS,
    },
    "consumer": {"max.poll.interval.ms": _SHORT_MS},
}
_GROUP = {"consumer.session.timeout.ms": _SHORT_MS, "consumer.heartbeat.interval.ms": _HEARTBEAT_MS}
_PATIENCE_SECONDS = 20.0


def run(kafka: Kafka, *, fence: bool = False, protocol: Protocol = "classic", seed: int = 7) -> Result:
    """Two processes of a bank in one group. One is at work on its second batch for longer than its group waits.

    The other is given its partition, and books all there is. Then the slow one is done: it writes what it has in hand,
    and goes on. Payments and offset stand in one book, written in one transaction. ``fence``: whether the book refuses
    a writer after whom another one was given the partition.
    """
    topic = kafka.topic("payments")
    sent = arrived(kafka, topic, PAYMENTS, seed)
    group = kafka.name("bank")
    with tempfile.TemporaryDirectory() as directory, _impatient(kafka, group, protocol):
        book = str(Path(directory) / "book.db")
        options: dict[str, Any] = {"topic": topic, "group": group, "book": book, "fence": fence, "protocol": protocol}
        options["config"] = kafka.config()
        with Actor(bank.book_in_a_group, patience=_SLOW[protocol], **options) as slow:
            slow.until("taken", times=2)
            with Actor(bank.book_in_a_group, patience={}, **options) as other:
                other.finish()
            slow.finish()
        return PITFALL.result(applied(book), sent)


@contextmanager
def _impatient(kafka: Kafka, group: str, protocol: Protocol) -> Iterator[None]:
    """In the new protocol it is the group that has patience, and not its members: 45 s by default."""
    if protocol == "consumer":
        _configure(kafka, group, AlterConfigOpType.SET)
    try:
        yield
    finally:
        if protocol == "consumer":
            _configure(kafka, group, AlterConfigOpType.DELETE)


def _configure(kafka: Kafka, group: str, how: AlterConfigOpType) -> None:
    entries = [ConfigEntry(name, str(value), incremental_operation=how) for name, value in _GROUP.items()]
    resource = ConfigResource(ConfigResource.Type.GROUP, group, incremental_configs=entries)
    kafka.admin.incremental_alter_configs([resource])[resource].result(_PATIENCE_SECONDS)


PITFALL = Pitfall(
    id="P16",
    hypothesis="A consumer that works longer than its group waits does once more what another one did in its place.",
    workload=f"{PAYMENTS} card payments, two processes in one group, one of which is too slow with its second batch",
    metric=repeats,
    unit="payments were booked twice",
    run=run,
    broken={"fence": False},
    cured={"fence": True},
    seed=7,
    budget=15,
    brokers=1,
    sources=(
        "https://github.com/confluentinc/confluent-kafka-python/issues/552",
        "https://github.com/spring-projects/spring-kafka/issues/2266",
        "https://github.com/PostHog/posthog/pull/56097",
        "https://github.com/apache/kafka/pull/14873",
    ),
)
