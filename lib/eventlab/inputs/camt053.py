"""CAMT.053 (ISO 20022 bank-to-customer statement), all versions, and its sister of the same day, CAMT.052.

Read with defusedxml, not with pycamt: pycamt (1.1.1) turns balances into floats, counts a batch once for each of its
transactions, loses which entry belongs to which statement, and finds nothing in files whose elements carry a prefix.
The elements that matter here have had the same names since version 001.02, so only local names are looked at.
Codes: ISO 20022 external code sets (https://www.iso20022.org/catalogue-messages/additional-content-messages/external-code-sets).
"""

from dataclasses import replace
from datetime import date
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from eventlab.domain.money import Money
from eventlab.inputs.amounts import parse_amount
from eventlab.inputs.errors import InputError
from eventlab.inputs.statement_file import AccountStatement, Balance, Entry, Kind, StatementFile, checked, oldest_first

FORMAT = "camt053"
_STATEMENTS = {"Stmt", "Rpt"}  # of CAMT.053 and CAMT.052
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD", "ITBD")  # opening or previous closing; closing or interim, all booked
_FEES = {"CHRG", "FEES", "COMM"}
_TRANSFERS = {"ICDT", "RCDT", "IRCT", "RRCT"}
_NO_REFERENCE = {"", "NOTPROVIDED", "NONREF", "NOTAVAILABLE"}
_CHUNK = 2**16
_AGAIN = "Export the statement again"


def looks_like(head: str) -> bool:
    """Whether a file that begins with ``head`` is CAMT of one kind or another."""
    return head.startswith("<") and ("camt.05" in head or "BkToCstmr" in head)


def read(data: bytes, name: str, any_order: bool = False) -> StatementFile:
    """The statements of a CAMT.053 or CAMT.052 file. Raises InputError, naming line and element."""
    root, bookings, notes = _parse(data)
    if root.find(".//Ntfctn") is not None:
        raise InputError(
            "this is CAMT.054, a notification without balances, not a statement", do="Ask for CAMT.053 instead"
        )
    found = [element for element in root.iter() if element.tag in _STATEMENTS]
    if not found:
        raise InputError("there is no statement (Stmt) in this XML file", do="Check that it is CAMT.053")
    statements = tuple(
        _statement(element, entries, any_order, notes) for element, entries in zip(found, bookings, strict=True)
    )
    return StatementFile(name, FORMAT, statements, tuple(notes))


class _Statements(TreeBuilder):
    """Builds elements with their local names and the line on which they begin, as the attribute ``line``.

    Each Ntry is made an Entry as soon as it is complete, and emptied: a statement may have a hundred thousand.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bookings: list[list[Entry]] = []
        self.notes: list[str] = []

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        name = tag.rpartition("}")[2]
        if name in _STATEMENTS:
            self.bookings.append([])
        return super().start(name, {**attrs, "line": str(self.parser.parser.CurrentLineNumber)})

    def end(self, tag: str) -> Element:
        element = super().end(tag.rpartition("}")[2])
        if element.tag == "Ntry" and self.bookings:
            if entry := _booked(element, self.notes):
                self.bookings[-1].append(entry)
            element.clear()
        return element

    parser: DefusedXMLParser


def _parse(data: bytes) -> tuple[Element, list[list[Entry]], list[str]]:
    """The root without its entries, the entries of each statement, and notes."""
    target = _Statements()
    target.parser = parser = DefusedXMLParser(target=target, forbid_dtd=True)
    try:
        for start in range(0, len(data), _CHUNK):
            parser.feed(data[start : start + _CHUNK])
        root: Element = parser.close()
    except ParseError as error:
        line, column = error.position
        raise InputError(
            f"the XML breaks off or is damaged ({str(error.msg).split(':')[0]})",
            where=f"line {line}, column {column}",
            do=_AGAIN,
        ) from error
    except DefusedXmlException as error:
        raise InputError(
            "the XML defines entities or a document type, which no statement needs and an attack uses",
            where=f"line {parser.parser.CurrentLineNumber}",
            do="Do not import this file; ask where it comes from",
        ) from error
    except (ValueError, LookupError) as error:
        raise InputError(f"the XML cannot be decoded ({error})", do=_AGAIN) from error
    return root, target.bookings, target.notes


def _at(element: Element) -> str:
    return f"line {element.get('line')}, {element.tag}"


def _text(element: Element | None, path: str = ".") -> str:
    found = element.find(path) if element is not None else None
    return " ".join((found.text or "").split()) if found is not None else ""


def _first(element: Element, *paths: str) -> str:
    return next((text for path in paths if (text := _text(element, path))), "")


def _needed(element: Element, tag: str) -> Element:
    found = element.find(tag)
    if found is None:
        raise InputError(f"{element.tag} has no {tag}", where=_at(element), do=f"The file is incomplete. {_AGAIN}")
    return found


def _amount(element: Element) -> Money:
    """The signed amount of an entry or a balance."""
    amount, side = _needed(element, "Amt"), _text(_needed(element, "CdtDbtInd"))
    if side not in ("CRDT", "DBIT"):
        raise InputError(f"{side!r} is neither CRDT nor DBIT", where=_at(element), do=_AGAIN)
    try:
        money = parse_amount(_text(amount), amount.get("Ccy", ""), ".")
    except ValueError as error:
        raise InputError(str(error), where=_at(amount), do=_AGAIN) from error
    except InputError as error:
        raise error.at(where=_at(amount)) from error
    return money if side == "CRDT" else -money


def _day(element: Element) -> date:
    """The day of a date (``Dt``) or of a time (``DtTm``), as the bank's own clock has it."""
    text = _first(element, "Dt", "DtTm") or _text(element)
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise InputError(f"{text!r} is not a date", where=_at(element), do=_AGAIN) from error


