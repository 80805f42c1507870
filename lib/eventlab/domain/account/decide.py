"""The rules of the account: which events a command leads to, or why it is refused.

The owner cannot spend beyond the overdraft limit. The bank's own bookings, fees and corrections, can go beyond it: they
are owed or were wrong, whatever the balance is. Nothing is booked into closed books: a late correction gets a
booking date of today and the value date of then.
"""

from datetime import date, timedelta

from eventlab.domain.account.commands import (
    AuthoriseCard,
    ChargeFee,
    CloseAccount,
    ClosePeriod,
    Command,
    Correct,
    CreditInterest,
    DatedCommand,
    Deposit,
    OpenAccount,
    ReceiveTransfer,
    ReleaseAuthorisation,
    SendTransfer,
    SettleCard,
    Withdraw,
)
from eventlab.domain.account.events import (
    AccountClosed,
    AccountOpened,
    AuthorisationReleased,
    CardAuthorised,
    Corrected,
    Deposited,
    Event,
    FeeCharged,
    FraudScored,
    InterestCredited,
    LimitChecked,
    PeriodClosed,
    TransferReceived,
    TransferSent,
    Withdrawn,
)
from eventlab.domain.account.state import Account
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money

# The range of a fraud score.
_HIGHEST_SCORE = 100


def _open(command: OpenAccount, account: Account) -> list[Event]:
    if account.status != "none":
        raise Refused(f"cannot open the account: it exists already{account.owner and f', for {account.owner}'}")
    if not command.owner.strip():
        raise Refused("cannot open the account: an account needs an owner")
    try:
        limit_is_negative = command.overdraft_limit < Money(0, command.currency)
    except ValueError as error:
        raise Refused(f"cannot open the account: {error}") from error
    if limit_is_negative:
        raise Refused(f"cannot open the account: the overdraft limit {command.overdraft_limit} is below zero")
    return [AccountOpened(command.owner, command.currency, command.overdraft_limit, command.on)]


def _check_day(wish: str, on: date, account: Account) -> None:
    if account.closed_until is not None and on <= account.closed_until:
        raise Refused(f"{wish} on {on}: the books are closed up to {account.closed_until}; book it on a later day")
    if account.since is not None and on < account.since:
        raise Refused(f"{wish} on {on}: the account begins on {account.since}")


def _check_amount(wish: str, amount: Money, account: Account) -> None:
    if amount.currency != account.currency:
        raise Refused(f"{wish} {amount}: the account is in {account.currency}")
    if amount.minor <= 0:
        raise Refused(f"{wish} {amount}: the amount must be above zero")


def _check_available(wish: str, amount: Money, account: Account) -> None:
    if account.available < amount:
        raise Refused(
            f"{wish} {amount}: {account.available} is available "
            f"(balance {account.balance}, overdraft limit {account.overdraft_limit})"
        )


def _bank_booking(command: ChargeFee | CreditInterest | Correct, account: Account) -> list[Event]:
    if isinstance(command, Correct):
        if command.amount.currency != account.currency:
            raise Refused(f"cannot correct by {command.amount}: the account is in {account.currency}")
        if command.amount.minor == 0:
            raise Refused("cannot correct by nothing: give the difference, with its sign")
        if not command.reason.strip():
            raise Refused(f"cannot correct by {command.amount}: a correction needs a reason")
        c = command
        return [Corrected(c.amount, c.on, c.reason, c.corrects, c.reference, c.value_date)]
    if isinstance(command, ChargeFee):
        _check_amount("cannot charge a fee of", command.amount, account)
        return [FeeCharged(command.amount, command.on, command.text, command.reference, command.value_date)]
    _check_amount("cannot credit interest of", command.amount, account)
    return [InterestCredited(command.amount, command.on, command.text, command.reference, command.value_date)]


