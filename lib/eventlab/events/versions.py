"""Schema versions of one event type: a step up or down each, on the fields as JSON has them."""

from collections.abc import Callable, Mapping
from typing import Any

from eventlab.events.errors import UnknownSchemaVersion, Unreadable, Unwritable

Fields = dict[str, Any]
Step = Callable[[Fields], Fields]
"""From the fields of one schema version to those of its neighbour: a pure function, which may change what it is given.

Dates, times and identifiers are text here, money is an object: what stands in the JSON.
"""


def check_steps(name: str, schema_version: int, upcasters: Mapping[int, Step], downcasters: Mapping[int, Step]) -> None:
    """Raises ValueError unless the steps lead, without a gap, up to ``schema_version`` and down from it."""
    if sorted(upcasters) != list(range(schema_version - len(upcasters), schema_version)) or 0 in upcasters:
        raise ValueError(
            f"{name}: the upcasters start at the versions {sorted(upcasters)}; to reach version {schema_version} each "
            f"version from the first of them to {schema_version - 1} needs one"
        )
    lowest = schema_version - len(downcasters)
    if sorted(downcasters) != list(range(lowest + 1, schema_version + 1)) or lowest < 1:
        raise ValueError(
            f"{name}: the downcasters start at the versions {sorted(downcasters)}; from version {schema_version} each "
            "version down to the last but one needs one, and nothing lies below 1"
        )


def up(name: str, schema_version: int, upcasters: Mapping[int, Step], stored: int) -> list[Step]:
    """The steps from version ``stored`` to ``schema_version``. Raises UnknownSchemaVersion when there is no way."""
    if stored in upcasters:
        return [upcasters[version] for version in range(stored, schema_version)]
    cure = (
        "a newer program wrote it: run that one, or have it write what older readers know (downcast)"
        if stored > schema_version
        else f"register an upcaster from version {stored}"
    )
    raise UnknownSchemaVersion(
        f"{name} is stored in schema version {stored}, but this program reads "
        f"{' and '.join(map(str, [*sorted(upcasters), schema_version]))}; {cure}"
    )


def down(name: str, schema_version: int, downcasters: Mapping[int, Step], wanted: int) -> list[Step]:
    """The steps from ``schema_version`` to version ``wanted``. Raises UnknownSchemaVersion when there is no way."""
    if wanted == schema_version or wanted + 1 in downcasters:
        return [downcasters[version] for version in range(schema_version, wanted, -1)]
    raise UnknownSchemaVersion(
        f"{name} is in schema version {schema_version}, and no downcaster leads from there to version {wanted}"
    )


def walk_up(name: str, stored: int, steps: list[Step], fields: Fields) -> Fields:
    """``fields`` of version ``stored``, taken through ``steps``. Raises Unreadable when one of them fails."""
    for version, step in enumerate(steps, start=stored):
        try:
            fields = step(fields)
        except Exception as error:
            raise Unreadable(
                f"the stored data of {name} cannot be brought from schema version {version} to {version + 1}: {error!r}"
            ) from error
    return fields


def walk_down(name: str, written: int, steps: list[Step], fields: Fields) -> Fields:
    """``fields`` of version ``written``, taken through ``steps``. Raises Unwritable when one of them fails."""
    for number, step in enumerate(steps):
        try:
            fields = step(fields)
        except Exception as error:
            version = written - number
            raise Unwritable(
                f"{name} cannot be brought from schema version {version} to {version - 1}: {error!r} in {fields!r}"
            ) from error
    return fields
