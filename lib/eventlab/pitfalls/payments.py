"""The workload of the pitfalls with dying brokers: payments, each of them a story of one event."""

from random import Random

from eventlab.domain.money import Money
from eventlab.pitfalls.record import Fact

_CENTS = range(5_00, 200_00)


def payments(count: int, seed: int) -> list[Fact]:
    """``payment-1``, ``payment-2``, …, each of another amount."""
    amounts = Random(seed).sample(_CENTS, count)  # noqa: S311 amounts that repeat, not secrets
    return [
        Fact(f"payment-{number}", 1, "PaymentReceived", f"Ana paid {Money(cents, 'EUR')}", "shop")
        for number, cents in enumerate(amounts, start=1)
    ]
