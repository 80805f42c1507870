"""Purchases from a shop: order lines in CSV, and the CDNOW purchase log, as carts that were filled and checked out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from eventlab.domain.money import Money
from eventlab.inputs.amounts import decimal_mark, parse_amount
from eventlab.inputs.errors import InputError
from eventlab.inputs.mappings import OrderMapping
from eventlab.inputs.table import Row, Table, rows

FORMAT = "orders"
CDNOW = "cdnow"
# Customer, its number in the sample, date, number of CDs, dollars: "00004 0001 19970101  2   29.33".
_CDNOW_LINE = re.compile(r"\s*(\d+)\s+(\d+)\s+(\d{8})\s+(\d+)\s+(\d+\.\d{2})\s*")
_CHECK = "Check that line"


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One product of an order; ``price`` is for one piece."""

    product: str
    quantity: int
    price: Money
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer bought at one time. ``key`` is the shop's order number, or made of customer and time."""

    key: str
    customer: str
    time: datetime
    lines: tuple[OrderLine, ...]

    @property
    def size(self) -> int:
        """How many lines of the file it is made of."""
        return len({line.where for line in self.lines})


@dataclass(frozen=True, slots=True)
class OrderFile:
    """All orders of a file, in the order in which they first appear."""

    name: str
    format: str
    orders: tuple[Order, ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = sum(order.size for order in self.orders)
        return "\n".join(
            [
                f"{self.name}: {self.format}, {len(self.orders)} orders, {lines} lines",
                *(f"  note: {note}" for note in self.notes),
            ]
        )


def read(table: Table, mapping: OrderMapping, name: str) -> OrderFile:
    """The orders in the table. Raises InputError, naming line and column."""
    lines = list(rows(table))
    if not lines:
        raise InputError("there is a header, but no order line below it", do="Export a period with orders")
    try:
        mark = mapping.decimal or decimal_mark(row[mapping.price] for row in lines)
    except InputError as error:
        raise error.at(where=f"column {mapping.price!r}") from error
    found: dict[str, Order] = {}
    for row in lines:
        begun = found.get(row[mapping.order]) if row[mapping.order] else None
        order = _order(row, mapping, begun)
        line = _line(row, mapping, mark)
        before = found.get(order.key, order)
        _check_currency(before, line)
        found[order.key] = Order(before.key, before.customer, before.time, (*before.lines, line))
    return OrderFile(name, FORMAT, tuple(found.values()), (f"read as {table.name}",) if table.name else ())


def _order(row: Row, mapping: OrderMapping, begun: Order | None) -> Order:
    """The order of a row, without lines. Some shops fill the time only in the first row of an order."""
    customer, time = row[mapping.customer], row[mapping.time]
    if begun is not None and not time:
        return begun
    if not customer:
        raise InputError("there is no customer", where=row.where(mapping.customer), do=_CHECK)
    moment = _time(time, mapping, row)
    return Order(row[mapping.order] or f"{customer} {moment:%Y-%m-%dT%H:%M:%S}", customer, moment, ())


def _time(text: str, mapping: OrderMapping, row: Row) -> datetime:
    try:
        zone = UTC if mapping.zone == "UTC" else ZoneInfo(mapping.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(
            f"there is no time zone {mapping.zone!r}", do="Use a name like Europe/Berlin in the mapping"
        ) from error
    for form in mapping.time_format or ("",):
        try:
            time = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007 zone below
        except ValueError:
            continue
        return time if time.tzinfo else time.replace(tzinfo=zone)
    forms = " or ".join(mapping.time_format) or "2026-03-03T18:00"
    raise InputError(f"{text!r} is not a time of the form {forms}", where=row.where(mapping.time), do=_CHECK)


def _line(row: Row, mapping: OrderMapping, mark: str | None) -> OrderLine:
    product, quantity = row[mapping.product], row[mapping.quantity]
    if not product:
        raise InputError("there is no product", where=row.where(mapping.product), do=_CHECK)
    if not re.fullmatch(r"[1-9]\d{0,8}", quantity, re.ASCII):
        raise InputError(
            f"the quantity {quantity!r} is not a whole number above zero",
            where=row.where(mapping.quantity),
            do="Leave returns and cancellations out: they are not in a cart",
        )
    where = row.where(mapping.price)
    try:
        price = parse_amount(row[mapping.price], row[mapping.currency_column] or mapping.currency, mark)  # type: ignore[arg-type]
    except ValueError as error:
        raise InputError(str(error), where=where, do="Check the column of the currency") from error
    except InputError as error:
        raise error.at(where=where) from error
    if price.minor < 0:
        raise InputError(f"the price {price} is below zero", where=where, do=_CHECK)
    return OrderLine(product, int(quantity), price, row.where())


def _check_currency(order: Order, line: OrderLine) -> None:
    if order.lines and order.lines[0].price.currency != line.price.currency:
        raise InputError(
            f"{line.price} in an order in {order.lines[0].price.currency}: currencies do not mix in one order",
            where=line.where,
            do=_CHECK,
        )


def looks_like_cdnow(head: str) -> bool:
    """Whether the file begins with lines of the CDNOW purchase log."""
    first = head.lstrip("\n").split("\n", 1)[0]
    return _CDNOW_LINE.fullmatch(first) is not None


def read_cdnow(text: str, name: str) -> OrderFile:
    """The purchases of the CDNOW log, one order each (https://www.brucehardie.com/datasets/).

    The log has no time of day, so noon UTC stands for it. Dollars are for all CDs of a purchase together: a cart
    needs a price for each, so the cents that do not divide are on "CD (a cent more)".
    """
    found = []
    seen: dict[tuple[str, str], int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            found.append(_purchase(line, number, seen))
    return OrderFile(name, CDNOW, tuple(found))


def _purchase(line: str, number: int, seen: dict[tuple[str, str], int]) -> Order:
    where = f"line {number}"
    parts = _CDNOW_LINE.fullmatch(line)
    if parts is None:
        raise InputError(
            f"{line.strip()!r} is not customer, number, date, quantity, dollars", where=where, do="It may be cut off"
        )
    customer, _, day, quantity, dollars = parts.groups()
    try:
        time = datetime.strptime(f"{day} 12", "%Y%m%d %H").replace(tzinfo=UTC)
    except ValueError as error:
        raise InputError(f"the date {day} does not exist", where=where, do=_CHECK) from error
    if int(quantity) == 0:
        raise InputError("the quantity is zero", where=where, do=_CHECK)
    nth = seen[customer, day] = seen.get((customer, day), 0) + 1
    key = f"cdnow-{customer}-{day}" + (f"-{nth}" if nth > 1 else "")
    return Order(key, customer, time, tuple(_shared(int(quantity), Money.of(dollars, "USD"), where)))


def _shared(quantity: int, total: Money, where: str) -> Iterator[OrderLine]:
    """``quantity`` CDs that cost ``total`` together, to the cent."""
    each, more = divmod(total.minor, quantity)
    if quantity > more:
        yield OrderLine("CD", quantity - more, Money(each, total.currency), where)
    if more:
        yield OrderLine("CD (a cent more)", more, Money(each + 1, total.currency), where)
