"""How a handler writes: rows are gathered while a batch is applied and written together, which makes a rebuild fast."""

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Result,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

Row = dict[str, Any]
Key = tuple[Any, ...]


class Rows:
    """The tables of one version of a view, within the transaction that moves its checkpoint.

    A table is named by the Table that the view was defined with; ``rows[table]`` is the one of this version, for
    statements of your own. ``shared`` locks each row that is read until the transaction ends: for views to which
    several transactions write at once.
    """

    def __init__(self, connection: Connection, tables: Mapping[str, Table], shared: bool = False) -> None:
        self._connection, self._tables, self._shared = connection, tables, shared
        self._added: dict[str, list[Row]] = defaultdict(list)
        self._known: dict[tuple[str, Key], Row | None] = {}
        self._changed: set[tuple[str, Key]] = set()

    def __getitem__(self, table: Table) -> Table:
        return self._tables[table.name]

    def add(self, table: Table, row: Mapping[str, Any]) -> None:
        """A new row. Columns that it does not name are empty."""
        self._added[table.name].append(_whole(self[table], row))

    def get(self, table: Table, *key: Any) -> Row | None:
        """The row with this primary key, or None. Changing it changes nothing: :meth:`put` it back."""
        place = (table.name, key)
        if place not in self._known:
            _check(table, key)
            self._known[place] = self._load(table.name, key)
        row = self._known[place]
        return None if row is None else dict(row)

    def put(self, table: Table, row: Mapping[str, Any]) -> None:
        """A row, in place of the one with the same primary key if there is one."""
        target = self[table]
        whole = _whole(target, row)
        self._change(table, tuple(whole[column.name] for column in target.primary_key), whole)

    def delete(self, table: Table, *key: Any) -> None:
        """No row with this primary key any more; it may be missing already."""
        self._change(table, key, None)

    def execute(self, statement: Executable, parameters: Any = None) -> Result[Any]:
        """Run a statement of your own on ``rows[table]``, after all that was put before it."""
        self.flush()
        return self._connection.execute(statement, parameters)

    def flush(self) -> None:
        """Write what was gathered, and forget what was read."""
        added, self._added = self._added, defaultdict(list)
        for name, rows in added.items():
            self._connection.execute(insert(self._tables[name]), rows)
        kept, gone = defaultdict(list), defaultdict(list)
        for name, key in sorted(self._changed, key=repr):  # in one order, so that two transactions cannot deadlock
            row = self._known[name, key]
            (gone[name].append(_named(self._tables[name], key)) if row is None else kept[name].append(row))
        self._known.clear()
        self._changed.clear()
        for name, keys in gone.items():
            self._connection.execute(_delete(self._tables[name]), keys)
        for name, rows in kept.items():
            self._connection.execute(_upsert(self._connection.dialect.name, self._tables[name]), rows)

    def _change(self, table: Table, key: Key, row: Row | None) -> None:
        _check(table, key)
        self._known[table.name, key] = row
        self._changed.add((table.name, key))

    def _load(self, name: str, key: Key) -> Row | None:
        target = self._tables[name]
        if self._added.get(name):
            self.flush()
        if self._shared and self._connection.dialect.name == "postgresql":
            # Locks a row that is not there yet, too: two transactions that both found none would both put theirs.
            lock = func.hashtextextended(f"{target} {key!r}", 0)
            self._connection.execute(select(func.pg_advisory_xact_lock(lock)))
        found = self._connection.execute(_select(target), _named(target, key)).mappings().one_or_none()
        return None if found is None else dict(found)


def _whole(table: Table, row: Mapping[str, Any]) -> Row:
    unknown = row.keys() - table.c.keys()
    if unknown:
        raise ValueError(f"{table.name} has no column {', '.join(sorted(unknown))}; it has {', '.join(table.c.keys())}")
    return {name: row.get(name) for name in table.c.keys()}  # noqa: SIM118 (not a dict)


def _check(table: Table, key: Key) -> None:
    if len(key) != len(table.primary_key) or not key:
        raise ValueError(f"the primary key of {table.name} has {len(table.primary_key)} columns, not {len(key)}")


def _named(table: Table, key: Key) -> Row:
    return {f"key_{column.name}": value for column, value in zip(table.primary_key, key, strict=True)}


# One statement object for a table: SQLAlchemy then compiles it once, and not for each row.
@lru_cache
def _select(table: Table) -> Executable:
    return select(table).where(*_is_key(table))


@lru_cache
def _delete(table: Table) -> Executable:
    return delete(table).where(*_is_key(table))


@lru_cache
def _upsert(dialect: str, table: Table) -> Executable:
    put: Any = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    others = {column.name: put.excluded[column.name] for column in table.c if not column.primary_key}
    if not others:
        nothing: Executable = put.on_conflict_do_nothing()
        return nothing
    update: Executable = put.on_conflict_do_update(index_elements=table.primary_key, set_=others)
    return update


def _is_key(table: Table) -> list[ColumnElement[bool]]:
    return [column == bindparam(f"key_{column.name}") for column in table.primary_key]
