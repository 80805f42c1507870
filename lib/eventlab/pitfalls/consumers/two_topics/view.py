"""A view over both topics: what each payment costs. It joins a payment to a tariff, in one of several ways."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

import msgspec

from eventlab.pitfalls.consumers.two_topics.bank import Event, PaymentMade, TariffSet

Join = Literal["as it comes", "by time", "hold aside", "mark"]
_HASH_LENGTH = 8  # hexadecimal digits: enough to tell a few views apart


@dataclass(frozen=True, slots=True)
class Line:
    """A payment, and the tariff by which the view has booked it; None: by none, it does not know of any.

    ``marked``: it says so itself, and is to be filled in.
    """

    payment: PaymentMade
    tariff: TariffSet | None
    marked: bool = False

    @property
    def fee(self) -> int:
        """In cents."""
        return self.tariff.fee if self.tariff else 0

    @property
    def wrong(self) -> bool:
        """Whether it is booked by another tariff than the payment was made under, and does not say so."""
        return not self.marked and (self.tariff is None or self.tariff.version != self.payment.version)


class View:
    """Takes events one by one. ``applied`` is what it did, in order; ``open`` what was incomplete after each event.

    ``as it comes`` books a payment by the tariff that it has heard of last. The others go by the version that the
    payment names; while that is not there, ``hold aside`` leaves the payment out, and ``mark`` shows it without a fee.
    """

    def __init__(self, join: Join) -> None:
        self._join = join
        self._latest: dict[str, TariffSet] = {}
        self._tariffs: dict[tuple[str, int], TariffSet] = {}
        self._waiting: dict[tuple[str, int], list[PaymentMade]] = defaultdict(list)
        self._lines: dict[int, Line] = {}
        self.applied: list[TariffSet | Line] = []
        self.open: list[int] = []

    @property
    def lines(self) -> list[Line]:
        """What it shows, a line for each payment."""
        return [self._lines[number] for number in sorted(self._lines)]

    @property
    def waiting(self) -> list[PaymentMade]:
        """The payments that lack their tariff."""
        return [payment for payments in self._waiting.values() for payment in payments]

    @property
    def hash(self) -> str:
        """Of all lines: the same for two views that show the same."""
        return hashlib.sha256(msgspec.json.encode(self.lines)).hexdigest()[:_HASH_LENGTH]

    def take(self, event: Event) -> None:
        """The next one that its reader got."""
        if isinstance(event, TariffSet):
            self._learn(event)
        elif self._join in ("as it comes", "by time"):
            self._book(event, self._latest.get(event.account))
        elif (needs := (event.account, event.version)) in self._tariffs:
            self._book(event, self._tariffs[needs])
        else:
            self._waiting[needs].append(event)
            if self._join == "mark":
                self._book(event, None, marked=True)
        self.open.append(len(self.waiting))

    def _learn(self, tariff: TariffSet) -> None:
        self.applied.append(tariff)
        self._latest[tariff.account] = tariff
        key = (tariff.account, tariff.version)
        self._tariffs[key] = tariff
        for payment in self._waiting.pop(key, []):
            self._book(payment, tariff)

    def _book(self, payment: PaymentMade, tariff: TariffSet | None, marked: bool = False) -> None:
        line = self._lines[payment.number] = Line(payment, tariff, marked)
        self.applied.append(line)
