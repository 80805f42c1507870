"""An account from one period to the next: what a stream of the new one opens with, so that it needs no older one."""

from datetime import timedelta

from eventlab.domain.account.events import AccountOpened, BalanceBroughtForward, CardAuthorised, Event, PeriodClosed
from eventlab.domain.account.state import Account


def brought_forward(account: Account, closed: PeriodClosed) -> list[Event]:
    """All that a decision needs to know of the periods before: ``account`` as it was when they were ``closed``."""
    on = closed.last + timedelta(days=1)
    return [
        AccountOpened(account.owner, account.currency, account.overdraft_limit, account.since or on),
        closed,
        BalanceBroughtForward(account.balance, on),
        *(CardAuthorised(amount, merchant, on) for merchant, amount in account.holds.items()),
    ]
