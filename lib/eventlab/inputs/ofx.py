"""OFX 1 (SGML) and 2 (XML), and QFX: the files are read with ofxtools' parser.

Its strict conversion to the classes of the specification is not used: banks leave out what the specification asks
for, and one missing field would cost the whole file. Its header parser refuses charsets that banks do write (UTF-8 at
Nubank, for one), so the few header lines are read here. OFX states no opening balance.
"""

import html
import re
from collections.abc import Iterator
from datetime import date
from xml.etree.ElementTree import Element

from ofxtools.Parser import ParseError, TreeBuilder

from eventlab.domain.money import Money
from eventlab.inputs.amounts import parse_amount
from eventlab.inputs.errors import InputError
from eventlab.inputs.files import decode, encoding_note
from eventlab.inputs.statement_file import AccountStatement, Balance, Entry, Kind, StatementFile, checked, oldest_first

FORMAT = "ofx"
_AGAIN = "Export the statement again"

_STATEMENTS = ("STMTRS", "CCSTMTRS")  # of a bank account and of a credit card
_ACCOUNTS = ("BANKACCTFROM", "CCACCTFROM")
_CHARSETS = {"1252": "cp1252", "ISO-8859-1": "cp1252", "8859-1": "cp1252", "UTF-8": "utf-8"}
_KINDS: dict[str, Kind] = {
    "FEE": "fee", "SRVCHG": "fee", "INT": "interest", "XFER": "transfer", "DIRECTDEP": "transfer",
    "REPEATPMT": "transfer",
}  # fmt: skip
# 20260303, 20260303120000, 20260303120000.000[-5:EST]; some banks write hyphens.
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ]?[\d:.]*)?(?:\[[^\]]*\])?")


def looks_like(head: str) -> bool:
    """Whether a file that begins with ``head`` is OFX."""
    begin = head.upper()
    return begin.startswith(("OFXHEADER", "<OFX")) or (
        begin.startswith("<?") and ("<?OFX" in begin or "<OFX>" in begin)
    )


def read(data: bytes, name: str, any_order: bool = False) -> StatementFile:
    """The statements of an OFX file. Raises InputError, naming the line."""
    text, encoding = _decoded(data)
    root = _tree(text)
    found = [element for tag in _STATEMENTS for element in root.iter(tag)]
    if not found:
        raise InputError(
            "there is no bank or credit card statement (STMTRS, CCSTMTRS) in this OFX file",
            do="Export the transactions of a bank account",
        )
    statements = tuple(_statement(element, _lines(text), any_order) for element in found)
    return StatementFile(name, FORMAT, statements, encoding_note(encoding))


def _decoded(data: bytes) -> tuple[str, str]:
    """The text: UTF-8 where it is, since many banks declare another charset than they write; else as declared."""
    declared = re.search(rb"CHARSET:\s*([\w-]+)", data[:1024])
    text, encoding = decode(data)
    if encoding in ("cp1252", "cp850") and declared:
        return decode(data, _CHARSETS.get(declared[1].decode("ascii", "replace").upper(), encoding))
    return text, encoding