def _statement(element: Element, entries: list[Entry], any_order: bool, notes: list[str]) -> AccountStatement:
    account = _first(element, "Acct/Id/IBAN", "Acct/Id/Othr/Id")
    if not account:
        raise InputError("the statement names no account (Acct/Id)", where=_at(element), do=_AGAIN)
    opening, closing = _balance(element, _OPENING), _balance(element, _CLOSING)
    stated = [balance.amount for balance in (opening, closing) if balance] + [entry.amount for entry in entries[:1]]
    currency = _text(element, "Acct/Ccy") or (stated[0].currency if stated else "")
    if not currency:
        raise InputError("the statement names no currency (Acct/Ccy)", where=_at(element), do=_AGAIN)
    ordered = oldest_first(entries, any_order)
    statement = AccountStatement(account, currency, ordered, opening, closing, _at(element))
    return checked(_reversals_as_meant(statement, notes))


def _balance(statement: Element, codes: tuple[str, ...]) -> Balance | None:
    stated = {_text(balance, "Tp/CdOrPrtry/Cd"): balance for balance in reversed(statement.findall("Bal"))}
    balance = next((stated[code] for code in codes if code in stated), None)
    return None if balance is None else Balance(_amount(balance), _day(_needed(balance, "Dt")))


def _booked(element: Element, notes: list[str]) -> Entry | None:
    """The entry; None, and a note, when it is pending or for information and has not moved the balance."""
    status = _first(element, "Sts/Cd", "Sts") or "BOOK"
    if status != "BOOK":
        notes.append(f"{_at(element)}: not booked yet (status {status}), left out")
        return None
    booking, value = element.find("BookgDt"), element.find("ValDt")
    day = booking if booking is not None else value
    if day is None:
        raise InputError("the entry has neither booking date nor value date", where=_at(element), do=_AGAIN)
    amount = _amount(element)
    details = element.findall("NtryDtls/TxDtls")
    only = details[0] if len(details) == 1 else element
    return Entry(
        booked=_day(day),
        amount=amount,
        text=_remittance(element, details),
        counterparty=_counterparty(only, amount),
        reference=_reference(_first(only, "Refs/EndToEndId", "Refs/MndtId", "RmtInf/Strd/CdtrRefInf/Ref")),
        bank_id=_reference(_first(element, "AcctSvcrRef") or _first(only, "Refs/AcctSvcrRef")),
        value_date=_day(value) if value is not None else None,
        kind=_kind(element),
        where=_at(element),
    )


def _reference(text: str) -> str:
    """The reference, empty for the words (or zeros) that stand for none."""
    return "" if text.upper().replace(" ", "") in _NO_REFERENCE or not text.strip("0") else text


def _remittance(entry: Element, details: list[Element]) -> str:
    lines: list[str] = []
    for detail in details:
        for path in ("RmtInf/Ustrd", "RmtInf/Strd/CdtrRefInf/Ref", "AddtlTxInf"):
            lines += [_text(part) for part in detail.findall(path)]
    count = _text(entry, "NtryDtls/Btch/NbOfTxs") or (str(len(details)) if len(details) > 1 else "")
    batch = f"batch of {count}" if count and count != "1" else ""
    lines = [batch, *lines] if any(lines) else [batch, _text(entry, "AddtlNtryInf")]
    return " · ".join(dict.fromkeys(filter(None, lines)))


def _counterparty(details: Element, amount: Money) -> str:
    sides = ("Dbtr", "Cdtr") if amount.minor > 0 else ("Cdtr", "Dbtr")
    return _first(details, *(f"RltdPties/{side}/{path}" for side in sides for path in ("Nm", "Pty/Nm")))


def _kind(entry: Element) -> Kind:
    family = _text(entry, "BkTxCd/Domn/Fmly/Cd")
    purpose = _text(entry, "BkTxCd/Domn/Fmly/SubFmlyCd")
    if _text(entry, "RvslInd").lower() in ("true", "1"):
        return "correction"
    if purpose in _FEES:
        return "fee"
    if purpose == "INTR":
        return "interest"
    return "transfer" if family in _TRANSFERS else "payment"


def _reversals_as_meant(statement: AccountStatement, notes: list[str]) -> AccountStatement:
    """The statement with its reversals signed as this bank means them.

    By the standard, CdtDbtInd is the direction of the reversal itself. Some banks leave that of the entry that is
    taken back. Only the balances can tell: the signs are turned when nothing but that makes them right.
    """
    if statement.opening is None or statement.closing is None:
        return statement
    turned = replace(
        statement,
        entries=tuple(
            replace(entry, amount=-entry.amount) if entry.kind == "correction" else entry for entry in statement.entries
        ),
    )
    wanted = statement.closing.amount - statement.opening.amount
    if statement.total == wanted or turned.total != wanted:
        return statement
    notes.append(f"{statement.where}: reversals are read with the opposite sign, since only that fits the balances")
    return turned
