"""Which class stands for which stored type name and schema version: renaming a class must not lose the past."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from eventlab.events.errors import UnknownEventType
from eventlab.events.versions import Step, check_steps

Class = TypeVar("Class", bound=type)
_NO_STEPS: Mapping[int, Step] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class EventType:
    """The stored name and the schema version of the events of one class, and what leads there from older ones."""

    name: str
    schema_version: int
    cls: type
    formerly: tuple[str, ...]
    upcasters: Mapping[int, Step] = field(hash=False)
    downcasters: Mapping[int, Step] = field(hash=False)

    @property
    def names(self) -> tuple[str, ...]:
        """All names under which events of this type are stored: today's first."""
        return (self.name, *self.formerly)


class TypeRegistry:
    """Event classes by name and by class. The default name is the class's own, the default schema version 1."""

    def __init__(self, classes: Iterable[type] = ()) -> None:
        self._by_name: dict[str, EventType] = {}
        self._by_former: dict[str, EventType] = {}
        self._by_class: dict[type, EventType] = {}
        self.changes = 0  # each makes an entry that was looked up before out of date
        for cls in classes:
            self.register(cls)

    def register(
        self,
        cls: Class,
        name: str | None = None,
        schema_version: int = 1,
        *,
        formerly: Iterable[str] = (),
        upcasters: Mapping[int, Step] = _NO_STEPS,
        downcasters: Mapping[int, Step] = _NO_STEPS,
    ) -> Class:
        """Let ``cls`` stand for the type ``name``; returns ``cls``, so that it serves as a decorator.

        ``schema_version`` is the one that ``cls`` has and that is written. ``upcasters[1]`` brings the fields of
        version 1 to version 2, and so on up to ``schema_version``; ``downcasters[2]`` brings version 2 to 1, for
        readers older than this program. ``formerly`` are names that the type had before: events are read under all
        of them, in one line of versions, and written under ``name``.

        The same definition again (a notebook cell run twice) takes the place of the first one.
        Raises ValueError when a name belongs to another class, the class has another name, or a step is missing.
        """
        new = EventType(name or cls.__name__, schema_version, cls, tuple(formerly), dict(upcasters), dict(downcasters))
        if schema_version < 1:
            raise ValueError(f"{new.name}: schema versions start at 1, not {schema_version}")
        check_steps(new.name, schema_version, upcasters, downcasters)
        old = self._by_name.get(new.name)
        for taken in (self._by_name.get(each) or self._by_former.get(each) for each in new.names):
            if taken is not None and (taken.name != new.name or _definition(taken.cls) != _definition(cls)):
                raise ValueError(
                    f"the type {new.name!r} already stands for {_definition(taken.cls)}; give this one a name="
                    if taken.name == new.name
                    else f"{new.name!r}: a name of it is already one of {_definition(taken.cls)}; a name has one class"
                )
        if self._by_class.get(cls, new).name != new.name:
            raise ValueError(f"{_definition(cls)} is already registered as {self._by_class[cls].name!r}")
        if old is not None:
            del self._by_class[old.cls]
            for former in old.formerly:
                del self._by_former[former]
        self._by_name[new.name] = self._by_class[cls] = new
        self._by_former.update(dict.fromkeys(new.formerly, new))
        self.changes += 1
        return cls

    def of_class(self, cls: type) -> EventType:
        """The entry of an event class. Raises UnknownEventType."""
        try:
            return self._by_class[cls]
        except KeyError:
            raise UnknownEventType(f"{_definition(cls)} is not registered as an event; register() it first") from None

    def of_name(self, name: str) -> EventType:
        """The entry of a stored type name, today's or a former one. Raises UnknownEventType."""
        found = self._by_name.get(name) or self._by_former.get(name)
        if found is None:
            raise UnknownEventType(
                f"no event class is registered for the stored type {name!r}; register it, or use the registry it was "
                "written with"
            )
        return found

    def __iter__(self) -> Iterator[EventType]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)


def _definition(cls: object) -> str:
    return f"{cls.__module__}.{cls.__qualname__}" if isinstance(cls, type) else repr(cls)
