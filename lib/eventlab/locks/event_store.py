"""Optimistic, on a stream: the append names the version that was read; the event store refuses any other."""

from datetime import date
from typing import Any

from eventlab.domain.account import Account, Deposit, OpenAccount, decider
from eventlab.domain.decider import Decider
from eventlab.domain.money import Money
from eventlab.locks.steps import Step, Tell
from eventlab.locks.teller import Teller
from eventlab.store import execute

_CURRENCY = "EUR"
_DAY = date(2026, 3, 2)
_ATTEMPTS = 10_000  # nobody is left out, however many writers there are: this is about what that costs


def open_account(teller: Teller) -> None:
    """A row, since the schema comes with it, and the first event of the stream."""
    teller.open()
    execute(teller.store, decider, teller.account, OpenAccount("Ana and Ben", _CURRENCY, Money(0, _CURRENCY), _DAY))


def deposit(teller: Teller, amount: int, tell: Tell) -> int:
    """Pay in ``amount`` cents; gives how many attempts were in vain."""
    read: list[int] = []

    def decide(command: Any, account: Account) -> list[Any]:
        if read:
            tell(Step.REFUSED, read[-1] + amount)
        read.append(account.balance.minor)
        tell(Step.READS, read[-1])
        return decider.decide(command, account)

    watched = Decider(decider.initial, decide, decider.evolve)
    command = Deposit(Money(amount, _CURRENCY), _DAY)
    execute(teller.store, watched, teller.account, command, attempts=_ATTEMPTS)
    tell(Step.WRITES, read[-1] + amount)
    return len(read) - 1


def balance(teller: Teller) -> int:
    """What the events say, in cents."""
    events: list[Any] = [recorded.event for recorded in teller.store.read(teller.account)]
    return decider.fold(events).balance.minor
