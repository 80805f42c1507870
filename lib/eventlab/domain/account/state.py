"""The account at one moment, and how each event changes it."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from eventlab.domain.account.events import (
    AccountClosed,
    AccountOpened,
    AuthorisationReleased,
    BalanceBroughtForward,
    CardAuthorised,
    Event,
    FraudScored,
    LimitChecked,
    PeriodClosed,
    signed,
)
from eventlab.domain.money import NO_CURRENCY, Money

Status = Literal["none", "open", "closed"]

_NOTHING = Money(0, NO_CURRENCY)


class Account(Struct, frozen=True, gc=False):
    """An account at one moment.

    ``holds`` is the money set aside per merchant for card payments not yet booked. ``since`` is the first day that is
    known, ``booked_until`` the last day with a booking, ``closed_until`` the last day of the closed books.
    """

    status: Status = "none"
    owner: str = ""
    currency: str = NO_CURRENCY
    overdraft_limit: Money = _NOTHING
    balance: Money = _NOTHING
    holds: Mapping[str, Money] = field(default_factory=lambda: MappingProxyType({}))
    since: date | None = None
    booked_until: date | None = None
    closed_until: date | None = None

    @property
    def available(self) -> Money:
        """What the owner may still spend: balance plus overdraft, less what is held."""
        return sum((-held for held in self.holds.values()), self.balance + self.overdraft_limit)


def _known(account: Account, currency: str, on: date) -> Account:
    """The account with its currency and first day filled in by whichever event comes first."""
    if account.currency == NO_CURRENCY:
        nothing = Money(0, currency)
        account = replace(account, status="open", currency=currency, overdraft_limit=nothing, balance=nothing)
    return replace(account, since=min(account.since or on, on))


def _booked(account: Account, amount: Money, on: date) -> Account:
    account = _known(account, amount.currency, on)
    return replace(account, balance=account.balance + amount, booked_until=max(account.booked_until or on, on))


def _held(account: Account, merchant: str, amount: Money, on: date) -> Account:
    account = _known(account, amount.currency, on)
    held = account.holds.get(merchant, Money(0, amount.currency)) + amount
    holds = {**account.holds, merchant: held}
    return replace(account, holds=MappingProxyType({name: kept for name, kept in holds.items() if kept.minor != 0}))


def evolve(account: Account, event: Event) -> Account:
    """The account after ``event``.

    Events are facts and may be imported, so no limit is checked here, and a stream may begin with any event: an
    account whose opening we have not seen is open, without an owner and without overdraft.
    """
    match event:
        case AccountOpened(owner, currency, overdraft_limit, on):
            opened = _known(account, currency, on)
            return replace(opened, status="open", owner=owner, overdraft_limit=overdraft_limit)
        case BalanceBroughtForward(balance, on):
            known = _known(account, balance.currency, on)
            return replace(known, balance=known.balance + balance)
        case CardAuthorised(amount, merchant, on):
            return _held(account, merchant, amount, on)
        case AuthorisationReleased(amount, merchant, on):
            return _held(account, merchant, -amount, on)
        case LimitChecked() | FraudScored():
            return account
        case PeriodClosed(_, last, _):
            return replace(account, closed_until=last)
        case AccountClosed():
            return replace(account, status="closed")
        case _:
            return _booked(account, signed(event), event.on)
