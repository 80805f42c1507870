import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlab.domain.money import Money
from eventlab.inputs.amounts import decimal_mark, parse_amount
from eventlab.inputs.errors import InputError


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("12.40", 1240),
        ("12,40", 1240),
        ("12,4", 1240),
        ("107,", 10700),
        (",50", 50),
        ("0,5", 50),
        ("1234", 123400),
        ("1.234,56", 123456),
        ("1,234.56", 123456),
        ("1'234.56", 123456),
        ("1’234.56", 123456),
        ("1 234,56", 123456),
        ("1\u00a0234,56", 123456),
        ("1\u202f234,56", 123456),
        ("1,234,567.89", 123456789),
        ("1.234.567", 123456700),
        ("1,23,456.78", 12345678),
        ("000000001000,00", 100000),
        ("-12.40", -1240),
        ("12.40-", -1240),
        ("−12,40", -1240),
        ("+12,40", 1240),
        ("(12.40)", -1240),
        ("€ 12.40", 1240),
        ("-€12.40", -1240),
        ("12,40 EUR", 1240),
        ("EUR -12,40", -1240),
        ("12,40 S", -1240),
        ("12,40 H", 1240),
        ("12.40 DR", -1240),
        ("12.40CR", 1240),
        ("           -200,00", -20000),
    ],
)
def test_reads_what_banks_and_shops_write(text: str, minor: int) -> None:
    assert parse_amount(text, "EUR") == Money(minor, "EUR")


@pytest.mark.parametrize("text", ["1,234", "1.234", "-12,345", "(1,234)", "€1.234"])
def test_two_readings_are_never_guessed(text: str) -> None:
    with pytest.raises(InputError, match="two readings") as error:
        parse_amount(text, "EUR")
    assert "decimal" in error.value.do


@pytest.mark.parametrize(("decimal", "minor"), [(",", 123400), (".", None)])
def test_the_named_decimal_mark_settles_it(decimal: str, minor: int | None) -> None:
    if minor is None:
        with pytest.raises(InputError, match="more decimals than EUR has"):
            parse_amount("1.234", "EUR", decimal)  # type: ignore[arg-type]
    else:
        assert parse_amount("1.234", "EUR", decimal) == Money(minor, "EUR")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["", " ", "abc", "12.40.50", "12,4,0", "1 23,40", "1.23.456,00", "1,2345.00", "--5", "-5-", "(5", "5)", ".", "-",
     "1e3", "NaN", "١٢", "12.345,6,7", "0x10", "1.234,567.89", "1..2"],
)  # fmt: skip
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_amount(text, "EUR")


def test_more_decimals_than_the_currency_has() -> None:
    with pytest.raises(InputError, match="JPY"):
        parse_amount("12.5", "JPY")
    assert parse_amount("1234.567", "KWD") == Money(1234567, "KWD")


def test_one_clear_amount_settles_the_file() -> None:
    assert decimal_mark(["1.234", "12,40"]) == ","
    assert decimal_mark(["1,234", "12.40", "7"]) == "."
    assert decimal_mark(["7", "1234"]) is None


def test_a_file_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(InputError, match=r"comma in '12,40' and a point in '12\.40'"):
        decimal_mark(["12,40", "12.40"])


STYLES = [("", "."), ("", ","), (",", "."), (".", ","), ("'", "."), (" ", ","), ("\u00a0", ","), ("\u202f", ",")]


@given(
    minor=st.integers(-(10**12), 10**12), style=st.sampled_from(STYLES), sign=st.sampled_from(["{}-", "-{}", "({})"])
)
def test_every_style_reads_back(minor: int, style: tuple[str, str], sign: str) -> None:
    group, mark = style
    text = f"{abs(minor) // 100:,}".replace(",", group) + f"{mark}{abs(minor) % 100:02}"
    assert parse_amount(sign.format(text) if minor < 0 else text, "EUR") == Money(minor, "EUR")
