"""Whoever looks after the accounts of a shard, alone: to be run by an actor, who may be paused in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from eventlab.cluster import Kafka
from eventlab.pitfalls.actors import Tell
from eventlab.pitfalls.record import Fact, Record
from eventlab.pitfalls.topics import read
from eventlab.settings.quiet import QUIET

_PATIENCE_SECONDS = 20.0


def opened(number: int) -> Fact:
    """The first event of an account."""
    return Fact(f"account-{number}", 1, "AccountOpened", "opened", "bank")


def month_end(records: Iterable[Record], writer: str) -> list[Sequence[Fact]]:
    """For each account that has no more than its opening: interest and a fee, as ``writer`` books them."""
    versions: dict[str, int] = {}
    for record in records:
        versions[record.key] = max(record.version, versions.get(record.key, 0))
    return [
        (
            Fact(account, version + 1, "InterestCredited", f"{writer}: interest 1.20 EUR", writer),
            Fact(account, version + 2, "FeeCharged", f"{writer}: fee 2.50 EUR", writer),
        )
        for account, version in versions.items()
        if version == 1
    ]


def close_month(tell: Tell, *, topic: str, config: Mapping[str, Any], writer: str) -> None:
    """Book the end of the month, a transaction for each account. ``config`` has the ``transactional.id``.

    It reads the log when it starts, and goes by what it knows from then on, as whoever writes alone may do. It stands
    still at ``decided`` (on these ``facts``), at ``booked`` (an account, its events at these ``offsets``), and at
    ``refused``, after which it ends.
    """
    producer = Producer({**config, "logger": QUIET})
    producer.init_transactions(_PATIENCE_SECONDS)
    log = {key: value for key, value in config.items() if key != "transactional.id"}
    decided = month_end(read(Kafka(log, None), topic), writer)
    tell("decided", facts=[asdict(fact) for facts in decided for fact in facts])
    try:
        for facts in decided:
            offsets: list[int] = []
            producer.begin_transaction()
            for fact in facts:
                producer.produce(topic, fact.encode(), fact.key, on_delivery=partial(_note, offsets))
            producer.commit_transaction(_PATIENCE_SECONDS)
            tell("booked", account=facts[0].key, offsets=offsets)
    except KafkaException as refused:
        tell("refused", why=refused.args[0].name())


def _note(offsets: list[int], error: KafkaError | None, message: Message) -> None:
    if error is None:
        offsets.append(message.offset())
