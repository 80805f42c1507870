from dataclasses import dataclass

import pytest

from eventlab.events.errors import UnknownEventType
from eventlab.events.registry import TypeRegistry


@dataclass(frozen=True)
class Added:
    quantity: int


@dataclass(frozen=True)
class Removed:
    quantity: int


def test_the_class_name_is_the_default_type_name() -> None:
    entry = TypeRegistry([Added]).of_class(Added)
    assert (entry.name, entry.schema_version, entry.cls) == ("Added", 1, Added)


def test_a_renamed_class_keeps_its_stored_name() -> None:
    registry = TypeRegistry()
    registry.register(Added, name="ItemAdded", schema_version=2)
    assert registry.of_name("ItemAdded").cls is Added
    assert registry.of_class(Added).schema_version == 2


def test_register_serves_as_a_decorator() -> None:
    registry = TypeRegistry()

    @registry.register
    class Noted:
        pass

    assert registry.of_name("Noted").cls is Noted


def test_a_notebook_cell_may_run_twice() -> None:
    registry = TypeRegistry()

    def cell() -> type:
        @registry.register
        @dataclass(frozen=True)
        class Noted:
            text: str

        return Noted

    first, second = cell(), cell()
    assert registry.of_name("Noted").cls is second
    assert len(registry) == 1
    with pytest.raises(UnknownEventType):
        registry.of_class(first)


def test_one_name_never_stands_for_two_classes() -> None:
    registry = TypeRegistry([Added])
    with pytest.raises(ValueError, match="already stands for"):
        registry.register(Removed, name="Added")
    with pytest.raises(ValueError, match="already registered as 'Added'"):
        registry.register(Added, name="ItemAdded")
    assert [entry.cls for entry in registry] == [Added]


def test_what_is_not_registered_is_named() -> None:
    registry = TypeRegistry([Added])
    with pytest.raises(UnknownEventType, match=r"test_registry\.Removed"):
        registry.of_class(Removed)
    with pytest.raises(UnknownEventType, match="'Removed'"):
        registry.of_name("Removed")


def test_schema_versions_start_at_one() -> None:
    with pytest.raises(ValueError, match="start at 1"):
        TypeRegistry().register(Added, schema_version=0)
