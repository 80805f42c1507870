"""What may be asked of an account. ``on`` is the booking date; amounts are positive, except in a correction."""

from datetime import date

from msgspec import Struct

from eventlab.domain.money import Money


class OpenAccount(Struct, frozen=True, gc=False):
    """Open an account whose balance may go down to minus ``overdraft_limit``."""

    owner: str
    currency: str
    overdraft_limit: Money
    on: date


class Deposit(Struct, frozen=True, gc=False):
    """Pay money in."""

    amount: Money
    on: date
    text: str = ""
    reference: str = ""
    value_date: date | None = None


class Withdraw(Struct, frozen=True, gc=False):
    """Take money out."""

    amount: Money
    on: date
    text: str = ""
    reference: str = ""
    value_date: date | None = None


class SendTransfer(Struct, frozen=True, gc=False):
    """Send money to another account. The other side is a command of its own: :class:`ReceiveTransfer`."""

    amount: Money
    on: date
    to: str
    text: str = ""
    reference: str = ""
    value_date: date | None = None


class ReceiveTransfer(Struct, frozen=True, gc=False):
    """Take in money from another account."""

    amount: Money
    on: date
    sender: str
    text: str = ""
    reference: str = ""
    value_date: date | None = None


class ChargeFee(Struct, frozen=True, gc=False):
    """Take the bank's fee, even beyond the overdraft limit."""

    amount: Money
    on: date
    text: str = ""
    reference: str = ""
    value_date: date | None = None


class CreditInterest(Struct, frozen=True, gc=False):
    """Pay interest."""

    amount: Money
    on: date
    text: str = ""
    reference: str = ""
    value_date: date | None = None


class Correct(Struct, frozen=True, gc=False):
    """Make an earlier booking good by ``amount``, with its sign, even beyond the overdraft limit."""

    amount: Money
    on: date
    reason: str
    corrects: str = ""
    reference: str = ""
    value_date: date | None = None


class AuthoriseCard(Struct, frozen=True, gc=False):
    """Hold money for a card payment. ``score`` is the fraud score that was computed for it, 0 to 100."""

    amount: Money
    on: date
    merchant: str
    score: int = 0


class SettleCard(Struct, frozen=True, gc=False):
    """Book the card payment that the merchant claims; no more than is held for that merchant."""

    amount: Money
    on: date
    merchant: str
    reference: str = ""


class ReleaseAuthorisation(Struct, frozen=True, gc=False):
    """Free what is held for a merchant who never claimed it."""

    on: date
    merchant: str


class ClosePeriod(Struct, frozen=True, gc=False):
    """Close the books up to ``last``, included, from where they were last closed."""

    last: date


class CloseAccount(Struct, frozen=True, gc=False):
    """End the account; its balance must be zero."""

    on: date
    reason: str


DatedCommand = (
    Deposit
    | Withdraw
    | SendTransfer
    | ReceiveTransfer
    | ChargeFee
    | CreditInterest
    | Correct
    | AuthoriseCard
    | SettleCard
    | ReleaseAuthorisation
    | CloseAccount
)
Command = OpenAccount | ClosePeriod | DatedCommand
