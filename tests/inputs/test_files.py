"""Encodings are proven or guessed well, and a large file does not take unreasonable memory."""

import tracemalloc
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.inputs import writers
from tests.inputs.statements import statement

from eventlab.domain.money import Money
from eventlab.inputs import Entry, InputError, read
from eventlab.inputs.files import decode

LINES = "01.03.2026;{};Miete\n02.03.2026;REWE sagt Danke;12,40\n"
WORDS = ["Bäckerei", "Müller", "Köln", "Gebühr", "Café", "größe", "Öl", "smørrebrød", "Ñandú", "été"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "cp850"]
)
@pytest.mark.parametrize("word", WORDS)
def test_one_foreign_word_is_enough(word: str, encoding: str) -> None:
    text = LINES.format(word)
    assert decode(text.encode(encoding))[0] == text


def test_windows_text_with_a_euro_sign_and_a_dash() -> None:
    text = LINES.format("€ 5 – Bäckerei")
    assert decode(text.encode("cp1252")) == (text, "cp1252")


def test_a_zero_in_the_text_is_no_text() -> None:
    with pytest.raises(InputError, match="a binary file"):
        decode("a;b\n1;\0\n".encode("utf-16"))


def test_all_line_ends_become_one() -> None:
    assert decode(b"a\r\nb\rc\nd")[0] == "a\nb\nc\nd"


@pytest.mark.parametrize("write", [writers.mt940, writers.camt053, writers.ofx1, writers.plain_csv])
def test_memory_stays_in_proportion(tmp_path: Path, write) -> None:  # type: ignore[no-untyped-def]
    entries = tuple(
        Entry(date(2020, 1, 1) + timedelta(days=n // 10), Money(-300 - n % 7, "EUR"), f"coffee number {n}")
        for n in range(2_000)
    )
    path = tmp_path / "large"
    path.write_bytes(write(statement(entries)))
    tracemalloc.start()
    found = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.entries) == 2_000  # type: ignore[union-attr]
    assert peak < 60 * path.stat().st_size
