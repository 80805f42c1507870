"""What may be asked of an account. ``on`` is the booking date; amounts are positive, except in a correction."""

from dataclasses import dataclass
from datetime import date

from eventlab.domain.money import Money


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """Open an account whose balance may go down to minus ``overdraft_limit``."""

    owner: str
    currency: str
    overdraft_limit: Money
    on: date


@dataclass(frozen=True, slots=True)
class Deposit:
    """Pay money in."""

    amount: Money
    on: date
    text: str = ""
    reference: str = ""
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take money out."""

    amount: Money
    on: date
    text: str = ""
    reference: str = ""
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class SendTransfer:
    """Send money to another account. The other side is a command of its own: :class:`ReceiveTransfer`."""

    amount: Money
    on: date
    to: str
    text: str = ""
    reference: str = ""
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class ReceiveTransfer:
    """Take in money from another account."""

    amount: Money
    on: date
    sender: str
    text: str = ""
    reference: str = ""
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class ChargeFee:
    """Take the bank's fee, even beyond the overdraft limit."""

    amount: Money
    on: date
    text: str = ""
    reference: str = ""
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class CreditInterest:
    """Pay interest."""

    amount: Money
    on: date
    text: str = ""
    reference: str = ""
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class Correct:
    """Make an earlier booking good by ``amount``, with its sign, even beyond the overdraft limit."""

    amount: Money
    on: date
    reason: str
    corrects: str = ""
    reference: str = ""
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class AuthoriseCard:
    """Hold money for a card payment. ``score`` is the fraud score that was computed for it, 0 to 100."""

    amount: Money
    on: date
    merchant: str
    score: int = 0


@dataclass(frozen=True, slots=True)
class SettleCard:
    """Book the card payment that the merchant claims; no more than is held for that merchant."""

    amount: Money
    on: date
    merchant: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseAuthorisation:
    """Free what is held for a merchant who never claimed it."""

    on: date
    merchant: str


@dataclass(frozen=True, slots=True)
class ClosePeriod:
    """Close the books up to ``last``, included, from where they were last closed."""

    last: date


@dataclass(frozen=True, slots=True)
class CloseAccount:
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
