"""A CSV file as banks write it: a preamble, a header somewhere, rows, perhaps a footer; four delimiters."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from eventlab.inputs.errors import InputError
from eventlab.inputs.mappings import AnyMapping, dialects

_DELIMITERS = (";", ",", "\t", "|")
# A header stands within the first lines; preambles of more than 20 have not been seen.
_HEADER_WITHIN = 40
_AGAIN = "Export it again"


@dataclass(frozen=True, slots=True)
class Table:
    """The lines above the header, the columns by name (of two with one name the first), the text to read rows from."""

    name: str
    mapping: AnyMapping
    preamble: tuple[tuple[str, ...], ...]
    columns: dict[str, int]
    width: int
    text: str
    delimiter: str
    header_line: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by column, and its line in the file."""

    table: Table
    cells: list[str]
    line: int

    def __getitem__(self, column: str) -> str:
        """The cell, without blanks around it; empty when the column is not there."""
        index = self.table.columns.get(_key(column)) if column else None
        return "" if index is None else self.cells[index].strip()

    def where(self, column: str = "") -> str:
        """The place of the row, or of one cell, for messages."""
        return f"line {self.line}, column {column!r}" if column else f"line {self.line}"


def _key(column: str) -> str:
    return " ".join(column.split()).casefold()


def find(text: str, name: str = "", mapping: AnyMapping | None = None) -> Table:
    """The table in ``text``: with the columns of ``mapping``, or of the dialect that fits best.

    Raises InputError when no header has these columns, with the columns that are there.
    """
    candidates = {name: mapping} if mapping else dialects()
    best: tuple[int, Table] | None = None
    likeliest: tuple[str, ...] = ()
    for delimiter in _DELIMITERS:
        preamble: list[tuple[str, ...]] = []
        for cells, line in _rows(text, delimiter, _HEADER_WITHIN):
            columns = {_key(cell): index for index, cell in reversed(list(enumerate(cells)))}
            for known, candidate in candidates.items():
                needed = {_key(column) for column in candidate.columns()}
                fits = needed <= columns.keys() and candidate.delimiter in ("", delimiter)
                if fits and (best is None or len(needed) > best[0]):
                    table = Table(known, candidate, tuple(preamble), columns, len(cells), text, delimiter, line)
                    best = len(needed), table
            if len(cells) > len(likeliest):
                likeliest = tuple(cells)
            preamble.append(tuple(cells))
    if best is None:
        raise _unknown(mapping, likeliest)
    return best[1]


def _unknown(mapping: AnyMapping | None, columns: tuple[str, ...]) -> InputError:
    seen = ", ".join(repr(column.strip()) for column in columns) if len(columns) > 1 else "no columns"
    if mapping:
        missing = sorted(mapping.columns() - {column.strip() for column in columns})
        return InputError(
            f"no line has the columns {', '.join(map(repr, missing))}", where="header", do=f"The file has: {seen}"
        )
    return InputError(
        f"the columns belong to no bank or shop that is known here: {seen}",
        where="header",
        do="Say what they mean with a mapping: mapping={'date': …, 'date_format': ['%d.%m.%Y'], 'amount': …}, or the "
        "same in a TOML file (--mapping)",
    )


def _rows(text: str, delimiter: str, limit: int | None = None) -> Iterator[tuple[list[str], int]]:
    """The rows that are not blank, each with the line on which it begins. Bad quotes end the search for a header."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=limit is None)
    line = 1
    try:
        for cells in reader:
            if limit is not None and line > limit:
                return
            if any(cell.strip() for cell in cells):
                yield cells, line
            line = reader.line_num + 1
    except csv.Error as error:
        if limit is not None:
            return
        raise InputError(
            f"the quotes or the columns are damaged ({error})",
            where=f"line {line}",
            do=f"The file may be cut off. {_AGAIN}",
        ) from error


def rows(table: Table, footer: str = "") -> Iterator[Row]:
    """The rows below the header, up to one that begins with ``footer``. Raises InputError for a row that is cut off."""
    for cells, line in _rows(table.text, table.delimiter):
        if line <= table.header_line:
            continue
        if footer and cells[0].strip().startswith(footer):
            return
        if len(cells) < table.width or any(cell.strip() for cell in cells[table.width :]):
            raise InputError(
                f"the line has {len(cells)} columns, the header {table.width}",
                where=f"line {line}",
                do=f"The file is cut off or has a {table.delimiter!r} inside a text without quotes. {_AGAIN}",
            )
        yield Row(table, cells, line)


def labelled(preamble: Sequence[Sequence[str]], label: str) -> str:
    """The cell behind the one that begins with ``label`` in the lines above the header; empty when there is none."""
    for cells in preamble:
        for cell, after in pairwise(cells):
            if label and cell.strip().startswith(label):
                return after.strip()
    return ""
