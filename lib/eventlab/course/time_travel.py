"""The bank of lesson 04 as it would be without events: Ana's account in a table, with an audit table bolted on."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import pandas as pd
import sqlalchemy
from sqlalchemy.orm import Session

from eventlab import crud
from eventlab.domain.account import (
    Account,
    AccountClosed,
    AccountOpened,
    Corrected,
    Deposited,
    FeeCharged,
    InterestCredited,
    TransferReceived,
    TransferSent,
    Withdrawn,
)
from eventlab.events.envelope import NewEvent
from eventlab.history import Step

_KEY = "ana"


class Tables:
    """The account after everything in ``history``: one row, and an audit entry for each column that changed.

    Each event is a transaction of its own, at its own time, as if the bank had used this table all along.
    """

    def __init__(self, history: Iterable[NewEvent]) -> None:
        self._now: datetime | None = None
        self._database = crud.Database("sqlite://", clock=self._clock)
        for new in history:
            self._now = new.valid_time
            with self._database.transaction(who=_who(new.event)) as session:
                _change(session, new.event)

    def _clock(self) -> datetime:
        assert self._now is not None
        return self._now

    def row(self) -> pd.DataFrame:
        """All that the table of accounts knows."""
        columns = "owner, balance_minor, currency, overdraft_minor, status"
        return pd.read_sql(f"SELECT {columns} FROM accounts", self._database.engine)  # noqa: S608 no input

    def audit(self, first: str, last: str) -> pd.DataFrame:
        """The audit entries from one day to another, both included: ``audit("2026-03-03", "2026-03-05")``."""
        query = "SELECT at, who, column_name, old, new FROM audit ORDER BY id"
        entries = pd.read_sql(query, self._database.engine, parse_dates=["at"])
        return entries[entries["at"].dt.strftime("%Y-%m-%d").between(first, last)].reset_index(drop=True)

    def as_of(self, time: datetime) -> dict[str, str | None]:
        """The row at a time as the audit table tells it, column by column; empty before the account was there."""
        return {entry.column_name: entry.new for entry in self._database.audit() if entry.at <= time}

    def run(self, statement: str) -> None:
        """Run one SQL statement, as a nightly job or an administrator would. Raises sqlalchemy.exc.SQLAlchemyError."""
        with self._database.engine.begin() as connection:
            connection.execute(sqlalchemy.text(statement))


def versions_told(bank: Tables, steps: Sequence[Step[Account]]) -> int:
    """At how many versions the audit table tells how much the customer could spend: its balance plus overdraft."""
    told = [bank.as_of(step.time) for step in steps]
    amounts = [int(row["balance_minor"] or 0) + int(row["overdraft_minor"] or 0) for row in told]
    return sum(amount == step.state.available.minor for amount, step in zip(amounts, steps, strict=True))


def _who(event: object) -> str:
    match event:
        case FeeCharged() | InterestCredited():
            return "night job"
        case Corrected():
            return "back office"
        case _:
            return "app"


def _change(session: Session, event: object) -> None:
    """What a program without events does when this happens; most of what a bank does changes no row."""
    if isinstance(event, AccountOpened):
        crud.Account.open(session, _KEY, event.owner, event.overdraft_limit)
        return
    row = session.get_one(crud.Account, _KEY)
    match event:
        case Deposited(amount) | TransferReceived(amount) | InterestCredited(amount):
            row.deposit(amount)
        case Withdrawn(amount) | TransferSent(amount):
            row.withdraw(amount)
        case FeeCharged(amount):
            row.charge_fee(amount)
        case Corrected(amount):
            row.correct(amount)
        case AccountClosed():
            row.close()