def _money_in(command: Deposit | ReceiveTransfer, account: Account) -> list[Event]:
    c = command
    if isinstance(c, Deposit):
        _check_amount("cannot deposit", c.amount, account)
        return [Deposited(c.amount, c.on, c.text, c.reference, c.value_date)]
    _check_amount("cannot receive", c.amount, account)
    return [TransferReceived(c.amount, c.on, c.sender, c.text, c.reference, c.value_date)]


def _money_out(command: Withdraw | SendTransfer, account: Account) -> list[Event]:
    c = command
    wish = "cannot withdraw" if isinstance(c, Withdraw) else "cannot send"
    _check_amount(wish, c.amount, account)
    _check_available(wish, c.amount, account)
    if isinstance(c, Withdraw):
        return [Withdrawn(c.amount, c.on, c.text, c.reference, c.value_date)]
    return [TransferSent(c.amount, c.on, c.to, c.text, c.reference, c.value_date)]


def _authorise(command: AuthoriseCard, account: Account) -> list[Event]:
    if not 0 <= command.score <= _HIGHEST_SCORE:
        raise Refused(f"cannot authorise a card: the fraud score {command.score} is not between 0 and {_HIGHEST_SCORE}")
    _check_amount("cannot authorise", command.amount, account)
    _check_available("cannot authorise", command.amount, account)
    return [
        FraudScored(command.score, command.merchant, command.on),
        LimitChecked(command.amount, account.available, command.on),
        CardAuthorised(command.amount, command.merchant, command.on),
    ]


def _settle(command: SettleCard, account: Account) -> list[Event]:
    _check_amount("cannot settle", command.amount, account)
    held = account.holds.get(command.merchant, Money(0, account.currency))
    if held < command.amount:
        raise Refused(f"cannot settle {command.amount}: {held} is held for {command.merchant}")
    return [
        AuthorisationReleased(command.amount, command.merchant, command.on),
        Withdrawn(command.amount, command.on, command.merchant, command.reference),
    ]


def _release(command: ReleaseAuthorisation, account: Account) -> list[Event]:
    held = account.holds.get(command.merchant)
    return [] if held is None else [AuthorisationReleased(held, command.merchant, command.on)]


def _close_period(command: ClosePeriod, account: Account) -> list[Event]:
    _check_day("cannot close the books", command.last, account)
    if account.booked_until is not None and account.booked_until > command.last:
        raise Refused(
            f"cannot close the books on {command.last}: there is a booking on {account.booked_until} already; "
            f"close them before the next period begins"
        )
    after_last_close = account.closed_until and account.closed_until + timedelta(days=1)
    return [PeriodClosed(after_last_close or account.since or command.last, command.last, account.balance)]


def _close(command: CloseAccount, account: Account) -> list[Event]:
    if account.balance.minor != 0:
        raise Refused(f"cannot close the account: its balance is {account.balance}, not zero")
    if account.holds:
        raise Refused(f"cannot close the account: money is still held for {', '.join(account.holds)}")
    return [AccountClosed(command.on, command.reason)]


def _dated(command: DatedCommand, account: Account) -> list[Event]:
    _check_day("cannot book", command.on, account)
    match command:
        case Deposit() | ReceiveTransfer():
            return _money_in(command, account)
        case Withdraw() | SendTransfer():
            return _money_out(command, account)
        case ChargeFee() | CreditInterest() | Correct():
            return _bank_booking(command, account)
        case AuthoriseCard():
            return _authorise(command, account)
        case SettleCard():
            return _settle(command, account)
        case ReleaseAuthorisation():
            return _release(command, account)
        case CloseAccount():
            return _close(command, account)


def decide(command: Command, account: Account) -> list[Event]:
    """The events that ``command`` leads to, none if it changes nothing. Raises Refused, with the reason."""
    if isinstance(command, OpenAccount):
        return _open(command, account)
    if account.status == "none":
        raise Refused("there is no account yet: open it first")
    if account.status == "closed":
        raise Refused("the account is closed: nothing can be booked any more")
    return _close_period(command, account) if isinstance(command, ClosePeriod) else _dated(command, account)
