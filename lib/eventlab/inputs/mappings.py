"""Which column of a CSV file means what: built in for known banks and shops, or written down by the user in TOML."""

import functools
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Literal

import msgspec

from eventlab.inputs.amounts import DecimalMark
from eventlab.inputs.errors import InputError


class _Csv(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="file"):
    """What both kinds of file have. ``delimiter``, ``decimal`` and ``encoding`` are found when they are not given.

    ``optional`` names fields of the mapping whose column may be missing.
    """

    delimiter: Literal["", ",", ";", "\t", "|"] = ""
    decimal: DecimalMark | Literal[""] = ""
    encoding: str = ""
    currency: str = "EUR"
    currency_column: str = ""
    optional: tuple[str, ...] = ()


class StatementMapping(_Csv, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="statement"):
    """The columns of a bank statement.

    The amount is one signed column (``amount``), or two columns (``debit``, ``credit``), or a plain ``amount`` and a
    column ``direction`` whose values in ``outgoing`` make it negative. ``only`` keeps the lines whose column has one of
    the values. ``date_format`` are the forms that Python's ``strptime`` reads. ``closing`` is the label of the
    line above the table that holds the balance of now, ``footer`` the begin of the lines below the table.
    """

    date: str
    date_format: tuple[str, ...]
    amount: str = ""
    debit: str = ""
    credit: str = ""
    direction: str = ""
    outgoing: tuple[str, ...] = ()
    fee: str = ""
    balance: str = ""
    value_date: str = ""
    text: tuple[str, ...] = ()
    counterparty: str = ""
    reference: str = ""
    id: str = ""
    account: str = ""
    account_column: str = ""
    only: dict[str, tuple[str, ...]] = {}
    closing: str = ""
    footer: str = ""
    any_order: bool = False

    def __post_init__(self) -> None:
        if bool(self.amount) == bool(self.debit and self.credit):
            raise ValueError("give either amount, or debit and credit")

    def columns(self) -> set[str]:
        """The columns that the file must have. Those of the text are not among them: they come and go."""
        fields = ("date", "amount", "debit", "credit", "direction", "fee", "balance", "value_date", "counterparty")
        others = ("reference", "id", "account_column", "currency_column")
        needed = {getattr(self, name) for name in (*fields, *others) if name not in self.optional}
        return (needed | self.only.keys()) - {""}


class OrderMapping(_Csv, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="orders"):
    """The columns of order lines. ``price`` is for one piece.

    Lines of one ``order`` become one cart; without that column, lines of one customer at one time. Without
    ``time_format`` times are in ISO 8601; times without a zone are in ``zone``.
    """

    customer: str
    time: str
    product: str
    quantity: str
    price: str
    order: str = ""
    time_format: tuple[str, ...] = ()
    zone: str = "UTC"

    def columns(self) -> set[str]:
        """The columns that the file must have."""
        fields = ("customer", "time", "product", "quantity", "price", "order", "currency_column")
        return {getattr(self, name) for name in fields if name not in self.optional} - {""}


AnyMapping = StatementMapping | OrderMapping


@functools.cache
def dialects() -> dict[str, AnyMapping]:
    """The mappings that are built in, by name."""
    text = files("eventlab.inputs").joinpath("dialects.toml").read_bytes()
    return msgspec.toml.decode(text, type=dict[str, AnyMapping])


def load(mapping: "AnyMapping | Mapping[str, object] | str | Path") -> tuple[str, AnyMapping]:
    """A mapping and its name: from the name of a dialect, a TOML file, or a dict with the same fields.

    In a dict or file, ``file`` says what it maps: "statement" (also when it is missing) or "orders".
    Raises InputError, naming the field.
    """
    if isinstance(mapping, AnyMapping):
        return "", mapping
    name = "" if isinstance(mapping, Mapping) else str(mapping)
    if name in dialects():
        return name, dialects()[name]
    if isinstance(mapping, Mapping):
        fields = dict(mapping)
    else:
        path = Path(name)
        if not path.is_file():
            raise InputError(
                f"there is no mapping {name!r}, neither built in nor as a file",
                do=f"Give a TOML file or one of: {', '.join(dialects())}",
            )
        try:
            fields = msgspec.toml.decode(path.read_bytes(), type=dict)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(f"the mapping is not TOML ({error})", file=path.name, do="Correct it") from error
    try:
        return Path(name).stem, msgspec.convert({"file": "statement", **fields}, type=AnyMapping)
    except msgspec.ValidationError as error:
        raise InputError(f"the mapping does not fit: {error}", file=name, do="Correct that field") from error
