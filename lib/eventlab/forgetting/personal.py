"""Which fields of which events are personal, and whose they are: a table beside the event classes."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_type_hints

from eventlab.events.envelope import NewEvent, StreamId

# Says to whom a field belongs: the id of the subject, "" for nobody. Ids stay readable, so they must not be names.
Whose = Callable[[StreamId, NewEvent], str]


def by_stream(stream: StreamId, new: NewEvent) -> str:
    """The subject whom the stream is about: its key."""
    return stream.key


def by_field(name: str) -> Whose:
    """The subject whose id stands in another field of the event."""
    return lambda stream, new: str(getattr(new.event, name) or "")


def by_metadata(key: str) -> Whose:
    """The subject whose id stands in the event's metadata."""
    return lambda stream, new: new.metadata.get(key, "")


class Forgotten(str):
    """What a personal field reads as when its key is gone; it cannot be stored as if it were data."""

    __slots__ = ()


FORGOTTEN = Forgotten("(forgotten)")


class Personal(Mapping[type, Mapping[str, Whose]]):
    """The personal fields of each event class: ``Personal({AccountOpened: {"owner": by_stream}, FeeCharged: {}})``.

    Each class has a line, an empty one for: nothing personal. So a class that comes later is not stored in clear
    because nobody thought of it. A personal field is text (``str``, or ``str | None``): sealed it is text as well, and
    programs without keys go on reading the rest of the event. Raises ValueError for a field that is not.
    """

    def __init__(self, table: Mapping[type, Mapping[str, Whose]]) -> None:
        for cls, fields in table.items():
            hints: dict[str, Any] = get_type_hints(cls)
            for name in fields:
                if name not in hints:
                    raise ValueError(f"{cls.__name__} has no field {name!r}; it has: {', '.join(hints)}")
                if hints[name] not in (str, str | None):
                    raise ValueError(
                        f"{cls.__name__}.{name} is {hints[name]!r}; only text can be sealed and forgotten, so declare "
                        "the field as str"
                    )
        self._table = {cls: dict(fields) for cls, fields in table.items()}

    def __getitem__(self, cls: type) -> Mapping[str, Whose]:
        return self._table[cls]

    def __iter__(self) -> Iterator[type]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)
