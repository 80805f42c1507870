"""What every statement format is read into: accounts, balances and entries, before they become events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Literal

from eventlab.domain.money import Money
from eventlab.inputs.errors import InputError

Kind = Literal["payment", "transfer", "fee", "interest", "correction"]
"""What the bank calls an entry: ``correction`` takes back an earlier one, ``payment`` is all the rest."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a statement. ``amount`` is signed; ``bank_id`` is the bank's own name for it, empty if there is none.

    ``balance`` is what the bank prints beside the line; ``where`` is its place in the file, for messages.
    """

    booked: date
    amount: Money
    text: str = ""
    counterparty: str = ""
    reference: str = ""
    bank_id: str = ""
    value_date: date | None = None
    kind: Kind = "payment"
    balance: Money | None = None
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Balance:
    """What the account held on a day, as the bank states it."""

    amount: Money
    on: date


@dataclass(frozen=True, slots=True)
class AccountStatement:
    """One statement of one account, oldest entry first. A balance that the file does not state is None."""

    account: str
    currency: str
    entries: tuple[Entry, ...]
    opening: Balance | None = None
    closing: Balance | None = None
    where: str = field(default="", compare=False)

    @property
    def first(self) -> date | None:
        """The earliest day that the statement speaks of; None when it is empty."""
        return min(self._days, default=None)

    @property
    def last(self) -> date | None:
        """The latest day that the statement speaks of; None when it is empty."""
        return max(self._days, default=None)

    @property
    def _days(self) -> list[date]:
        balances = [balance.on for balance in (self.opening, self.closing) if balance]
        return [entry.booked for entry in self.entries] + balances

    @property
    def total(self) -> Money:
        """The sum of all entries."""
        return sum((entry.amount for entry in self.entries), Money(0, self.currency))


@dataclass(frozen=True, slots=True)
class StatementFile:
    """All statements of a file, in the order of the file. ``notes`` say how doubtful things were read."""

    name: str
    format: str
    statements: tuple[AccountStatement, ...]
    notes: tuple[str, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries of all statements."""
        return tuple(entry for statement in self.statements for entry in statement.entries)

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.format}, {len(self.statements)} statements, {len(self.entries)} entries"]
        for statement in self.statements:
            opening = statement.opening.amount if statement.opening else "?"
            closing = statement.closing.amount if statement.closing else "?"
            lines.append(f"  {statement.account}: {len(statement.entries)} entries, {opening} → {closing}")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def checked(statement: AccountStatement) -> AccountStatement:
    """The statement. Raises InputError for mixed currencies, a period that ends before it begins, and repeated ids."""
    try:
        Money(0, statement.currency)
    except ValueError as error:
        raise InputError(str(error), where=statement.where, do="Check the currency of the file") from error
    for place, amount in _amounts(statement):
        if amount.currency != statement.currency:
            raise InputError(
                f"{amount} in a statement in {statement.currency}: currencies do not mix in one account",
                where=place,
                do="Export one account in one currency at a time",
            )
    if statement.opening and statement.closing and statement.closing.on < statement.opening.on:
        raise InputError(
            f"the closing balance of {statement.closing.on} is dated before the opening one of {statement.opening.on}",
            where=statement.where,
            do="The dates are out of order: export the statement again",
        )
    seen: dict[tuple[str, date, Money], str] = {}
    for entry in statement.entries:
        if not entry.bank_id:
            continue
        # Banks reuse an id for a fee or a refund that belongs to a payment; with day and amount it must be unique.
        key = (entry.bank_id, entry.booked, entry.amount)
        if key in seen:
            raise InputError(
                f"the id {entry.bank_id!r} of {entry.amount} on {entry.booked} was there before, in {seen[key]}",
                where=entry.where,
                do="Remove the line that is there twice, or export the file again",
            )
        seen[key] = entry.where
    return statement


def _amounts(statement: AccountStatement) -> Iterable[tuple[str, Money]]:
    for balance in (statement.opening, statement.closing):
        if balance:
            yield statement.where, balance.amount
    for entry in statement.entries:
        yield entry.where, entry.amount


def oldest_first(entries: Sequence[Entry], any_order: bool) -> tuple[Entry, ...]:
    """The entries with the oldest first, for files that begin with the newest too.

    Where each line has a balance and they follow from each other, they prove the order, whatever the days say. With
    ``any_order`` mixed days are sorted. Raises InputError, naming the line, for mixed days without either.
    """
    upwards, downwards = tuple(entries), tuple(reversed(entries))
    if _chains(upwards):
        return upwards
    if _chains(downwards):
        return downwards
    rising = [later.booked >= earlier.booked for earlier, later in pairwise(entries)]
    falling = [later.booked <= earlier.booked for earlier, later in pairwise(entries)]
    if all(rising):
        return upwards
    if all(falling):
        return downwards
    mostly_rising = sum(rising) >= sum(falling)
    if any_order:
        return tuple(sorted(upwards if mostly_rising else downwards, key=lambda entry: entry.booked))
    n = (rising if mostly_rising else falling).index(False)
    raise InputError(
        f"{entries[n + 1].booked} comes after {entries[n].booked}: the dates are out of order",
        where=entries[n + 1].where,
        do="Check that line. If your bank writes its files like this, allow it (any_order=True, on the command line "
        "--any-order): the lines are then sorted by day",
    )


def _chains(entries: Sequence[Entry]) -> bool:
    """Whether each printed balance is the one before plus the amount (and there are two at least)."""
    return len(entries) > 1 and all(
        earlier.balance is not None
        and later.balance is not None
        and earlier.balance.currency == later.amount.currency
        and earlier.balance + later.amount == later.balance
        for earlier, later in pairwise(entries)
    )
