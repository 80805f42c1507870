"""The approved stored forms of every event type: what may stand in somebody's store, and what it is read as.

``approved/<type>.json`` lists each form that the type was ever written in, the newest last. A form that is there
never goes. ``python -m tests.events.approval`` adds the form that today's code writes; read the difference before you
commit it: nothing that was ``stored`` may change, and ``read_as`` only as you meant it.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any, get_type_hints

from eventlab.domain.money import Money
from eventlab.events.catalogue import registry as catalogue
from eventlab.events.codec import JsonCodec
from eventlab.events.registry import EventType, TypeRegistry
from eventlab.forgetting import SubjectForgotten

registry = TypeRegistry([*(entry.cls for entry in catalogue), SubjectForgotten])
APPROVED = Path(__file__).parent / "approved"
CODEC = JsonCodec(registry)


def sample(cls: type) -> object:
    """An event of the class, all of whose fields are set; the same one each time."""
    values: dict[object, object] = {
        int: 3,
        date: date(2026, 3, 3),
        date | None: date(2026, 3, 5),
        Money: Money(4990, "EUR"),
    }
    hints = get_type_hints(cls)
    return cls(**{name: name if kind is str else values[kind] for name, kind in hints.items()})


def file(entry: EventType) -> Path:
    return APPROVED / f"{entry.name}.json"


def approved(entry: EventType) -> list[dict[str, Any]]:
    """The forms on file, oldest first."""
    return json.loads(file(entry).read_text()) if file(entry).exists() else []


def written(entry: EventType) -> dict[str, Any]:
    """What today's code writes."""
    encoded = CODEC.encode(sample(entry.cls))
    return {"type": encoded.type, "schema_version": encoded.schema_version, "stored": json.loads(encoded.data)}


def read_as(form: dict[str, Any]) -> dict[str, Any]:
    """What today's code makes of a stored form: as it would write it again."""
    event = CODEC.decode(form["type"], form["schema_version"], json.dumps(form["stored"]))
    return json.loads(CODEC.encode(event).data)


def stored_form(form: dict[str, Any]) -> dict[str, Any]:
    return {key: form[key] for key in ("type", "schema_version", "stored")}


def main() -> None:
    """Add what today's code writes, and write anew what each form is read as."""
    APPROVED.mkdir(exist_ok=True)
    for entry in registry:
        forms = [stored_form(form) for form in approved(entry)]
        if written(entry) not in forms:
            forms.append(written(entry))
        file(entry).write_text(json.dumps([{**form, "read_as": read_as(form)} for form in forms], indent=2) + "\n")


if __name__ == "__main__":
    main()
