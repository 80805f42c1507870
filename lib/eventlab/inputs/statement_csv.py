"""Bank statements in CSV, by a mapping or by the columns of a known bank."""

import re
from collections.abc import Sequence
from datetime import date, datetime

from eventlab.domain.money import Money
from eventlab.inputs.amounts import DecimalMark, decimal_mark, parse_amount
from eventlab.inputs.errors import InputError
from eventlab.inputs.mappings import StatementMapping
from eventlab.inputs.statement_file import AccountStatement, Balance, Entry, StatementFile, checked, oldest_first
from eventlab.inputs.table import Row, Table, labelled, rows

FORMAT = "csv"
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")


def read(table: Table, mapping: StatementMapping, name: str, any_order: bool = False) -> StatementFile:
    """The statements in the table, one for each account. Raises InputError, naming line and column."""
    lines = [row for row in rows(table, mapping.footer) if _wanted(row, mapping)]
    mark = mapping.decimal or _mark(lines, mapping)
    by_account: dict[str, list[Row]] = {}
    for row in lines:
        by_account.setdefault(_account(row, mapping, table), []).append(row)
    if not by_account:
        raise InputError("there is a header, but no booked line below it", do="Export a period with bookings")
    statements = tuple(
        _statement(account, own, mapping, mark, any_order or mapping.any_order) for account, own in by_account.items()
    )
    notes = [f"read as {table.name}"] if table.name else []
    notes += [nameless(account) for account in by_account if account in (table.name, FORMAT)]
    return StatementFile(name, FORMAT, statements, tuple(notes))


def nameless(called: str) -> str:
    """The note on a file that does not say whose statement it is."""
    return f"the file does not name its account, so it is called {called}; account=… (--account) names it"


def _wanted(row: Row, mapping: StatementMapping) -> bool:
    """Whether the row is a booking: not pending, and not the opening balance that some banks put in front."""
    if any(row[column] not in values for column, values in mapping.only.items()):
        return False
    has_amount = any(row[column] for column in (mapping.amount, mapping.debit, mapping.credit))
    if not has_amount and not row[mapping.balance]:
        raise InputError("there is no amount", where=row.where(mapping.amount or mapping.debit), do="Check that line")
    return has_amount


def _mark(lines: Sequence[Row], mapping: StatementMapping) -> DecimalMark | None:
    """The decimal mark that all amounts of the file agree on."""
    columns = (mapping.amount, mapping.debit, mapping.credit, mapping.fee, mapping.balance)
    try:
        return decimal_mark(row[column] for row in lines for column in columns)
    except InputError as error:
        raise error.at(where=f"columns {', '.join(repr(column) for column in columns if column)}") from error


def _account(row: Row, mapping: StatementMapping, table: Table) -> str:
    named = " ".join(f"{mapping.account} {row[mapping.account_column]}".split())
    if named:
        return named.replace(" ", "") if _IBAN.fullmatch(named) else named
    ibans = {found.replace(" ", "") for cells in table.preamble for cell in cells for found in _IBAN.findall(cell)}
    return ibans.pop() if len(ibans) == 1 else table.name or FORMAT


def _statement(
    account: str, lines: Sequence[Row], mapping: StatementMapping, mark: DecimalMark | None, any_order: bool
) -> AccountStatement:
    currency = lines[0][mapping.currency_column] or mapping.currency
    ordered = oldest_first([_entry(row, mapping, mark) for row in lines], any_order)
    first, last = ordered[0], ordered[-1]
    opening = closing = None
    if first.balance is not None and last.balance is not None:
        opening, closing = Balance(first.balance - first.amount, first.booked), Balance(last.balance, last.booked)
    elif stated := labelled(lines[0].table.preamble, mapping.closing):
        closing = Balance(_money(stated, currency, mark, f"above the header, {mapping.closing}"), last.booked)
    between = sorted({lines[0].line, lines[-1].line})
    where = f"line{'s' * (len(between) - 1)} {' to '.join(map(str, between))}"
    return checked(AccountStatement(account, currency, ordered, opening, closing, where))


def _entry(row: Row, mapping: StatementMapping, mark: DecimalMark | None) -> Entry:
    currency = row[mapping.currency_column] or mapping.currency
    amount = _amount(row, mapping, currency, mark)
    texts = [row[column] for column in mapping.text]
    if row[mapping.fee]:  # the balance beside the line is after both
        fee = _money(row[mapping.fee], currency, mark, row.where(mapping.fee))
        amount -= fee
        texts += [f"fee {fee}"] if fee.minor else []
    balance = row[mapping.balance]
    return Entry(
        booked=_day(row, mapping.date, mapping.date_format),
        amount=amount,
        text=" · ".join(" ".join(text.split()) for text in dict.fromkeys(texts) if text),
        counterparty=" ".join(row[mapping.counterparty].split()),
        reference=row[mapping.reference],
        bank_id=row[mapping.id],
        value_date=_day(row, mapping.value_date, mapping.date_format) if row[mapping.value_date] else None,
        balance=_money(balance, currency, mark, row.where(mapping.balance)) if balance else None,
        where=row.where(),
    )


def _amount(row: Row, mapping: StatementMapping, currency: str, mark: DecimalMark | None) -> Money:
    if mapping.amount:
        amount = _money(row[mapping.amount], currency, mark, row.where(mapping.amount))
        return -amount if row[mapping.direction] in mapping.outgoing and mapping.direction else amount
    debit, credit = row[mapping.debit], row[mapping.credit]
    if debit and credit:
        raise InputError("there is a debit and a credit", where=row.where(mapping.debit), do="Check that line")
    if credit:
        return _money(credit, currency, mark, row.where(mapping.credit))
    taken = _money(debit, currency, mark, row.where(mapping.debit))  # printed with or without a minus
    return taken if taken.minor < 0 else -taken


def _money(text: str, currency: str, mark: DecimalMark | None, where: str) -> Money:
    try:
        return parse_amount(text, currency, mark)
    except ValueError as error:
        raise InputError(str(error), where=where, do="Check the column of the currency") from error
    except InputError as error:
        raise error.at(where=where) from error


def _day(row: Row, column: str, forms: Sequence[str]) -> date:
    for form in forms:
        try:
            return datetime.strptime(row[column], form).date()  # noqa: DTZ007 the bank's own day, not a moment
        except ValueError:
            continue
    raise InputError(
        f"{row[column]!r} is not a date of the form {' or '.join(forms)}",
        where=row.where(column),
        do="Check that line, or name the right date_format in a mapping",
    )
