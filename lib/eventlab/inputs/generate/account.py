"""A bank account's history: salary, rent, card payments with the bank's chatter, fees, a correction, closed books."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from eventlab.domain.account import (
    AuthoriseCard,
    ChargeFee,
    ClosePeriod,
    Command,
    Correct,
    CreditInterest,
    Deposit,
    OpenAccount,
    ReceiveTransfer,
    ReleaseAuthorisation,
    SendTransfer,
    SettleCard,
    Withdraw,
    decider,
)
from eventlab.domain.account.commands import DatedCommand
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent
from eventlab.inputs.generate.run import run

Plan = list[tuple[datetime, Command]]


def _euro(cents: int) -> Money:
    return Money(cents, "EUR")


OWNER = "Ana Brandt"
OPENED = date(2026, 1, 2)
OVERDRAFT = _euro(500_00)

# The story: a card payment that was never Ana's, corrected two days later. Nothing else is booked on these days.
DISPUTED = _euro(12_40)
DISPUTED_AT = datetime(2026, 3, 3, 12, 31, tzinfo=UTC)
CORRECTED_AT = datetime(2026, 3, 5, 9, 15, tzinfo=UTC)
_QUIET_FROM = datetime(2026, 3, 3, tzinfo=UTC)
_QUIET = timedelta(days=3)

# Merchant, typical card payment in cents, and how likely it is that the merchant never claims what was authorised.
_MERCHANTS = (
    ("Bakery Weber", 480, 0.0),
    ("Supermarket Elbmarkt", 3_790, 0.0),
    ("Café Rosa", 1_150, 0.0),
    ("Bookshop Lenz", 2_390, 0.0),
    ("Pharmacy am Markt", 1_580, 0.0),
    ("Trousers & Co", 6_900, 0.05),
    ("Fuel 24", 5_600, 0.10),
    ("Hotel Hafen", 14_500, 0.40),
)
_CARD_PAYMENTS_PER_DAY = 0.36
_HIGHEST_SCORE = 100

# Day of the month, hour, and what the owner or someone else does then.
_MONTHLY: tuple[tuple[int, int, Callable[[date, Random], DatedCommand]], ...] = (
    (1, 6, lambda on, _: SendTransfer(_euro(890_00), on, "Housing Cooperative Nord", "rent", f"RENT-{on:%Y-%m}")),
    (7, 6, lambda on, _: Withdraw(_euro(64_90), on, "Direct debit Stadtwerke electricity", f"SW-{on:%Y%m}")),
    (9, 6, lambda on, _: Withdraw(_euro(19_99), on, "Direct debit Mobile One", f"M1-{on:%Y%m}")),
    (12, 17, lambda on, rng: Withdraw(_euro(rng.choice((5_000, 10_000))), on, "Cash machine Market Square")),
    (15, 8, lambda on, _: SendTransfer(_euro(740_00), on, "Ana Brandt", "to my savings")),
    (22, 18, lambda on, rng: Withdraw(_euro(rng.choice((8_000, 12_000))), on, "Cash machine Main Station")),
    (25, 5, lambda on, rng: ReceiveTransfer(
        _euro(2_350_00 + rng.choice((0, 0, 12_500))), on, "Lund & Sons", "salary", f"SAL-{on:%Y-%m}")),
)  # fmt: skip


def demo_account(seed: int = 4, months: int = 3) -> list[NewEvent]:
    """One account from its opening on 2 January 2026 over ``months`` calendar months; three give some 200 events.

    A card payment of 12.40 EUR on 3 March 2026 is corrected on 5 March, and nothing else happens from 3 to 5 March.
    The bank's own bookings at a month's end share one time stamp.
    """
    rng = Random(seed)  # noqa: S311 a history that repeats, not a secret
    last = _month_end(months - 1)
    plan: Plan = [
        (_at(OPENED, 9), OpenAccount(OWNER, "EUR", OVERDRAFT, OPENED)),
        (_at(OPENED, 9, 5), Deposit(_euro(950_00), OPENED, "Cash deposit at the counter")),
    ]
    for n in range((last - OPENED).days + 1):
        day = OPENED + timedelta(days=n)
        plan += [(_at(day, hour), what(day, rng)) for on, hour, what in _MONTHLY if on == day.day]
        if rng.random() < _CARD_PAYMENTS_PER_DAY:
            plan += _card_payment(rng, day)
    plan += _story()
    for n in range(months):
        plan += _month_close(rng, _month_end(n))
    return run(rng, decider, [step for step in plan if step[0].date() <= last])


def _at(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute, second), UTC)


def _month_end(later: int) -> date:
    months = OPENED.month + later
    return date(OPENED.year + months // 12, months % 12 + 1, 1) - timedelta(days=1)


def _card_payment(rng: Random, day: date) -> Plan:
    merchant, typical, unclaimed = rng.choice(_MERCHANTS)
    amount = _euro(max(100, round(typical * rng.lognormvariate(0, 0.4))))
    score = min(_HIGHEST_SCORE, round(rng.expovariate(1 / 8)))
    authorised = _not_quiet(_at(day, rng.randrange(8, 21), rng.randrange(60), rng.randrange(60)))
    settled = _not_quiet(_at(day + timedelta(days=rng.randrange(1, 3)), 4, rng.randrange(60)))
    reference = f"CARD-{rng.randrange(10**8):08}"
    claim: Command = (
        ReleaseAuthorisation(settled.date(), merchant)
        if rng.random() < unclaimed
        else SettleCard(amount, settled.date(), merchant, reference)
    )
    return [(authorised, AuthoriseCard(amount, authorised.date(), merchant, score)), (settled, claim)]


def _not_quiet(moment: datetime) -> datetime:
    """``moment``, moved behind the quiet days of the story when it falls into them."""
    return moment + _QUIET if _QUIET_FROM <= moment < _QUIET_FROM + _QUIET else moment


def _story() -> Plan:
    reference = "CARD-00031240"
    reason = "this card payment was another customer's"
    return [
        (DISPUTED_AT, Withdraw(DISPUTED, DISPUTED_AT.date(), "Card payment Kiosk am Hafen", reference)),
        (CORRECTED_AT, Correct(DISPUTED, CORRECTED_AT.date(), reason, reference, value_date=DISPUTED_AT.date())),
    ]


def _month_close(rng: Random, last: date) -> Plan:
    night = _at(last, 23, 30)
    fee = ChargeFee(_euro(3_90), last, "account fee", f"FEE-{last:%Y-%m}")
    interest = CreditInterest(_euro(rng.randrange(5, 95)), last, "credit interest", f"INT-{last:%Y-%m}")
    return [(night, fee), (night, interest), (_at(last, 23, 59, 59), ClosePeriod(last))]
