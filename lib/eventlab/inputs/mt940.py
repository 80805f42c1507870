"""MT940, the SWIFT customer statement, in the dialects of banks: read with the library mt-940, made stricter.

The library takes what it can match and drops the rest: "12.50" becomes 12, a balance "1.234,56" becomes 1. Here what
does not fit whole is an error. One message (``:20:`` to ``:62:``) becomes one statement; the pages of a long
statement (``:60M:``, ``:62M:``) are statements that continue each other.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from mt940 import Options, tags
from mt940.models import Transactions

from eventlab.domain.money import Money
from eventlab.inputs.errors import InputError
from eventlab.inputs.statement_file import AccountStatement, Balance, Entry, Kind, StatementFile, checked, oldest_first

FORMAT = "mt940"
_AGAIN = "Export the statement again"

_TAG = re.compile(r":(\d{2}[A-Z]?|NS):")
# What ends a message: "-", in SWIFT's blocks "-}", at some banks "--", "-XXX" or "-@@"; a bank's own lines may follow.
_END_OF_MESSAGE = re.compile(r"-(\}.*|-?|X+|@@)?\s*")
# A structured :86: uses "?" for its subfields; other separators have been seen in Poland and Austria.
_SEPARATED = re.compile(r"^\d{3}(?P<separator>[<>~^@|\xac])\d{2}[\s\S]*")
# The code words of an :86: in the Dutch and SWIFT style: /TRTP/…/IBAN/…/NAME/…/REMI/…/EREF/…
_WORDS = (
    "TRTP", "IBAN", "BIC", "NAME", "REMI", "EREF", "MARF", "CSID", "BENM", "ORDP", "CNTP", "PREF", "ISDT", "RTRN",
    "PURP", "ULTB", "ULTD", "SVCL", "OCMT", "CHGS", "EXCH",
)  # fmt: skip
_WORD = re.compile(rf"/({'|'.join(_WORDS)})/")
_NO_REFERENCE = {"", "NONREF", "NOREF", "EREF", "PREF", "MARF", "NOTPROVIDED", "KEINE ANGABE"}
# Transaction types of SWIFT (:61: subfield 6) and business codes of German banks (first figures of :86:).
_FEES, _INTEREST, _TRANSFERS = {"CHG", "COM", "BRF"}, {"INT"}, {"TRF", "STO"}
_GERMAN_FEES, _GERMAN_INTEREST = {"807", "808", "809", "810", "811"}, {"814"}
_GERMAN_TRANSFERS = {"020", "051", "052", "116", "117", "119", "152", "153", "154", "155", "156", "166", "168", "177"}

logging.getLogger("mt940").setLevel(logging.CRITICAL)  # what the library logs is raised here, as InputError


def _whole(tag: type[tags.Tag]) -> tags.Tag:
    """The library's balance tag, made to fit to the last character. It keeps its name, by which results are stored."""
    strict: type[tags.Tag] = type(tag.__name__, (tag,), {"pattern": tag.pattern.replace(".{3}", "[A-Z]{3}") + r"\s*$"})
    return strict()


class Statement(tags.Statement):
    """A ``:61:``: its amount ends where the type begins, references may be longer than SWIFT allows."""

    pattern = r"""^
    (?P<year>\d{2})(?P<month>\d{2})(?P<day>\d{2})  # value date
    (?P<entry_month>\d{2}|\s{2})?(?P<entry_day>\d{2}|\s{2})?  # booking date, without the year
    (?P<status>R?[DC])  # debit or credit, R for the reversal of it
    (?P<funds_code>[A-Z])?  # third letter of the currency
    [\n ]?  # some banks wrap the line here
    (?P<amount>\d{1,15},?\d{0,4})
    (?P<id>[A-Z][A-Z0-9 ]{3})  # transaction type
    (?P<customer_reference>((?!//)[^\n])*)
    (//(?P<bank_reference>[^\n]*))?
    (\n(?P<extra_details>[\s\S]*))?
    $"""