class _Tree(TreeBuilder):
    """ofxtools' builder, told to complain where ElementTree's stays silent: about what is never closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        if tag == "STMTTRN" and tag in self.open:
            raise ParseError("a STMTTRN begins inside another, which is not closed")
        self.open.append(tag)
        return super().start(tag, attrs)

    def end(self, tag: str) -> Element:
        """Close ``tag``, and before it the empty elements that SGML lets stand open (``<MEMO>`` without a text)."""
        if tag not in self.open:
            raise ParseError(f"</{tag}> closes what was never opened")
        while self.open[-1] != tag:
            super().end(self.open.pop())
        return super().end(self.open.pop())


def _tree(text: str) -> Element:
    begin = text.upper().find("<OFX>")
    if begin < 0:
        raise InputError("there is no <OFX> in this file", do="Check that it is OFX; the header alone is not enough")
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        raise InputError(
            "the file defines entities or a document type, which no statement needs and an attack uses",
            do="Do not import this file; ask where it comes from",
        )
    builder = _Tree()
    try:
        builder.feed(
            re.sub(r"</?[A-Za-z0-9._]+>", lambda tag: tag[0].upper(), text[begin:])
        )  # ofxtools knows capitals only
    except SyntaxError as error:  # of ofxtools and of ElementTree
        place = re.search(r"position=\[(\d+):", str(error))
        line = text.count("\n", 0, begin + int(place[1])) + 1 if place else 1
        what = str(error).split(" - position")[0].split(" in ")[0]
        raise InputError(what, where=f"line {line}", do=f"The file is damaged. {_AGAIN}") from error
    if builder.open:
        raise InputError(
            f"the file ends before {', '.join(f'</{tag}>' for tag in reversed(builder.open))}",
            where=f"line {text.rstrip().count(chr(10)) + 1}",
            do=f"It is cut off. {_AGAIN}",
        )
    root: Element = builder.close()
    return root


def _lines(text: str) -> Iterator[int]:
    """The line of each STMTTRN, in the order of the file."""
    line, before = 1, 0
    for found in re.finditer("<STMTTRN>", text, re.IGNORECASE):
        line += text.count("\n", before, found.start())
        before = found.start()
        yield line


def _said(element: Element, *tags: str) -> str:
    """The text of the first of ``tags`` that is there. Descendants count: an empty element may stand around them."""
    for tag in tags:
        for found in element.iter(tag):
            if found.text and found.text.strip():
                return " ".join(html.unescape(found.text).split())
    return ""


def _needed(element: Element, tag: str, where: str) -> str:
    text = _said(element, tag)
    if not text:
        raise InputError(f"there is no {tag}", where=where, do=f"The file is incomplete. {_AGAIN}")
    return text


def _statement(element: Element, lines: Iterator[int], any_order: bool) -> AccountStatement:
    currency = _said(element, "CURDEF").upper()
    account_element = next((found for tag in _ACCOUNTS for found in element.iter(tag)), None)
    account = _said(account_element, "ACCTID") if account_element is not None else ""
    if not account or not currency:
        what = "account (ACCTID)" if not account else "currency (CURDEF)"
        raise InputError(f"the statement names no {what}", where=element.tag, do=_AGAIN)
    entries = [
        _entry(transaction, currency, f"line {line}, STMTTRN")
        for transaction, line in zip(element.iter("STMTTRN"), lines, strict=False)
    ]
    ledger = next(element.iter("LEDGERBAL"), None)
    closing = None
    if ledger is not None:
        amount = _amount(_needed(ledger, "BALAMT", "LEDGERBAL"), currency, "LEDGERBAL")
        closing = Balance(amount, _day(_needed(ledger, "DTASOF", "LEDGERBAL"), "LEDGERBAL"))
    where = f"statement of {account}"
    return checked(AccountStatement(account, currency, oldest_first(entries, any_order), None, closing, where))


def _entry(element: Element, currency: str, where: str) -> Entry:
    if _said(element, "CORRECTFITID"):
        raise InputError(
            "this entry replaces or deletes an earlier one (CORRECTFITID), which is not supported",
            where=where,
            do="Ask your bank for a statement of what was booked",
        )
    own = _said(element, "CURSYM") if next(element.iter("CURRENCY"), None) is not None else currency
    value = _said(element, "DTUSER", "DTAVAIL")
    name, memo = _said(element, "NAME"), _said(element, "MEMO")
    return Entry(
        booked=_day(_needed(element, "DTPOSTED", where), where),
        amount=_amount(_needed(element, "TRNAMT", where), own, where),
        text=memo or name,
        counterparty=name if memo else "",
        reference=_said(element, "REFNUM", "CHECKNUM"),
        bank_id=_said(element, "FITID"),
        value_date=_day(value, where) if value else None,
        kind=_KINDS.get(_said(element, "TRNTYPE").upper(), "payment"),
        where=where,
    )


def _amount(text: str, currency: str, where: str) -> Money:
    """An OFX amount: comma or point before the decimals, both in one file at some banks."""
    try:
        return parse_amount(text, currency)
    except ValueError as error:
        raise InputError(str(error), where=where, do=_AGAIN) from error
    except InputError as error:
        raise error.at(where=where) from error


def _day(text: str, where: str) -> date:
    """The day as the bank's own clock has it: ``20260303120000[-5:EST]`` is the 3rd, wherever it is read."""
    found = _DAY.fullmatch(text)
    try:
        if found is None:
            raise ValueError("not the form of a date")
        return date(*map(int, found.groups()))
    except ValueError as error:
        raise InputError(f"{text!r} is not a date", where=where, do=f"OFX dates are YYYYMMDD. {_AGAIN}") from error
