"""Amounts as banks and shops write them, to exact money: no float, and no guess where two readings are possible."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from eventlab.domain.money import Money
from eventlab.inputs.errors import InputError

DecimalMark = Literal[",", "."]

# One sign, blank or apostrophe stands for its relatives: no-break, thin and narrow blanks, typographic minus and quote.
_SAME = str.maketrans({"\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2212": "-", "\u2013": "-", "\u2019": "'"})
_CURRENCY = r"(?:[A-Z]{3}|[€$£¥])?"
_AMOUNT = re.compile(
    rf"(?P<open>\()?\s*{_CURRENCY}\s*(?P<before>[+-])?\s*{_CURRENCY}\s*"
    r"(?P<digits>[\d.,](?:[\d.,' ]*[\d.,])?)"
    rf"\s*(?P<after>[+-])?\s*{_CURRENCY}\s*(?P<side>CR|DR|H|S)?\s*(?P<close>\))?",
    re.ASCII,
)
_DEBIT_SIDES = {"DR", "S"}  # "S(oll)" and "H(aben)" are what German banks print for debit and credit.
_HOW = "Write amounts like 1234.56, 1.234,56, 1,234.56, 1'234.56 or 1 234,56; the sign before or after, or in brackets"
_NAME_IT = 'Name the decimal mark in the mapping: decimal = "," or decimal = "."'


def decimal_mark(amounts: Iterable[str]) -> DecimalMark | None:
    """The decimal mark that the ``amounts`` of one file prove; None when none of them has a mark at all.

    Raises InputError when they contradict each other ("1,50" and "1.50"), and when the only evidence
    has two readings ("1,234" is a thousand and more, or three decimals).
    """
    proofs: dict[str, str] = {}
    unclear = ""
    for text in amounts:
        if (mark := _proves(text)) is None:
            unclear = unclear or text
        elif mark:
            proofs.setdefault(mark, text)
    if len(proofs) > 1:
        raise InputError(f"the decimal mark is a comma in {proofs[',']!r} and a point in {proofs['.']!r}", do=_NAME_IT)
    if unclear and not proofs:
        raise InputError(f"{unclear!r} has two readings: a thousand and more, or three decimals", do=_NAME_IT)
    return ("," if "," in proofs else ".") if proofs else None


def _proves(text: str) -> str | None:
    """The decimal mark that ``text`` shows by itself; "" when it has no mark, None when it has two readings."""
    whole, mark, last = re.fullmatch(r"(.*?)(?:([.,])([^.,]*))?", text.translate(_SAME), re.DOTALL).groups()  # type: ignore[union-attr]
    if not mark:
        return ""
    if mark in whole:  # 1.234.567 can only be thousands, so decimals would take the other mark
        return "," if mark == "." else "."
    groups = re.findall(r"\d+", whole)
    plain = len(groups) == 1 and len(groups[0]) <= 3 and groups[0].strip("0") != ""
    return None if plain and not set(whole) & set(".,") and len(re.sub(r"\D", "", last)) == 3 else mark


def parse_amount(text: str, currency: str, decimal: DecimalMark | None = None) -> Money:
    """The signed money that ``text`` stands for; ``decimal`` is the file's decimal mark (None: ``text`` must prove it).

    A minus before or after, brackets, DR and S(oll) make it negative. Raises InputError for what is no amount,
    for groups that are not thousands, for two readings, and for more decimals than the currency has; ValueError for
    what is no currency.
    """
    found = _AMOUNT.fullmatch(text.translate(_SAME).strip().upper())
    if found is None or bool(found["open"]) != bool(found["close"]) or (found["before"] and found["after"]):
        raise InputError(f"{text!r} is not an amount", do=_HOW)
    mark = decimal or decimal_mark([found["digits"]])
    whole, _, fraction = (
        found["digits"].rpartition(mark) if mark and mark in found["digits"] else (found["digits"], "", "")
    )
    if not _is_grouped(whole, mark) or not (fraction or "0").isdecimal() or not (whole + fraction).strip(".,"):
        raise InputError(f"{text!r} has separators in places where no amount has them", do=_HOW)
    number = Decimal(f"{re.sub(r'[^0-9]', '', whole) or '0'}.{fraction or '0'}")
    Money(0, currency)  # a wrong currency is not a wrong amount
    negative = "-" in (found["before"], found["after"]) or found["open"] or found["side"] in _DEBIT_SIDES
    try:
        return Money.of(-number if negative else number, currency)
    except ValueError as error:
        raise InputError(f"{text!r} has more decimals than {currency} has", do=_HOW) from error


def _is_grouped(whole: str, mark: str | None) -> bool:
    """Whether ``whole`` is plain digits, or groups of three (India: two, two, three) under one separator."""
    separators = set(re.findall(r"\D", whole))
    if not separators:
        return True
    first, *middle, last = re.split(r"\D", whole)
    western = all(len(group) == 3 for group in middle)
    indian = separators == {","} and all(len(group) == 2 for group in middle)
    once = len(separators) == 1 and mark not in separators
    return once and 1 <= len(first) <= 3 and len(last) == 3 and (western or indian)
