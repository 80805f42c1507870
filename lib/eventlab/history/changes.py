"""What differs between two states of one entity, field by field, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eventlab.domain.money import NO_CURRENCY


@dataclass(frozen=True, slots=True)
class Change:
    """One field, or one entry of a field that is a mapping, before and after; None where there was nothing."""

    field: str
    before: object
    after: object

    def __str__(self) -> str:
        return f"{self.field}: {_words(self.before)} → {_words(self.after)}"


def _words(value: object) -> str:
    return "nothing" if value in (None, "", NO_CURRENCY) else str(value)


def parts(state: object) -> list[str]:
    """The fields of a struct or dataclass and what it computes from them: a cart's lines, and its total.

    Empty for anything else.
    """
    computed = [name for name, item in vars(type(state)).items() if isinstance(item, property)]
    fields = getattr(type(state), "__match_args__", ())
    return [*fields, *computed] if fields else []


def _entries(field: str, before: Mapping[Any, Any], after: Mapping[Any, Any]) -> Iterator[Change]:
    for key in {**before, **after}:
        if before.get(key) != after.get(key):
            yield Change(f"{field} · {key}", before.get(key), after.get(key))


def changes(before: object, after: object) -> tuple[Change, ...]:
    """What changed from one state to another: field by field; anything without fields as one, ``state``."""
    if not parts(after) or type(before) is not type(after):
        return () if before == after else (Change("state", before, after),)
    found: list[Change] = []
    for name in parts(after):
        old, new, field = getattr(before, name), getattr(after, name), name.replace("_", " ")
        if isinstance(new, Mapping):
            found += _entries(field, old, new)
        elif old != new:
            found.append(Change(field, old, new))
    return tuple(found)
