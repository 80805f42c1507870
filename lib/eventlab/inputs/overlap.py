"""Which entries of a statement are new to an account: the same file adds nothing, an overlapping one what is new."""

from collections import Counter
from datetime import date
from uuid import UUID

from eventlab.domain.account import BalanceBroughtForward, Booking, signed
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId, Version
from eventlab.inputs.account_events import Key, booked_event, brought_forward, event_id, numbered
from eventlab.inputs.errors import InputError
from eventlab.inputs.statement_file import AccountStatement, Balance, Entry
from eventlab.store import EventStore

_SHOWN = 3


class Ledger:
    """What a store has of one account, and what an import is about to add to it.

    ``currency`` is None while the account is empty. An account with an opening balance has no place before it.
    """

    def __init__(self, store: EventStore, account: str) -> None:
        self.account = account
        self.stream = StreamId("account", account)
        self.version = Version(0)
        self.pending: list[NewEvent] = []
        self.currency: str | None = None
        self.has_opening = False
        self._ids: set[UUID] = set()
        self._opening = 0
        self._booked: Counter[tuple[date, Money]] = Counter()
        self._by_day: Counter[date] = Counter()
        for recorded in store.read(self.stream):
            self.version = recorded.version
            self._take(recorded.event, recorded.id)

    def _take(self, event: object, id: UUID) -> None:  # noqa: A002 (the word of the field)
        self._ids.add(id)
        if isinstance(event, BalanceBroughtForward):
            self.currency, self.has_opening = event.balance.currency, True
            self._opening += event.balance.minor
        elif isinstance(event, Booking):
            self.currency = event.amount.currency
            self._booked[event.on, signed(event)] += 1
            self._by_day[event.on] += signed(event).minor

    @property
    def empty(self) -> bool:
        """Whether nothing is known of the account."""
        return self.currency is None

    @property
    def first(self) -> date | None:
        """The day of the first booking."""
        return min(self._by_day, default=None)

    @property
    def last(self) -> date | None:
        """The day of the last booking."""
        return max(self._by_day, default=None)

    def balance(self, currency: str, on: date = date.max) -> Money:
        """The balance at the end of a day, as far as it is stored (or about to be)."""
        return Money(self._opening + sum(minor for day, minor in self._by_day.items() if day <= on), currency)

    def count(self, key: Key) -> int:
        """How many entries with this key there are."""
        n = 0
        while event_id(key, n + 1) in self._ids:
            n += 1
        return n

    def open(self, opening: Balance, file: str) -> None:
        """Begin the account with a balance."""
        self._add(brought_forward(self.account, opening, file))

    def add(self, entry: Entry, id: UUID, file: str) -> None:  # noqa: A002
        """Book an entry."""
        self._add(booked_event(entry, id, file))

    def _add(self, new: NewEvent) -> None:
        self.pending.append(new)
        self._take(new.event, new.id)

    def new(self, statement: AccountStatement) -> list[tuple[Entry, UUID]]:
        """The entries of ``statement`` that the account does not have, with their ids.

        Entries without an id of the bank are counted: the second coffee of a day is known when two are stored. That is
        right for every file that has whole days. A statement that begins in the middle of one (page 2 of a
        day) may bring a coffee that is not the one of page 1: then the balances decide. Where the statement goes on
        exactly from the stored balance, and only all of its entries lead to its closing balance, all are new.

        Raises InputError when that would tell the account's past anew: days before its beginning, another currency, and
        entries that are stored under other words.
        """
        self._check_currency(statement)
        entries = [entry for entry in statement.entries if entry.amount.minor]
        fresh = [pair for pair in numbered(self.account, entries, lambda _: 0) if pair[1] not in self._ids]
        if len(fresh) < len(entries) and self._goes_on(statement, fresh):
            return numbered(self.account, entries, self.count)
        self._check_beginning(fresh)
        self._check_words(statement, fresh)
        return fresh

    def _goes_on(self, statement: AccountStatement, fresh: list[tuple[Entry, UUID]]) -> bool:
        if statement.opening is None or statement.closing is None:
            return False
        held, closing = self.balance(statement.currency), statement.closing.amount
        with_fresh = sum((entry.amount for entry, _ in fresh), held)
        return held == statement.opening.amount and with_fresh != closing and held + statement.total == closing

    def _check_currency(self, statement: AccountStatement) -> None:
        if self.currency not in (None, statement.currency):
            raise InputError(
                f"the statement is in {statement.currency}, but {self.stream} is in {self.currency}",
                where=statement.where,
                do="Give this account another name (account=…, on the command line --account)",
            )

    def _check_beginning(self, fresh: list[tuple[Entry, UUID]]) -> None:
        """Nothing can come before the balance that the account begins with: it has it in it already."""
        early = [entry for entry, _ in fresh if self.has_opening and self.first and entry.booked < self.first]
        if early:
            raise InputError(
                f"{early[0].amount} on {early[0].booked} is older than the beginning of {self.stream} on {self.first}, "
                f"whose opening balance has it in it already (and so for {len(early)} in all)",
                where=early[0].where,
                do="Import the oldest file first, into an empty store (--store)",
            )

    def _check_words(self, statement: AccountStatement, fresh: list[tuple[Entry, UUID]]) -> None:
        """Refuse entries that are stored with the same day and amount under other words, unless the balances want them.

        That is what another format of the same statement looks like, and a bank that rewrites its texts.
        """
        if statement.closing and self._adds_up(statement.closing, fresh):
            return
        new = Counter((entry.booked, entry.amount) for entry, _ in fresh)
        stated = Counter((entry.booked, entry.amount) for entry in statement.entries)
        stored_only = {what: self._booked[what] - (stated[what] - new[what]) for what in new}
        retold = [entry for entry, _ in fresh if stored_only[entry.booked, entry.amount] > 0]
        if retold:
            shown = ", ".join(f"{entry.amount} on {entry.booked}" for entry in retold[:_SHOWN])
            raise InputError(
                f"{shown}: stored already under other words ({len(retold)} in all); this is another format of the same "
                f"statement, or the bank has changed its texts",
                where=retold[0].where,
                do=f"Export what is later than {self.last}, or import everything in one format into an empty store",
            )

    def _adds_up(self, closing: Balance, fresh: list[tuple[Entry, UUID]]) -> bool:
        due = (entry.amount for entry, _ in fresh if entry.booked <= closing.on)
        return sum(due, self.balance(closing.amount.currency, closing.on)) == closing.amount
