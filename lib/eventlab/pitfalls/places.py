"""Where in a record something stands: ``key``, ``header:NAME`` or ``$.path.into.the.value``."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from confluent_kafka import Message

Take = Callable[[Sequence[Message]], list[Any]]
"""Gives what stands there, one for each record; raises Unreadable when one of them has nothing of the kind."""

_HEADER = "header:"
_PATH = re.compile(r"\$(\.[^.\s\[\]]+)+")


class Unreadable(ValueError):
    """A record without what was looked for. The message says why, for that record."""


def taker(place: str, kind: Any) -> Take:
    """What gets something of ``kind`` (``str | int`` or ``int``) from ``place``. Raises ValueError for no place."""
    if place == "key":
        return _from_bytes("the record has no key", Message.key, kind)
    if place.startswith(_HEADER) and len(place) > len(_HEADER):
        name = place.removeprefix(_HEADER)
        return _from_bytes(f"the record has no header {name}", lambda message: _header(message, name), kind)
    if _PATH.fullmatch(place):
        return _from_json(place.split(".")[1:], kind)
    raise ValueError(f"{place!r} is no place in a record; give key, header:NAME or a path into JSON: $.order.id")


def _header(message: Message, name: str) -> bytes | None:
    found: bytes | None = dict(message.headers() or ()).get(name)
    return found


def _from_bytes(nothing: str, get: Callable[[Message], bytes | None], kind: Any) -> Take:
    def take(messages: Sequence[Message]) -> list[Any]:
        found = list(map(get, messages))
        if None in found:
            raise Unreadable(nothing)
        try:
            return [int(each) for each in found] if kind is int else found  # type: ignore[arg-type]
        except ValueError as error:
            raise Unreadable(f"not a whole number: {error}") from error

    return take


def _from_json(steps: Sequence[str], kind: Any) -> Take:
    """A decoder that makes objects of nothing but the path, and jumps over the rest of the value."""
    for step in reversed(steps):
        kind = msgspec.defstruct("Value", [("inner", kind)], rename={"inner": step}, gc=False)
    # Lax: a version may be written as text, "3". Many values together cost half of what they cost one by one.
    decoder = msgspec.json.Decoder(list[kind], strict=False)

    def take(messages: Sequence[Message]) -> list[Any]:
        try:
            found = decoder.decode(b"[" + b",".join(map(Message.value, messages)) + b"]")
        except (msgspec.MsgspecError, TypeError) as error:
            raise Unreadable(f"the value: {error}".replace("$[0]", "$").replace("$[...]", "$")) from error
        if len(found) != len(messages):
            raise Unreadable("the value is more than one JSON value")
        for _ in steps:
            found = [each.inner for each in found]
        return found

    return take
