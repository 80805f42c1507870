"""The audit table: who changed which column of which row, when, from what, to what. Never why.

It is written by the ORM's mapper events, the way it is bolted on in practice, with the hole which that way has: a bulk
``UPDATE`` or ``DELETE`` and plain SQL load no objects, so they fire no such events and leave no entry
(https://docs.sqlalchemy.org/en/20/orm/events.html, "after_update").
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, event, insert, inspect
from sqlalchemy.orm import Mapped, Mapper, mapped_column, object_session
from sqlalchemy.orm.attributes import History

from eventlab.crud.base import Audited, Base, UtcTime


class AuditEntry(Base):
    """One column of one row, before and after, as text; NULL where the row was not there."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    who: Mapped[str]
    table_name: Mapped[str]
    row_id: Mapped[str]
    column_name: Mapped[str]
    old: Mapped[str | None]
    new: Mapped[str | None]

    def __str__(self) -> str:
        change = f"{self.column_name}: {self.old} → {self.new}"
        return f"{self.at:%Y-%m-%d %H:%M} {self.who}: {self.table_name} {self.row_id}, {change}"


Values = Mapping[str, tuple[str | None, str | None]]


def _write(connection: Connection, row: Any, values: Values) -> None:
    session = object_session(row)
    if session is None or not values:
        return
    key = "/".join(map(str, inspect(row).mapper.primary_key_from_instance(row)))
    place = {"at": session.info["clock"](), "who": session.info["who"], "table_name": row.__tablename__, "row_id": key}
    connection.execute(
        insert(AuditEntry),
        [{**place, "column_name": column, "old": old, "new": new} for column, (old, new) in values.items()],
    )


def _columns(mapper: Mapper[Any], row: Any) -> dict[str, str]:
    return {column.key: str(getattr(row, column.key)) for column in mapper.column_attrs}


@event.listens_for(Audited, "after_insert", propagate=True)
def _inserted(mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    _write(connection, row, {column: (None, new) for column, new in _columns(mapper, row).items()})


@event.listens_for(Audited, "after_update", propagate=True)
def _updated(mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    history = {column.key: inspect(row).attrs[column.key].history for column in mapper.column_attrs}
    changed = {column: (_old(past), str(past.added[0])) for column, past in history.items() if past.has_changes()}
    _write(connection, row, changed)


def _old(past: History) -> str | None:
    """The value before; None where a new object took the place of one deleted in the same flush (a "row switch")."""
    return str(past.deleted[0]) if past.deleted else None


@event.listens_for(Audited, "after_delete", propagate=True)
def _deleted(mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    _write(connection, row, {column: (old, None) for column, old in _columns(mapper, row).items()})
