"""The fingerprint of a fold: another one when its code or the shape of its state changes, whoever forgot to say so."""

import dataclasses
import enum
import inspect
from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from decimal import Decimal
from functools import partial
from hashlib import sha256
from types import CodeType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any, get_args, get_type_hints
from uuid import UUID

import msgspec

from eventlab.domain.decider import Decider
from eventlab.events.registry import TypeRegistry

_PLAIN = (type(None), bool, int, float, complex, str, bytes, Decimal, date, time, timedelta, UUID, enum.Enum, type(...))
_NO_RULES = {"__module__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__firstlineno__"}


def fingerprint(decider: Decider[Any, Any, Any], registry: TypeRegistry, revision: int = 1) -> str:
    """64 hexadecimal digits for what ``decider`` makes of the events of ``registry``.

    They depend on the initial state, on the upcasters, and on all functions and classes that these, ``evolve`` and the
    type of the state reach by name, as long as they are Python and of the same packages: their code without comments,
    their defaults and constants, the fields of the classes with their types. They do not depend on tables that can
    change (dict, list, set): count ``revision`` up when one of those changes. Another Python version has other
    bytecode, so it gives other digits as well.
    """
    upcasters = [(entry.name, entry.schema_version, *entry.upcasters.items()) for entry in registry if entry.upcasters]
    state = type(decider.initial)
    code: list[Any] = [decider.evolve, state, *(step for entry in registry for step in entry.upcasters.values())]
    walk = _Walk({_package(inspect.unwrap(each)) for each in code})
    told = [walk.tell(each) for each in (*code, decider.initial, tuple(upcasters), revision)]
    return sha256("\n".join(told + walk.told).encode()).hexdigest()


class _Walk:
    """Tells what is reached, each function and class once; names stand for those of other packages."""

    def __init__(self, packages: set[str]) -> None:
        self._packages = packages
        self._seen: set[int] = set()
        self.told: list[str] = []

    def tell(self, thing: object) -> str:
        """``thing`` in words that say when it is another one; what it consists of is added to ``told``."""
        match thing:
            case type():
                return self._once(thing, self._of_class)
            case FunctionType():
                return self._once(thing, self._of_function)
            case MethodType():
                return f"{self.tell(thing.__self__)}.{self.tell(thing.__func__)}"
            case partial():
                return f"partial {self.tell(thing.func)} {self.tell(thing.args)} {self._pairs(thing.keywords.items())}"
            case property():
                return f"property {self.tell(thing.fget)}"
            case classmethod() | staticmethod():
                return f"{type(thing).__name__} {self.tell(thing.__func__)}"
        if wrapped := getattr(thing, "__wrapped__", None):
            return self.tell(wrapped)
        return self._value(thing)

    def _value(self, thing: object) -> str:
        match thing:
            case _ if isinstance(thing, _PLAIN):
                return repr(thing)
            case tuple():
                return f"({', '.join(self.tell(each) for each in thing)})"
            case frozenset():
                return f"frozenset({', '.join(sorted(self.tell(each) for each in thing))})"
            case MappingProxyType():
                return f"mapping({self._pairs(thing.items())})"
            case msgspec.Struct():
                return f"{self.tell(type(thing))}({self._pairs(msgspec.structs.asdict(thing).items())})"
            case CodeType():
                return self._code(thing, None)
        return self.tell(type(thing))

    def _pairs(self, items: Any) -> str:
        return ", ".join(f"{self.tell(key)}: {self.tell(value)}" for key, value in items)

    def _once(self, thing: Any, describe: Callable[[Any], Iterator[str]]) -> str:
        name = f"{thing.__module__}.{thing.__qualname__}"
        if _package(thing) in self._packages and id(thing) not in self._seen:
            self._seen.add(id(thing))
            self.told.append(f"{name}: {' | '.join(describe(thing))}")
        return name

    def _of_function(self, function: FunctionType) -> Iterator[str]:
        yield self._code(function.__code__, function.__doc__)
        yield self.tell(function.__defaults__)
        yield self._pairs((function.__kwdefaults__ or {}).items())
        yield self.tell(tuple(cell.cell_contents for cell in function.__closure__ or () if _filled(cell)))
        names = list(dict.fromkeys(_names(function.__code__)))
        for found in (function.__globals__[name] for name in names if name in function.__globals__):
            yield self.tell(found)
            if isinstance(found, ModuleType) and found.__name__.partition(".")[0] in self._packages:
                yield from (self.tell(getattr(found, name)) for name in names if hasattr(found, name))

    def _code(self, code: CodeType, doc: str | None) -> str:
        constants = [self.tell(each) for each in code.co_consts if doc is None or each != doc]
        return f"{code.co_code.hex()} {code.co_exceptiontable.hex()} {code.co_names} {constants}"

    def _of_class(self, cls: type) -> Iterator[str]:
        yield from (self.tell(base) for base in cls.__bases__)
        yield from self._fields(cls)
        for name, value in vars(cls).items():
            if name not in _NO_RULES and not name.startswith("__struct"):
                yield f"{name} {self.tell(value)}"

    def _fields(self, cls: type) -> Iterator[str]:
        try:
            hints = get_type_hints(cls)
        except (NameError, TypeError):  # a type that only exists for type checkers
            hints = dict(inspect.get_annotations(cls))
        for name, hint in hints.items():
            yield f"{name}: {self._hint(hint)}"
        if issubclass(cls, msgspec.Struct):
            for field in msgspec.structs.fields(cls):
                yield f"{field.encode_name} {self.tell(field.default)} {self.tell(field.default_factory)}"
        elif dataclasses.is_dataclass(cls):
            for each in dataclasses.fields(cls):
                yield f"{each.name} {self.tell(each.default)} {self.tell(each.default_factory)}"

    def _hint(self, hint: Any) -> str:
        parts = " ".join(self._hint(part) if get_args(part) else self.tell(part) for part in get_args(hint))
        return self.tell(hint) if isinstance(hint, type) and not parts else f"{hint!r} {parts}"


def _package(thing: Any) -> str:
    return (getattr(thing, "__module__", None) or "").partition(".")[0]


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False