_TAGS: dict[int | str, tags.Tag] = {
    "60F": _whole(tags.FinalOpeningBalance),
    "60M": _whole(tags.IntermediateOpeningBalance),
    60: _whole(tags.OpeningBalance),
    "62F": _whole(tags.FinalClosingBalance),
    "62M": _whole(tags.IntermediateClosingBalance),
    62: _whole(tags.ClosingBalance),
    61: Statement(),
}


class _Field(NamedTuple):
    """One tag with its value and the line on which it stands."""

    tag: str
    value: str
    line: int

    @property
    def text(self) -> str:
        return f":{self.tag}:{self.value}"


def looks_like(head: str) -> bool:
    """Whether a file that begins with ``head`` is MT940."""
    return (
        re.search(r"^:20:", head, re.MULTILINE) is not None
        and re.search(r"^:(25|28|60)", head, re.MULTILINE) is not None
    )


def read(text: str, name: str, any_order: bool = False) -> StatementFile:
    """The statements of an MT940 file. Raises InputError, naming the line."""
    statements = tuple(_statement(message, any_order) for message in _messages(text))
    if not statements:
        raise InputError("there is no message (:20:) in this file", do="Check that it is MT940")
    return StatementFile(name, FORMAT, statements)


def _messages(text: str) -> Iterator[list[_Field]]:
    """The fields of each message, without what surrounds it and without what is said about it after its end."""
    message: list[_Field] = []
    closed = False
    for field in _fields(text):
        if field.tag == "20":
            if message:
                yield message
            message, closed = [field], False
        elif message and not (closed and field.tag == "86"):  # then it is about the statement, not its last entry
            message.append(field)
            closed = closed or field.tag.startswith("62")
    if message:
        yield message


def _fields(text: str) -> Iterator[_Field]:
    tag, lines, start = "", [""], 0
    # Some banks break the line inside the tag: ":" on one line, "86:…" on the next.
    for number, raw in enumerate(re.sub(r"^:\n(?=\d{2}[A-Z]?:)", "\n:", text, flags=re.MULTILINE).split("\n"), start=1):
        line = raw.rstrip()
        if found := _TAG.match(line):
            if tag:
                yield _Field(tag, "\n".join(lines), start)
            tag, lines, start = found[1], [line[found.end() :]], number
        elif _END_OF_MESSAGE.fullmatch(line):
            if tag:
                yield _Field(tag, "\n".join(lines), start)
            tag = ""
        elif line and tag:
            lines.append(line)
    if tag:
        yield _Field(tag, "\n".join(lines), start)


def _statement(fields: Sequence[_Field], any_order: bool) -> AccountStatement:
    where = f"line {fields[0].line}, field 20"
    tag_names = {field.tag[:2] for field in fields}
    for needed, what in (("25", "account"), ("60", "opening balance"), ("62", "closing balance")):
        if needed not in tag_names:
            raise InputError(
                f"the message has no {what} (:{needed}…:)",
                where=where,
                do=f"The file is cut off or not MT940. {_AGAIN}",
            )
    message = _parsed(fields)
    lines = [field for field in fields if field.tag == "61"]
    try:
        opening, closing = _balance(message, "opening"), _balance(message, "closing")
        currency = opening.amount.currency
        entries = [
            _entry(transaction.data, currency, f"line {field.line}, field 61")
            for transaction, field in zip(message.transactions, lines, strict=True)
        ]
    except ValueError as error:
        raise InputError(str(error), where=where, do=_AGAIN) from error
    account = _account(message.data["account_identification"], currency)
    return checked(AccountStatement(account, currency, oldest_first(entries, any_order), opening, closing, where))


def _parsed(fields: Sequence[_Field]) -> Transactions:
    message = Transactions(tags=_TAGS, options=Options.all())
    try:
        message.parse("\n".join(_with_question_marks(field) for field in fields))
    except (RuntimeError, ValueError, ArithmeticError) as error:
        raise _trouble(fields) from error
    return message


def _with_question_marks(field: _Field) -> str:
    return f":86:{_SEPARATED.sub(_as_question_marks, field.value)}" if field.tag == "86" else field.text


