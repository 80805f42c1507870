"""What the cart team promises to everybody else: one event, with a schema, and nothing of how a cart works inside.

An event of its own, not one of the cart's classes: a promise that is made from them changes whenever they do.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

Pieces = Annotated[int, Meta(ge=1)]
Cents = Annotated[int, Meta(ge=0)]
Text = Annotated[str, Meta(min_length=1)]


class OrderLine(Struct, frozen=True):
    """So many pieces of one product; ``cents`` is for one piece."""

    product: Text
    pieces: Pieces
    cents: Cents


class OrderPlaced(Struct, frozen=True):
    """A customer has bought; the order is final. It may come more than once, and says the same then."""

    order: Text
    customer: Text
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    lines: Annotated[list[OrderLine], Meta(min_length=1)]
    total: Cents


class Broken(Exception):
    """An event that is not what the contract says; the message names the field. It is not published."""


SCHEMA: Mapping[str, Any] = msgspec.json.schema(OrderPlaced)
_read = msgspec.json.Decoder(OrderPlaced).decode


def encode(order: OrderPlaced) -> bytes:
    """The published form. Raises Broken when ``order`` does not keep the contract."""
    try:
        data = msgspec.json.encode(order)
        read = _read(data)
    except (msgspec.MsgspecError, TypeError) as error:
        raise Broken(f"the order is not published, it breaks the contract: {error}") from error
    if read.total != sum(line.pieces * line.cents for line in read.lines):
        raise Broken(f"the order {read.order} is not published: its total is not the sum of its lines")
    return data


def verdict(fields: Mapping[str, Any]) -> str:
    """What readers of the contract make of an event with these fields: ``kept``, or what stops them."""
    try:
        decode(msgspec.json.encode(fields))
    except Broken as broken:
        return str(broken)
    return "kept"


def decode(data: bytes) -> OrderPlaced:
    """The event that was published as ``data``. Raises Broken when somebody else wrote it."""
    try:
        return _read(data)
    except msgspec.MsgspecError as error:
        raise Broken(f"this is no OrderPlaced: {error}") from error
