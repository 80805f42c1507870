"""An SQLite file as the library wrote it until November 2026: ids and times are text."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from uuid import UUID

from eventlab.store.rules import StoredEvent

_TABLE = """
CREATE TABLE events (
  stream TEXT NOT NULL, version BIGINT NOT NULL, position INTEGER NOT NULL, type TEXT NOT NULL,
  schema_version INTEGER NOT NULL, data JSON NOT NULL, id CHAR(32) NOT NULL, valid_time DATETIME NOT NULL,
  recorded_time DATETIME NOT NULL, causation CHAR(32), correlation CHAR(32), metadata JSON NOT NULL,
  PRIMARY KEY (position), UNIQUE (stream, version), UNIQUE (id)
)
"""
_COLUMNS, _PLACES = ", ".join(StoredEvent._fields), ", ".join("?" * len(StoredEvent._fields))


def make(path: Path, events: Iterable[StoredEvent]) -> None:
    """The file, with these events."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(_TABLE)
    append(path, events)


def append(path: Path, events: Iterable[StoredEvent]) -> None:
    """As a program would that still runs with the library of before."""
    with closing(sqlite3.connect(path)) as database, database:
        database.executemany(f"INSERT INTO events ({_COLUMNS}) VALUES ({_PLACES})", map(_row, events))


def forms(path: Path) -> set[tuple[str, ...]]:
    """What ids and times are in the file."""
    with closing(sqlite3.connect(path)) as database:
        return set(
            database.execute("SELECT DISTINCT typeof(id), typeof(valid_time), typeof(recorded_time) FROM events")
        )


def _row(event: StoredEvent) -> tuple[object, ...]:
    stream, version, position, type_, schema, data, *others, metadata = event
    return str(stream), version, position, type_, schema, data, *map(_text, others), json.dumps(metadata)


def _text(value: object) -> str | None:
    match value:
        case UUID():
            return value.hex
        case datetime():
            return value.isoformat(" ", "microseconds").removesuffix("+00:00")
    return None
