"""The workload of the pitfalls with transactions: money goes from Ana's account to Ben's, one transfer at a time."""

from collections.abc import Sequence
from random import Random

from eventlab.domain.money import Money
from eventlab.pitfalls.record import Fact

ANA, BEN = 0, 1
"""The partition of each account: the two halves of a transfer lie apart, and only a transaction holds them together."""

_CENTS = range(10_00, 200_00)


def transfers(count: int, seed: int) -> list[Sequence[Fact]]:
    """``transfer-1``, ``transfer-2``, …: each as the debit of Ana's account and the credit of Ben's."""
    amounts = Random(seed).sample(_CENTS, count)  # noqa: S311 amounts that repeat, not secrets
    return [_transfer(number, Money(cents, "EUR")) for number, cents in enumerate(amounts, start=1)]


def _transfer(number: int, amount: Money) -> Sequence[Fact]:
    debit = Fact(f"transfer-{number}", 1, "TransferSent", f"Ana sent {amount}", "bank")
    credit = Fact(debit.key, 2, "TransferReceived", f"Ben received {amount}", "bank", cause=debit.id)
    return debit, credit
