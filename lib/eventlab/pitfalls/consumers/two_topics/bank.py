"""A bank with two services: one keeps the accounts and their tariffs, the other makes payments. A topic each."""

from collections import Counter
from datetime import timedelta
from itertools import count
from random import Random
from typing import ClassVar, Literal

import msgspec

from eventlab.pitfalls.shoppers import interleaved

ACCOUNTS = 12
BETWEEN_EVENTS = timedelta(milliseconds=100)
_FEES = {"Basic": 30, "Plus": 10, "Gold": 5}  # cents a payment
# An account's story: T a tariff (the first one opens the account), P a payment.
_STORY = "TPPTPPTP"

Topic = Literal["accounts", "payments"]


class TariffSet(msgspec.Struct, frozen=True, tag=True):
    """From now on a payment from ``account`` costs ``fee`` cents. ``version`` counts the account's tariffs from 1."""

    account: str
    version: int
    tariff: str
    fee: int

    topic: ClassVar[Topic] = "accounts"

    def encode(self) -> bytes:
        """The value of its Kafka record."""
        return msgspec.json.encode(self)


class PaymentMade(msgspec.Struct, frozen=True, tag=True):
    """A payment from ``account``; ``version`` is that of the account when the payment was made."""

    number: int
    account: str
    version: int

    topic: ClassVar[Topic] = "payments"

    def encode(self) -> bytes:
        """The value of its Kafka record."""
        return msgspec.json.encode(self)


Event = TariffSet | PaymentMade

decode = msgspec.json.Decoder(Event).decode


def day(seed: int) -> list[Event]:
    """What happens, in the order in which it happens."""
    random = Random(seed)  # noqa: S311 a day that repeats, not a secret
    accounts = [f"account-{number}" for number in range(1, ACCOUNTS + 1)]
    tariffs = {account: random.sample(sorted(_FEES), len(_FEES)) for account in accounts}
    versions: Counter[str] = Counter()
    numbers = count(1)
    events: list[Event] = []
    for account, kind in interleaved([[(account, kind) for kind in _STORY] for account in accounts], seed):
        if kind == "T":
            versions[account] += 1
            tariff = tariffs[account][versions[account] - 1]
            events.append(TariffSet(account, versions[account], tariff, _FEES[tariff]))
        else:
            events.append(PaymentMade(next(numbers), account, versions[account]))
    return events