def _as_question_marks(found: re.Match[str]) -> str:
    return found[0].replace(found["separator"], "?")


def _trouble(fields: Sequence[_Field]) -> InputError:
    """The first field that cannot be read on its own."""
    for field in fields:
        try:
            Transactions(tags=_TAGS, options=Options.all()).parse(field.text)
        except (RuntimeError, ValueError, ArithmeticError) as error:
            what = f"the date in {field.value!r} does not exist" if isinstance(error, ValueError) else ""
            return InputError(
                what or f"{field.value!r} does not have the form that MT940 gives this field",
                where=f"line {field.line}, field {field.tag}",
                do=f"Amounts have a comma and no thousands, dates are YYMMDD. {_AGAIN}",
            )
    return InputError("the message cannot be read", where=f"line {fields[0].line}", do=_AGAIN)


def _balance(message: Transactions, which: str) -> Balance:
    for name in (f"final_{which}_balance", f"intermediate_{which}_balance", f"{which}_balance"):
        if name in message.data:
            read = message.data[name]
            return Balance(Money.of(read.amount.amount, read.amount.currency.upper()), _plain(read.date))
    raise InputError(f"the message has no {which} balance", do=_AGAIN)


def _account(text: str, currency: str) -> str:
    """The account without the slash that some banks write before it, and the currency that others write behind it."""
    return text.strip().lstrip("/").removesuffix(currency).strip()


def _entry(data: dict[str, Any], currency: str, where: str) -> Entry:
    try:
        amount = Money.of(data["amount"].amount, currency)
    except ValueError as error:
        raise InputError(str(error), where=where, do=_AGAIN) from error
    text, counterparty, reference = _details(data)
    return Entry(
        booked=_plain(data.get("entry_date") or data["date"]),
        amount=amount,
        text=text,
        counterparty=counterparty,
        reference=reference or _reference(data.get("customer_reference")) or _reference(data.get("bank_reference")),
        value_date=_plain(data["date"]),
        kind=_kind(data),
        where=where,
    )


def _plain(day: date) -> date:
    """The library's dates are of a class of their own."""
    return date(day.year, day.month, day.day)


def _reference(text: str | None) -> str:
    text = " ".join((text or "").split())
    return "" if text.upper() in _NO_REFERENCE else text


def _details(data: dict[str, Any]) -> tuple[str, str, str]:
    """Text, counterparty and reference of an entry: from subfields, from code words, or the text as it is."""
    free = data.get("transaction_details")
    if free is None:  # structured with ?00, ?20, …
        parts = [data.get("posting_text"), data.get("purpose"), data.get("additional_purpose")]
        names = [data.get("recipient_name"), data.get("applicant_name")]
        return _line(*parts), _line(*names), _reference(data.get("end_to_end_reference"))
    pieces = _WORD.split("".join(free.splitlines()) if _WORD.search(free) else free)
    said = {
        word: value.strip("/ ") for word, value in zip(pieces[1::2], pieces[2::2], strict=True) if value.strip("/ ")
    }
    if not said:
        return _line(free, data.get("extra_details")), "", ""
    text = _line(pieces[0], said.get("TRTP"), said.get("REMI", "").removeprefix("USTD//"))
    party = said.get("NAME") or next(iter(said.get("CNTP", "").split("/")[2:]), "")  # CNTP: IBAN/BIC/name/town
    return text or _line(free), party, _reference(said.get("EREF"))


def _line(*parts: str | None) -> str:
    return " · ".join(" ".join(part.split()) for part in parts if part and part.strip())


def _kind(data: dict[str, Any]) -> Kind:
    swift, german = str(data["id"])[1:].strip().upper(), str(data.get("transaction_code") or "")
    if str(data["status"]).upper().startswith("R"):
        return "correction"
    if swift in _FEES or german in _GERMAN_FEES:
        return "fee"
    if swift in _INTEREST or german in _GERMAN_INTEREST:
        return "interest"
    return "transfer" if swift in _TRANSFERS or german in _GERMAN_TRANSFERS else "payment"
