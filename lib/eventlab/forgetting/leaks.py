"""Is it really gone? Looks for words in every place that may still hold them, and says what to do about each."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

_LEAST_LETTERS = 5  # shorter words stand in ciphertext and ids by chance


@dataclass(frozen=True, slots=True)
class Leak:
    """Words found ``count`` times in ``place``, there ``where``; ``cure`` is what to do about it."""

    place: str
    where: str
    count: int
    cure: str


@dataclass(frozen=True, slots=True)
class Unsearched:
    """A part of ``place`` that could not be looked into, and ``why``: nobody knows what it holds."""

    place: str
    why: str


class Words:
    """What is looked for: in any case of letters, and as databases, programs and JSON may spell it in bytes."""

    def __init__(self, words: Sequence[str]) -> None:
        if isinstance(words, str) or not words:
            raise ValueError("give a list of the words to look for, for example ['Ana Almeida']")
        for word in words:
            if len(word.strip()) < _LEAST_LETTERS:
                raise ValueError(
                    f"{word!r} is found everywhere by chance; give {_LEAST_LETTERS} letters or more, the whole name"
                )
        self._spelled = {form for word in words for form in _spellings(word)}
        self.longest = max(map(len, self._spelled))

    def at(self, data: bytes) -> list[int]:
        """Where in ``data`` they begin."""
        lower = data.lower()  # faster by far than a regular expression that ignores the case
        return sorted({at for form in self._spelled for at in _all(form, lower)})

    def in_value(self, value: object) -> int:
        """How often they stand in a value of a row or record."""
        if value is None or isinstance(value, bool | int | float):
            return 0
        if isinstance(value, dict | list):
            value = json.dumps(value, ensure_ascii=False)
        return len(self.at(value if isinstance(value, bytes) else str(value).encode(errors="replace")))


def _all(form: bytes, data: bytes) -> Iterator[int]:
    at = data.find(form)
    while at >= 0:
        yield at
        at = data.find(form, at + len(form))


def _spellings(word: str) -> Iterator[bytes]:
    """As bytes whose ASCII letters are small."""
    for form in (word, word.lower(), word.upper()):
        yield form.encode().lower()
        yield form.encode("utf-16-le").lower()
        yield json.dumps(form)[1:-1].encode().lower()
        yield form.encode("latin-1", errors="replace").lower()


class Place(Protocol):
    """Something that holds data: see :mod:`eventlab.forgetting.places`."""

    def search(self, words: Words) -> Iterator[Leak | Unsearched]:
        """What is found there."""
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """What :func:`leak_check` found."""

    leaks: tuple[Leak, ...]
    unsearched: tuple[Unsearched, ...]

    @property
    def clean(self) -> bool:
        """Nothing was found, and nothing was left out."""
        return not self.leaks and not self.unsearched

    @property
    def count(self) -> int:
        """How often the words were found in all."""
        return sum(leak.count for leak in self.leaks)

    def table(self) -> pd.DataFrame:
        """A row per leak, then per part that was not searched (its count is unknown)."""
        rows = [(leak.place, leak.where, leak.count, leak.cure) for leak in self.leaks]
        rest = [(each.place, f"not searched: {each.why}", None, "look yourself") for each in self.unsearched]
        frame = pd.DataFrame([*rows, *rest], columns=["place", "where", "count", "what to do"])
        return frame.astype({"count": "Int64"})

    def __repr__(self) -> str:
        if self.clean:
            return "found nowhere"
        return f"found {self.count} times in {len(self.leaks)} places, {len(self.unsearched)} not searched"

    def _repr_html_(self) -> str:
        if self.clean:
            return f"<p>{self!r}</p>"
        left = {"selector": "th, td", "props": "text-align: left"}
        return str(self.table().style.hide().format(na_rep="unknown", escape="html").set_table_styles([left]).to_html())


def leak_check(words: Sequence[str], *places: Place) -> Report:
    """Look for ``words`` (names, addresses: what should be gone) in ``places``.

    It sees what these places hold now: rows, records, the bytes of files, packed ones too. It does not see copies that
    nobody named, blocks of the disk that no file owns any more, values that PostgreSQL packed away (TOAST, above 2 kB;
    its rows are searched), and words that were encoded otherwise. Raises ValueError for words too short to mean
    anything and for places that do not exist.
    """
    if not places:
        raise ValueError("give the places to search: Database(url), Files(path), Topic(kafka, name)")
    looked_for = Words(words)
    found = [each for place in places for each in place.search(looked_for)]
    return Report(
        tuple(each for each in found if isinstance(each, Leak)),
        tuple(each for each in found if isinstance(each, Unsearched)),
    )
