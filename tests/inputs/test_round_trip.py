"""What is written in a format is read back as it was meant, in every format and spelling."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.inputs import writers
from tests.inputs.statements import ACCOUNT, statement, statements

from eventlab.domain.money import Money
from eventlab.inputs import AccountStatement, Entry, StatementFile, mismatches, read

# The file of one example is overwritten by the next: nothing is shared that matters.
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def back(tmp_path: Path, data: bytes, expected_format: str) -> AccountStatement:
    path = tmp_path / "statement"
    path.write_bytes(data)
    found = read(path)
    assert isinstance(found, StatementFile)
    assert found.format == expected_format
    (statement,) = found.statements
    assert not mismatches(statement)
    return statement


NO_UMLAUTS = str.maketrans("ÄÖÜäöüßé", "AOUaouse")


def bare(entries: tuple[Entry, ...]) -> list[Entry]:
    return [replace(entry, where="", balance=None) for entry in entries]


def with_ids(statement: AccountStatement) -> AccountStatement:
    entries = tuple(replace(entry, bank_id=f"ID{n}") for n, entry in enumerate(statement.entries))
    return replace(statement, entries=entries)


@quick
@given(meant=statements(), write=st.sampled_from([writers.ofx1, writers.ofx2]))
def test_ofx(tmp_path: Path, meant: AccountStatement, write: Callable[[AccountStatement], bytes]) -> None:
    meant = with_ids(meant)
    read_back = back(tmp_path, write(meant), "ofx")
    assert bare(read_back.entries) == bare(meant.entries)
    assert (read_back.account, read_back.opening, read_back.closing) == (ACCOUNT, None, meant.closing)


@quick
@given(meant=statements())
def test_mt940(tmp_path: Path, meant: AccountStatement) -> None:
    # MT940 says nothing about its encoding, which can only be guessed: Ä alone may be Ž.
    plain = [replace(e, value_date=e.booked, text=e.text.translate(NO_UMLAUTS)) for e in meant.entries]
    meant = replace(meant, entries=tuple(plain))
    read_back = back(tmp_path, writers.mt940(meant), "mt940")
    assert bare(read_back.entries) == bare(meant.entries)
    assert (read_back.account, read_back.opening, read_back.closing) == (ACCOUNT, meant.opening, meant.closing)


VERSIONS = [f"001.{n:02}" for n in range(2, 14)]


@quick
@given(meant=statements(), version=st.sampled_from(VERSIONS), prefix=st.sampled_from(["", "ns2", "camt"]))
def test_camt053(tmp_path: Path, meant: AccountStatement, version: str, prefix: str) -> None:
    meant = with_ids(meant)
    read_back = back(tmp_path, writers.camt053(meant, version, prefix), "camt053")
    assert bare(read_back.entries) == bare(meant.entries)
    assert (read_back.account, read_back.opening, read_back.closing) == (ACCOUNT, meant.opening, meant.closing)


def german(amount: Decimal) -> str:
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))


def swiss(amount: Decimal) -> str:
    return f"{amount:,.2f}".replace(",", "'")


def american(amount: Decimal) -> str:
    return f"({-amount:,.2f})" if amount < 0 else f"{amount:,.2f}"


def french(amount: Decimal) -> str:
    return f"{amount:,.2f}".replace(",", "\u202f").replace(".", ",").replace("-", "−")


def trailing_minus(amount: Decimal) -> str:
    return f"{abs(amount):.2f}{'-' if amount < 0 else ''}"


@quick
@given(
    meant=statements(min_size=1),
    spelling=st.sampled_from(
        [(german, ";", "cp1252"), (german, "\t", "utf-8"), (swiss, ",", "utf-16"), (american, ",", "utf-8-sig"),
         (french, ";", "utf-8"), (trailing_minus, "|", "utf-16-le"), (german, ";", "cp850")]
    ),
    newest_first=st.booleans(),
)  # fmt: skip
def test_csv(
    tmp_path: Path, meant: AccountStatement, spelling: tuple[Callable[[Decimal], str], str, str], newest_first: bool
) -> None:
    write, delimiter, encoding = spelling
    data = writers.plain_csv(meant, delimiter, write, encoding, newest_first)
    read_back = back(tmp_path, data, "csv")
    assert [entry.amount for entry in read_back.entries] == [entry.amount for entry in meant.entries]
    assert [entry.booked for entry in read_back.entries] == [entry.booked for entry in meant.entries]
    assert [entry.balance for entry in read_back.entries] == [entry.balance for entry in meant.entries]
    if not encoding.startswith("cp"):  # which one-byte encoding it is can only be guessed
        assert [entry.text for entry in read_back.entries] == [entry.text for entry in meant.entries]
    assert read_back.opening
    assert meant.opening
    assert read_back.opening.amount == meant.opening.amount
    assert read_back.closing == meant.closing


@pytest.mark.parametrize("sign", [1, -1])
def test_reversals_keep_their_direction(tmp_path: Path, sign: int) -> None:
    taken_back = Entry(date(2026, 3, 5), Money(sign * 1240, "EUR"), "taken back", kind="correction")
    meant = statement((taken_back,))
    for data, expected_format in ((writers.mt940(meant), "mt940"), (writers.camt053(meant), "camt053")):
        (entry,) = back(tmp_path, data, expected_format).entries
        assert (entry.kind, entry.amount) == ("correction", taken_back.amount)
