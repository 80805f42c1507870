import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlab.domain.money import Money
from eventlab.events.codec import JsonCodec
from eventlab.events.errors import UnknownEventType, UnknownSchemaVersion, Unreadable, Unwritable
from eventlab.events.registry import TypeRegistry


@dataclass(frozen=True, slots=True)
class Paid:
    amount: Money
    on: date
    text: str = ""
    rate: Decimal | None = None
    seen: datetime | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    value: float


CODEC = JsonCodec(TypeRegistry([Paid, Measured]))
PAID = Paid(Money(1240, "EUR"), date(2026, 3, 3), "Trousers")

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
payments = st.builds(
    Paid,
    amount=st.builds(Money, st.integers(), st.sampled_from(["EUR", "JPY"])),
    on=st.dates(),
    text=texts,
    rate=st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    seen=st.none() | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])),
    tags=st.lists(texts).map(tuple),
)


@given(payments)
def test_what_is_written_reads_back_equal(paid: Paid) -> None:
    encoded = CODEC.encode(paid)
    assert CODEC.decode(*encoded) == paid
    assert CODEC.decode(encoded.type, encoded.schema_version, encoded.data.decode()) == paid


def test_the_stored_form_is_plain_json() -> None:
    encoded = CODEC.encode(PAID)
    assert (encoded.type, encoded.schema_version) == ("Paid", 1)
    assert json.loads(encoded.data) == {
        "amount": {"minor": 1240, "currency": "EUR"},
        "on": "2026-03-03",
        "text": "Trousers",
        "rate": None,
        "seen": None,
        "tags": [],
    }


def test_new_and_old_programs_read_each_other() -> None:
    data = b'{"amount": {"minor": 1240, "currency": "EUR"}, "on": "2026-03-03", "text": "Trousers", "added later": 1}'
    assert CODEC.decode("Paid", 1, data) == PAID


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b'{"amount": {"minor": 12', "truncated"),
        (b"", "truncated"),
        (b"\xff\xfe", "malformed"),
        (b'{"added later": ' + 10_000 * b"[", "recursion"),
        (b"[]", "Expected `object`"),
        (b'{"on": "2026-03-03"}', "missing required field `amount`"),
        (b'{"amount": {"currency": "EUR"}, "on": "2026-03-03"}', r"missing required field `minor` - at `\$\.amount`"),
        (b'{"amount": {"minor": "12", "currency": "EUR"}, "on": "2026-03-03"}', r"\$\.amount\.minor"),
        (b'{"amount": {"minor": 12, "currency": "eur"}, "on": "2026-03-03"}', r"three capital letters.*\$\.amount"),
        (b'{"amount": {"minor": 12, "currency": "EUR"}, "on": "2026-02-30"}', r"\$\.on"),
        (b'{"amount": {"minor": 12, "currency": "EUR"}, "on": "2026-03-03", "text": "\xff"}', "utf-8"),
    ],
)
def test_corrupt_data_says_what_and_where(data: bytes, where: str) -> None:
    with pytest.raises(Unreadable, match=where) as caught:
        CODEC.decode("Paid", 1, data)
    assert "Paid" in str(caught.value)


@given(st.binary())
def test_no_bytes_raise_anything_but_unreadable(data: bytes) -> None:
    with suppress(Unreadable):
        CODEC.decode("Paid", 1, data)


def test_an_unknown_type_or_schema_version_is_not_guessed() -> None:
    with pytest.raises(UnknownEventType, match="'Payed'"):
        CODEC.decode("Payed", 1, b"{}")
    with pytest.raises(UnknownSchemaVersion, match=r"Paid is stored in schema version 2.*reads 1"):
        CODEC.decode("Paid", 2, b"{}")
    with pytest.raises(UnknownEventType, match="not registered"):
        CODEC.encode(object())


@pytest.mark.parametrize(
    "event",
    [
        Paid("12.40", date(2026, 3, 3)),  # type: ignore[arg-type]
        Paid(Money(1, "EUR"), None),  # type: ignore[arg-type]
        Paid(Money(1, "EUR"), object()),  # type: ignore[arg-type]
        Paid(Money(1, "EUR"), date(2026, 3, 3), "\ud800"),
        Paid(Money(1, "EUR"), date(2026, 3, 3), "a\0b"),
        Paid(Money(1, "EUR"), date(2026, 3, 3), "\\\0"),
        Measured(float("nan")),
    ],
)
def test_what_could_not_be_read_back_is_not_written(event: object) -> None:
    with pytest.raises(Unwritable, match=type(event).__name__):
        CODEC.encode(event)


def test_the_letters_of_an_escape_are_not_the_character() -> None:
    event = Paid(Money(1, "EUR"), date(2026, 3, 3), "\\u0000")
    assert CODEC.decode(*CODEC.encode(event)) == event


@given(st.lists(payments | st.builds(Measured, st.floats(allow_nan=False, allow_infinity=False))))
def test_many_are_read_as_each_alone(events: list[object]) -> None:
    rows = [tuple(CODEC.encode(event)) for event in events]
    assert CODEC.decode_all(iter(rows)) == events


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        (("Paid", 1, b'{"on": "2026-03-03"}'), Unreadable, "Paid.*missing required field `amount`"),
        (("Measured", 1, '{"value": "x"}'), Unreadable, r"Measured.*\$\.value"),
        (("Measured", 1, b"\xff"), Unreadable, "Measured"),
        (("Payed", 1, b"{}"), UnknownEventType, "'Payed'"),
        (("Paid", 2, b"{}"), UnknownSchemaVersion, r"schema version 2.*reads 1"),
    ],
)
def test_one_bad_row_among_many_is_named(row: tuple[str, int, bytes], error: type[Exception], message: str) -> None:
    good = tuple(CODEC.encode(PAID))
    with pytest.raises(error, match=message):
        CODEC.decode_all([good, row, good])
