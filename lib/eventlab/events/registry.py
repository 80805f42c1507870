"""Which class stands for which stored type name and schema version: renaming a class must not lose the past."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from eventlab.events.errors import UnknownEventType

Class = TypeVar("Class", bound=type)


@dataclass(frozen=True, slots=True)
class EventType:
    """The stored name and the schema version of the events of one class."""

    name: str
    schema_version: int
    cls: type


class TypeRegistry:
    """Event classes by name and by class. The default name is the class's own, the default schema version 1."""

    def __init__(self, classes: Iterable[type] = ()) -> None:
        self._by_name: dict[str, EventType] = {}
        self._by_class: dict[type, EventType] = {}
        for cls in classes:
            self.register(cls)

    def register(self, cls: Class, name: str | None = None, schema_version: int = 1) -> Class:
        """Let ``cls`` stand for the type ``name``; returns ``cls``, so that it serves as a decorator.

        The same definition again (a notebook cell run twice) takes the place of the first one.
        Raises ValueError when the name belongs to another class, or the class has another name.
        """
        new = EventType(name or cls.__name__, schema_version, cls)
        if schema_version < 1:
            raise ValueError(f"{new.name}: schema versions start at 1, not {schema_version}")
        old = self._by_name.get(new.name)
        if old is not None and _definition(old.cls) != _definition(cls):
            raise ValueError(f"the type {new.name!r} already stands for {_definition(old.cls)}; give this one a name=")
        if self._by_class.get(cls, new).name != new.name:
            raise ValueError(f"{_definition(cls)} is already registered as {self._by_class[cls].name!r}")
        if old is not None:
            del self._by_class[old.cls]
        self._by_name[new.name] = self._by_class[cls] = new
        return cls

    def of_class(self, cls: type) -> EventType:
        """The entry of an event class. Raises UnknownEventType."""
        try:
            return self._by_class[cls]
        except KeyError:
            raise UnknownEventType(f"{_definition(cls)} is not registered as an event; register() it first") from None

    def of_name(self, name: str) -> EventType:
        """The entry of a stored type name. Raises UnknownEventType."""
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownEventType(
                f"no event class is registered for the stored type {name!r}; register it, or use the registry it was "
                "written with"
            ) from None

    def __iter__(self) -> Iterator[EventType]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)


def _definition(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
