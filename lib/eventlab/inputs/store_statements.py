"""Statements into a store: what is new becomes events, and every balance that is stated is checked."""

from collections.abc import Iterable

from eventlab.domain.money import Money
from eventlab.inputs.overlap import Ledger
from eventlab.inputs.reconcile import gaps, in_time, likely, mismatches
from eventlab.inputs.report import ImportReport
from eventlab.inputs.statement_file import AccountStatement, Balance, StatementFile
from eventlab.store import EventStore, NoStream


def store_statements(file: StatementFile, store: EventStore) -> ImportReport:
    """Store what is new in the file; all accounts are checked before the first is stored. Raises InputError."""
    by_account: dict[str, list[AccountStatement]] = {}
    for statement in file.statements:
        by_account.setdefault(statement.account, []).append(statement)
    checks = [_Check(Ledger(store, account), file.name) for account in by_account]
    for check, statements in zip(checks, by_account.values(), strict=True):
        check.run(in_time(statements))
    for ledger in (check.ledger for check in checks):  # nothing is stored before everything is checked
        if ledger.pending:
            store.append(ledger.stream, ledger.pending, ledger.version or NoStream)
    reasons = tuple(reason for check in checks for reason in check.reasons)
    return ImportReport(
        file.name,
        file.format,
        len(file.entries),
        sum(check.stored for check in checks),
        sum(check.known for check in checks),
        _all(verdict for check in checks for verdict in check.verdicts),
        reasons,
        (*file.notes, *(note for check in checks for note in check.notes)),
        tuple(check.ledger.stream for check in checks),
    )


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    said = set(verdicts)
    return False if False in said else None if None in said else True


class _Check:
    """One account's part of an import: what is new, and whether everything adds up."""

    def __init__(self, ledger: Ledger, file: str) -> None:
        self.ledger, self._file = ledger, file
        self.stored = self.known = 0
        self.verdicts: list[bool | None] = []
        self.reasons: list[str] = []
        self.notes: list[str] = []

    def run(self, statements: list[AccountStatement]) -> None:
        """Take the statements of the account, oldest first."""
        for statement in statements:
            self._take(statement)
        if found := gaps(statements):
            self._say(False, *found)

    def _take(self, statement: AccountStatement) -> None:
        computed_back = self._open(statement)
        last = self.ledger.last
        new = self.ledger.new(statement)
        begins_with = self.ledger.balance(statement.currency)
        for entry, id_ in new:
            self.ledger.add(entry, id_, self._file)
        zeros = sum(entry.amount.minor == 0 for entry in statement.entries)
        self.stored += len(new)
        self.known += len(statement.entries) - len(new) - zeros
        if zeros:
            self.notes.append(f"{statement.where}: entries of zero, left out: {zeros}")
        late = sum(last is not None and entry.booked < last for entry, _ in new)
        if late:
            self.notes.append(f"{statement.where}: entries booked before {last}, the last day stored so far: {late}")
        self._judge(statement, bool(new), computed_back, begins_with)

    def _open(self, statement: AccountStatement) -> bool:
        """Begin an account that is new. True when its opening balance had to be computed back from the closing one."""
        if not self.ledger.empty:
            return False
        if statement.opening:
            first = min([statement.opening.on, *(entry.booked for entry in statement.entries)])
            self.ledger.open(Balance(statement.opening.amount, first), self._file)
            return False
        if statement.closing is None:
            return False
        closing = statement.closing
        booked = sum(
            (entry.amount for entry in statement.entries if entry.booked <= closing.on), Money(0, statement.currency)
        )
        self.ledger.open(Balance(closing.amount - booked, statement.first or closing.on), self._file)
        return True

    def _judge(self, statement: AccountStatement, added: bool, computed_back: bool, before: Money) -> None:
        if found := mismatches(statement):
            self._say(False, *found)
        elif computed_back:
            self._say(
                None,
                f"{statement.where}: states no opening balance, so it was computed back from the closing one; there is "
                "nothing to check yet; the next file is checked against it",
            )
        elif statement.closing is None:
            start = "" if self.ledger.has_opening else ", and the account begins at zero"
            self._say(None, f"{statement.where}: states no balance, so there is nothing to check{start}")
        else:
            self._judge_stored(statement, statement.closing, added, before)

    def _judge_stored(self, statement: AccountStatement, closing: Balance, added: bool, before: Money) -> None:
        """Compare the closing balance with what is stored up to that day."""
        # With an opening balance the closing one is that of all entries, also of those that are dated after it.
        until = max(closing.on, statement.last or closing.on) if statement.opening else closing.on
        held = self.ledger.balance(statement.currency, until)
        if held == closing.amount or (not added and statement.opening):
            self._say(True)
            return
        why = likely(closing.amount - held, statement.entries)
        if statement.opening and statement.opening.amount != before:
            why = (
                f"it begins with {statement.opening.amount}, the account stood at {before}: import what lies in between"
            )
        what = f"the stored events make {held} on {until}, the statement says {closing.amount}"
        self._say(False, f"{self.ledger.stream}: {what}; {why}")

    def _say(self, verdict: bool | None, *reasons: str) -> None:
        self.verdicts.append(verdict)
        self.reasons += reasons
