"""What has happened to an account: bookings that move money, the opening and the closings, and the bank's chatter.

``on`` is the booking date. Amounts are positive, except in a correction. ``value_date`` is the day from which a booking
counts for interest, when that is another day. Each event says itself in words: ``str(event)``.
"""

from datetime import date

from msgspec import Struct

from eventlab.domain.money import Money


def _with(detail: str, before: str = ": ") -> str:
    return f"{before}{detail}" if detail else ""


class AccountOpened(Struct, frozen=True, gc=False):
    """The account exists; its balance may go down to minus ``overdraft_limit``."""

    owner: str
    currency: str
    overdraft_limit: Money
    on: date

    def __str__(self) -> str:
        return f"account opened for {self.owner}, overdraft up to {self.overdraft_limit}"


class BalanceBroughtForward(Struct, frozen=True, gc=False):
    """What the account held before the first booking we know, for example in front of the first imported statement."""

    balance: Money
    on: date

    def __str__(self) -> str:
        return f"balance of {self.balance} brought forward"


class Deposited(Struct, frozen=True, gc=False):
    """Money came in."""

    amount: Money
    on: date
    text: str = ""
    reference: str = ""
    value_date: date | None = None

    def __str__(self) -> str:
        return f"deposited {self.amount}{_with(self.text)}"


class Withdrawn(Struct, frozen=True, gc=False):
    """Money went out: cash, a card payment, a direct debit."""

    amount: Money
    on: date
    text: str = ""
    reference: str = ""
    value_date: date | None = None

    def __str__(self) -> str:
        return f"withdrew {self.amount}{_with(self.text)}"


class TransferSent(Struct, frozen=True, gc=False):
    """Money went to another account."""

    amount: Money
    on: date
    to: str = ""
    text: str = ""
    reference: str = ""
    value_date: date | None = None

    def __str__(self) -> str:
        return f"sent {self.amount}{_with(self.to, ' to ')}{_with(self.text)}"


class TransferReceived(Struct, frozen=True, gc=False):
    """Money came from another account."""

    amount: Money
    on: date
    sender: str = ""
    text: str = ""
    reference: str = ""
    value_date: date | None = None

    def __str__(self) -> str:
        return f"received {self.amount}{_with(self.sender, ' from ')}{_with(self.text)}"


class FeeCharged(Struct, frozen=True, gc=False):
    """The bank took its fee."""

    amount: Money
    on: date
    text: str = ""
    reference: str = ""
    value_date: date | None = None

    def __str__(self) -> str:
        return f"fee of {self.amount}{_with(self.text)}"


class InterestCredited(Struct, frozen=True, gc=False):
    """The bank paid interest."""

    amount: Money
    on: date
    text: str = ""
    reference: str = ""
    value_date: date | None = None

    def __str__(self) -> str:
        return f"interest of {self.amount}{_with(self.text)}"


class Corrected(Struct, frozen=True, gc=False):
    """An earlier booking, with the reference ``corrects``, was wrong: ``amount``, with its sign, makes it good."""

    amount: Money
    on: date
    reason: str
    corrects: str = ""
    reference: str = ""
    value_date: date | None = None

    def __str__(self) -> str:
        return f"corrected by {self.amount}{_with(self.reason)}"


class PeriodClosed(Struct, frozen=True, gc=False):
    """The books from ``first`` to ``last``, both included, are closed with the balance ``closing``."""

    first: date
    last: date
    closing: Money

    def __str__(self) -> str:
        return f"books closed from {self.first} to {self.last} with {self.closing}"


class AccountClosed(Struct, frozen=True, gc=False):
    """The account takes no more bookings."""

    on: date
    reason: str

    def __str__(self) -> str:
        return f"account closed: {self.reason}"


class CardAuthorised(Struct, frozen=True, gc=False):
    """Chatter: money is held for a card payment that the merchant has not yet claimed."""

    amount: Money
    merchant: str
    on: date

    def __str__(self) -> str:
        return f"card authorised: {self.amount} held for {self.merchant}"


class AuthorisationReleased(Struct, frozen=True, gc=False):
    """Chatter: held money is free again, because the payment was booked or never came."""

    amount: Money
    merchant: str
    on: date

    def __str__(self) -> str:
        return f"authorisation released: {self.amount} for {self.merchant}"


class LimitChecked(Struct, frozen=True, gc=False):
    """Chatter: ``amount`` was compared with what was ``available``."""

    amount: Money
    available: Money
    on: date

    def __str__(self) -> str:
        return f"limit checked: {self.amount} of {self.available} available"


class FraudScored(Struct, frozen=True, gc=False):
    """Chatter: how suspicious a payment looked, from 0 (not at all) to 100."""

    score: int
    merchant: str
    on: date

    def __str__(self) -> str:
        return f"fraud scored: {self.score} of 100 for {self.merchant}"


Booking = Deposited | Withdrawn | TransferSent | TransferReceived | FeeCharged | InterestCredited | Corrected
Chatter = CardAuthorised | AuthorisationReleased | LimitChecked | FraudScored
Event = AccountOpened | BalanceBroughtForward | Booking | PeriodClosed | AccountClosed | Chatter
EVENTS = (
    AccountOpened,
    BalanceBroughtForward,
    Deposited,
    Withdrawn,
    TransferSent,
    TransferReceived,
    FeeCharged,
    InterestCredited,
    Corrected,
    PeriodClosed,
    AccountClosed,
    CardAuthorised,
    AuthorisationReleased,
    LimitChecked,
    FraudScored,
)


def signed(booking: Booking) -> Money:
    """What the booking does to the balance: the amount, negative when money leaves."""
    return -booking.amount if isinstance(booking, Withdrawn | TransferSent | FeeCharged) else booking.amount
