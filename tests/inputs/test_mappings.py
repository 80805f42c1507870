"""CSV by a mapping: of the user, or built in."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from eventlab.domain.money import Money
from eventlab.inputs import InputError, StatementFile, read, sample
from eventlab.inputs.mappings import OrderMapping, StatementMapping, dialects, load

SIMPLE: dict[str, Any] = {"date": "When", "date_format": ["%d/%m/%Y"], "amount": "How much"}


def statement(tmp_path: Path, text: str, mapping: object) -> StatementFile:
    path = tmp_path / "bank.csv"
    path.write_text(text, encoding="utf-8")
    found = read(path, mapping=mapping)  # type: ignore[arg-type]
    assert isinstance(found, StatementFile)
    return found


def test_a_dict(tmp_path: Path) -> None:
    found = statement(tmp_path, "When;How much\n01/03/2026;-12,40\n", SIMPLE)
    assert [(e.booked, e.amount) for e in found.entries] == [(date(2026, 3, 1), Money(-1240, "EUR"))]


def test_column_names_may_differ_in_case_and_blanks(tmp_path: Path) -> None:
    assert statement(tmp_path, " when ;HOW  MUCH\n01/03/2026;1,00\n", SIMPLE).entries


def test_debit_and_credit_columns_with_or_without_a_minus(tmp_path: Path) -> None:
    mapping = {"date": "d", "date_format": ["%Y-%m-%d"], "debit": "out", "credit": "in"}
    found = statement(tmp_path, "d,out,in\n2026-03-01,12.40,\n2026-03-01,-3.00,\n2026-03-02,,5.00\n", mapping)
    assert [entry.amount.minor for entry in found.entries] == [-1240, -300, 500]
    with pytest.raises(InputError, match="a debit and a credit"):
        statement(tmp_path, "d,out,in\n2026-03-01,12.40,5.00\n", mapping)


def test_a_column_for_the_direction(tmp_path: Path) -> None:
    mapping = SIMPLE | {"direction": "Side", "outgoing": ["D", "Debit"]}
    found = statement(tmp_path, "When,How much,Side\n01/03/2026,12.40,D\n01/03/2026,12.40,C\n", mapping)
    assert [entry.amount.minor for entry in found.entries] == [-1240, 1240]


def test_only_lines_with_a_value(tmp_path: Path) -> None:
    mapping = SIMPLE | {"only": {"State": ["done"]}}
    found = statement(tmp_path, "When,How much,State\n01/03/2026,1.00,done\n01/03/2026,2.00,pending\n", mapping)
    assert [entry.amount.minor for entry in found.entries] == [100]


def test_the_decimal_mark_settles_two_readings(tmp_path: Path) -> None:
    text = 'When,How much\n01/03/2026,"-1,234"\n'
    with pytest.raises(InputError, match="two readings"):
        statement(tmp_path, text, SIMPLE)
    found = statement(tmp_path, text, SIMPLE | {"decimal": "."})
    assert found.entries[0].amount == Money(-123400, "EUR")


def test_a_toml_file() -> None:
    found = read(sample("own-bank.csv"), mapping=sample("own-bank.toml"))
    assert isinstance(found, StatementFile)
    assert found.statements[0].account == "01-2345-6"
    assert [entry.amount.minor for entry in found.entries] == [-189000, -1240, 435000]
    assert found.entries[0].value_date == date(2026, 3, 2)


def test_every_dialect_is_found_by_its_columns(tmp_path: Path) -> None:
    for name, mapping in dialects().items():
        from eventlab.inputs.table import find

        assert find(";".join(sorted(mapping.columns())) + "\n").name == name


@pytest.mark.parametrize(
    ("mapping", "what"),
    [
        ({"date": "d"}, "missing required field `date_format`"),
        (SIMPLE | {"sum": "x"}, "unknown field `sum`"),
        (SIMPLE | {"debit": "x", "credit": "y"}, "give either amount, or debit and credit"),
        (SIMPLE | {"decimal": "'"}, "decimal"),
        (SIMPLE | {"file": "letters"}, "letters"),
        ("nobank", "no mapping 'nobank'"),
    ],
)
def test_a_wrong_mapping_is_named(mapping: object, what: str) -> None:
    with pytest.raises(InputError, match=what):
        load(mapping)  # type: ignore[arg-type]


def test_a_mapping_that_does_not_fit_the_file_says_which_column(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no line has the columns 'How much', 'When'") as error:
        statement(tmp_path, "date,amount\n2026-03-01,1.00\n", SIMPLE)
    assert error.value.do == "The file has: 'date', 'amount'"


def test_a_broken_toml_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text("date = \n")
    with pytest.raises(InputError, match="is not TOML"):
        load(tmp_path / "m.toml")


def test_orders_can_be_mapped_too() -> None:
    name, mapping = load(
        {"file": "orders", "customer": "c", "time": "t", "product": "p", "quantity": "q", "price": "e"}
    )
    assert isinstance(mapping, OrderMapping)
    assert isinstance(load("chase")[1], StatementMapping)
    assert (name, load("chase")[0]) == ("", "chase")
