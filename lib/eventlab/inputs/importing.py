"""``import_file``: a file of statements or orders into a store, once."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from eventlab.inputs.errors import InputError
from eventlab.inputs.mappings import AnyMapping
from eventlab.inputs.orders import OrderFile
from eventlab.inputs.reading import Format, read
from eventlab.inputs.report import ImportReport
from eventlab.inputs.statement_csv import nameless
from eventlab.inputs.statement_file import StatementFile
from eventlab.inputs.store_orders import store_orders
from eventlab.inputs.store_statements import store_statements
from eventlab.store import EventStore, WrongExpectedVersion

# Against another import of the same account at the same time: one of the two reads again.
_TRIES = 5


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
    what is stored; StoreError when the store does not work: then the same file again stores what is missing.
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
        return store_orders(found, store)
    return store_statements(_renamed(found, account), store)


def _renamed(file: StatementFile, account: str) -> StatementFile:
    accounts = sorted({statement.account for statement in file.statements})
    if not account:
        return file
    if len(accounts) > 1:
        raise InputError(
            f"the file has {len(accounts)} accounts ({', '.join(accounts)}), so they cannot all be {account}",
            do="Leave the account out: each is stored under its own name",
        )
    notes = tuple(note for note in file.notes if note not in map(nameless, accounts))
    renamed = tuple(replace(statement, account=account) for statement in file.statements)
    return replace(file, statements=renamed, notes=notes)
