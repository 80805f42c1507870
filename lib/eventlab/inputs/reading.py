"""``read``: a file of any format that is known here, recognised by its content."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from eventlab.inputs import camt053, mt940, ofx, orders, statement_csv
from eventlab.inputs.errors import InputError
from eventlab.inputs.files import decode, encoding_note, read_bytes
from eventlab.inputs.mappings import AnyMapping, OrderMapping, load
from eventlab.inputs.orders import OrderFile
from eventlab.inputs.statement_file import StatementFile
from eventlab.inputs.table import find

Format = Literal["ofx", "mt940", "camt053", "csv", "orders", "cdnow"]
FORMATS: tuple[str, ...] = get_args(Format)

_HEAD = 4096


def read(
    path: str | Path,
    format: Format | None = None,  # noqa: A002 (the word of the field)
    mapping: "AnyMapping | Mapping[str, object] | str | Path | None" = None,
    *,
    any_order: bool = False,
) -> StatementFile | OrderFile:
    """What the file at ``path`` says, checked line by line; nothing is stored.

    ``format`` is found by content when it is not given. ``mapping`` says what the columns of a CSV file mean: the name
    of a bank or shop that is built in, a TOML file, or a dict; without it the columns are recognised.
    ``any_order`` allows a statement whose days are mixed. Raises InputError: the file, the line or field, what to do.
    """
    path = Path(path)
    try:
        return _read(path, format, mapping, any_order)
    except InputError as error:
        raise error.at(file=path.name) from error


def _read(
    path: Path,
    format: str | None,  # noqa: A002
    mapping: "AnyMapping | Mapping[str, object] | str | Path | None",
    any_order: bool,
) -> StatementFile | OrderFile:
    if format is not None and format not in FORMATS:
        raise InputError(f"there is no format {format!r}", do=f"Use one of: {', '.join(FORMATS)}")
    known, columns = load(mapping) if mapping is not None else ("", None)
    data = read_bytes(path)
    head = data[:_HEAD].replace(b"\0", b"").decode("latin-1").lstrip("\ufeffï»¿ÿþ \r\n")
    format = format or ("csv" if columns else _format(head))  # noqa: A001
    if format == "camt053":
        return camt053.read(data, path.name, any_order)
    if format == "ofx":
        return ofx.read(data, path.name, any_order)
    text, encoding = decode(data, columns.encoding if columns else "")
    found = _read_text(text, path.name, format, (known, columns), any_order)
    return replace(found, notes=(*found.notes, *encoding_note(encoding)))


def _read_text(
    text: str,
    name: str,
    format: str,  # noqa: A002
    mapping: tuple[str, AnyMapping | None],
    any_order: bool,
) -> StatementFile | OrderFile:
    if format == "mt940":
        return mt940.read(text, name, any_order)
    if format == "cdnow":
        return orders.read_cdnow(text, name)
    table = find(text, *mapping)
    if isinstance(table.mapping, OrderMapping):
        return orders.read(table, table.mapping, name)
    if format == orders.FORMAT:
        raise InputError(
            f"the columns are those of a bank statement ({table.name or 'by the mapping'}), not of order lines",
            do="Leave the format out, or say csv",
        )
    return statement_csv.read(table, table.mapping, name, any_order)


def _format(head: str) -> str:
    if ofx.looks_like(head):
        return "ofx"
    if camt053.looks_like(head):
        return "camt053"
    if mt940.looks_like(head):
        return "mt940"
    if head.startswith("<"):
        raise InputError(
            "this is XML or HTML, but neither CAMT.053 nor OFX", do="Export the statement in one of these formats"
        )
    return "cdnow" if orders.looks_like_cdnow(head) else "csv"
