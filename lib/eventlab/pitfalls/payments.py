"""The workload of the pitfalls of delivery and of dying brokers: payments, each of them a story of one event."""

from random import Random
from typing import Any

from eventlab.cluster import Kafka
from eventlab.domain.money import Money
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.topics import Writer

_CENTS = range(5_00, 200_00)


def payments(count: int, seed: int) -> list[Fact]:
    """``payment-1``, ``payment-2``, …, each of another amount."""
    amounts = Random(seed).sample(_CENTS, count)  # noqa: S311 amounts that repeat, not secrets
    return [
        Fact(f"payment-{number}", 1, "PaymentReceived", f"Ana paid {Money(cents, 'EUR')}", "shop")
        for number, cents in enumerate(amounts, start=1)
    ]


def arrived(kafka: Kafka, topic: str, count: int, seed: int, **settings: Any) -> list[Sent]:
    """Have so many payments in ``topic``, and the account of that. ``settings`` are those of the writer."""
    facts = payments(count, seed)
    with Writer(kafka, **settings) as shop:
        for fact in facts:
            shop.send(topic, fact, fact.key)
    return [Sent(fact, "ok") for fact in facts]
