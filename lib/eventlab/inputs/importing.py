"""``import_file``: a file of statements or orders into a store, once, all or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.inputs.cart_events import cart_events, stream
from eventlab.inputs.errors import InputError
from eventlab.inputs.mappings import AnyMapping
from eventlab.inputs.orders import OrderFile
from eventlab.inputs.overlap import Ledger
from eventlab.inputs.reading import Format, read
from eventlab.inputs.reconcile import gaps, in_time, likely, mismatches
from eventlab.inputs.report import ImportReport
from eventlab.inputs.statement_file import AccountStatement, Balance, StatementFile
from eventlab.store import EventStore, NoStream, WrongExpectedVersion

# Against another import of the same account at the same time: one of the two reads again.
_TRIES = 5
# One read of a stream takes as long as some hundred events of a pass over the whole store.
_MANY = 200


def import_file(
    path: str | Path,
    store: EventStore,
    format: Format | None = None,  # noqa: A002 (the word of the field)
    mapping: "AnyMapping | Mapping[str, object] | str | Path | None" = None,
    *,
    account: str = "",
    any_order: bool = False,
) -> ImportReport:
    """Store what the file says as events, and reconcile it. The same file again stores nothing.

    A statement goes to ``account-<number>`` (or ``account``, when the file has one account); an order to a cart of its
    own. The other arguments are those of :func:`read`. A statement that does not add up is stored and the report says
    what is wrong. Raises InputError, nothing stored, for a file that cannot be read or that does not fit
    what is stored; StoreError when the store does not work.
    """
    found = read(path, format, mapping, any_order=any_order)
    try:
        for _ in range(_TRIES - 1):
            try:
                return _store(found, store, account)
            except (WrongExpectedVersion, ValueError):  # the stream has grown, or has some of these ids by now
                continue
        return _store(found, store, account)
    except InputError as error:
        raise error.at(file=Path(path).name) from error


def _store(found: StatementFile | OrderFile, store: EventStore, account: str) -> ImportReport:
    if isinstance(found, OrderFile):
        return _store_orders(found, store)
    return _store_statements(_renamed(found, account), store)


def _renamed(file: StatementFile, account: str) -> StatementFile:
    accounts = sorted({statement.account for statement in file.statements})
    if not account:
        return file
    if len(accounts) > 1:
        raise InputError(
            f"the file has {len(accounts)} accounts ({', '.join(accounts)}), so they cannot all be {account}",
            do="Leave the account out: each is stored under its own name",
        )
    return replace(file, statements=tuple(replace(statement, account=account) for statement in file.statements))


# ── statements ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _store_statements(file: StatementFile, store: EventStore) -> ImportReport:
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
        held = self.ledger.balance(statement.currency, closing.on)
        if held == closing.amount or (not added and statement.opening):
            self._say(True)
            return
        why = likely(closing.amount - held, statement.entries)
        if statement.opening and statement.opening.amount != before:
            why = (
                f"it begins with {statement.opening.amount}, the account stood at {before}: import what lies in between"
            )
        what = f"the stored events make {held} on {closing.on}, the statement says {closing.amount}"
        self._say(False, f"{self.ledger.stream}: {what}; {why}")

    def _say(self, verdict: bool | None, *reasons: str) -> None:
        self.verdicts.append(verdict)
        self.reasons += reasons


# ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _store_orders(file: OrderFile, store: EventStore) -> ImportReport:
    new: dict[StreamId, list[NewEvent]] = {}
    stored = known = 0
    ids = _stored_ids(store, [stream(order) for order in file.orders])
    for order in file.orders:
        events = cart_events(order, file.name)
        there = ids[stream(order)]
        if not there:
            new[stream(order)] = events
            stored += len(order.lines)
        elif there == [event.id for event in events]:
            known += len(order.lines)
        else:
            raise InputError(
                f"the order {order.key} is stored already, with other lines",
                where=order.lines[0].where,
                do="An order does not change once it is a fact: give it another number, or use an empty store",
            )
    for target, events in new.items():  # each cart whole; after a crash the same file again stores the rest
        store.append(target, events, NoStream)
    lines = sum(len(order.lines) for order in file.orders)
    reason = ("orders have no balance to reconcile with",)
    streams = tuple(stream(order) for order in file.orders)
    return ImportReport(file.name, file.format, lines, stored, known, None, reason, file.notes, streams)


def _stored_ids(store: EventStore, streams: Sequence[StreamId]) -> dict[StreamId, list[UUID]]:
    """The ids of the events in each stream: stream by stream, or in one pass over the store when there are many."""
    if len(streams) <= _MANY:
        return {target: [recorded.id for recorded in store.read(target)] for target in streams}
    ids: dict[StreamId, list[UUID]] = {target: [] for target in streams}
    for recorded in store.read_all():
        if recorded.stream in ids:
            ids[recorded.stream].append(recorded.id)
    return ids
