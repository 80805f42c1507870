"""P25, the other way round: what was deleted lives on with a reader who was away while the tombstone was there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from random import Random

import pandas as pd
from confluent_kafka import Message, Producer

from eventlab.cluster import Kafka, LabError
from eventlab.forgetting.places import messages
from eventlab.pitfalls.log.cleaner import HEARTBEAT, await_cleaner, settings

VOUCHERS, REVOKED = 12, 4

_PERCENT = range(5, 55, 5)
_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Copies:
    """The vouchers as the topic has them, and as the till does that reads it."""

    topic: Mapping[str, str]
    till: Mapping[str, str]

    @cached_property
    def ghosts(self) -> tuple[str, ...]:
        """The vouchers that the till takes, and that are no more."""
        return tuple(sorted(set(self.till) - set(self.topic)))

    def table(self) -> pd.DataFrame:
        """A row for each voucher that either of them has."""
        codes = sorted({*self.topic, *self.till})
        columns = {name: [copy.get(code, "") for code in codes] for name, copy in _columns(self).items()}
        return pd.DataFrame({"voucher": codes, **columns})

    def __repr__(self) -> str:
        return f"{len(self.ghosts)} of {len(self.till)} vouchers of the till are ghosts"

    def _repr_html_(self) -> str:
        return f"<b>{len(self.ghosts)} of {len(self.till)}</b> {escape('vouchers of the till are ghosts')}"


def _columns(copies: Copies) -> Mapping[str, Mapping[str, str]]:
    return {"in the topic": copies.topic, "at the till": copies.till}


def run(kafka: Kafka, *, delete_retention_ms: int = 0, seed: int = 7) -> Copies:
    """The shop has its vouchers in a compacted topic, with a tombstone for each that it revokes; a till follows it.

    The till has read all and goes offline. Some vouchers are revoked, and the cleaner does its work. Then the till
    goes on where it was. ``delete_retention_ms``: how long the cleaner leaves a tombstone for those who are late.
    """
    topic = kafka.topic("vouchers", **settings(delete_retention_ms=delete_retention_ms))
    random = Random(seed)  # noqa: S311 vouchers that repeat, not secrets
    codes = [f"TROUSERS-{number:02}" for number in range(1, VOUCHERS + 1)]
    _write(kafka, topic, {code: f"{random.choice(_PERCENT)} % off" for code in codes})
    before = list(messages(kafka, topic))
    till, position = _applied({}, before), before[-1].offset() + 1
    revoked = set(random.sample(codes, REVOKED))
    _write(kafka, topic, dict.fromkeys(sorted(revoked)))

    def cleaned() -> bool:
        left = [message for message in messages(kafka, topic) if message.key().decode() in revoked]
        return not any(message.value() for message in left) and len(left) == (REVOKED if delete_retention_ms else 0)

    await_cleaner(kafka, topic, cleaned)
    now = list(messages(kafka, topic))
    return Copies(_applied({}, now), _applied(till, (message for message in now if message.offset() >= position)))


def _write(kafka: Kafka, topic: str, vouchers: Mapping[str, str | None]) -> None:
    producer = Producer(kafka.config(**{"acks": "all", "enable.idempotence": True, "log_level": 3}))
    try:
        for code, what in vouchers.items():
            producer.produce(topic, what, code)
        if producer.flush(_PATIENCE_SECONDS):
            raise LabError(
                "The broker did not acknowledge the records of this experiment. `eventlab status` says more."
            )
    finally:
        producer.close()


def _applied(copy: Mapping[str, str], read: Iterable[Message]) -> dict[str, str]:
    """``copy`` after these records: the last value of each key, and none of a key whose last record is a tombstone."""
    vouchers = dict(copy)
    for message in read:
        code, what = message.key().decode(), message.value()
        if what is None:
            vouchers.pop(code, None)
        elif code != HEARTBEAT.key:
            vouchers[code] = what.decode()
    return vouchers
