"""A view: tables, and for each kind of event what it does to them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any
from zlib import crc32

from msgspec.structs import replace
from sqlalchemy import Table

from eventlab.events.envelope import Recorded, StreamId
from eventlab.views.rows import Row, Rows

Handler = Callable[[Rows, Recorded], None]


@dataclass(frozen=True, eq=False)
class View:
    """The definition of a view (also called projection or read model) of all events of a store.

    ``tables`` are SQLAlchemy's, with the names that readers use. ``handlers`` say by event class what an event does;
    other events pass by. A handler is ``(rows, recorded) -> None`` and writes through :class:`Rows`. It uses nothing
    but its arguments, so that the same events give the same rows when the view is built again.

    Raise ``version`` when handlers or columns change, and :func:`~eventlab.views.rebuild` the view: each version has
    tables of its own. With several ``lanes`` as many workers share the work: each stream belongs to one lane and keeps
    its order, so a row has to belong to one stream, or be changed by a single statement (``SET n = n + 1``).
    """

    name: str
    tables: tuple[Table, ...]
    handlers: Mapping[type, Handler]
    _: KW_ONLY
    version: int = 1
    lanes: int = 1

    def __post_init__(self) -> None:
        if not self.name or not self.tables:
            raise ValueError("a view needs a name and at least one table")
        if len({table.name for table in self.tables}) != len(self.tables):
            raise ValueError(f"two tables of the view {self.name} have the same name")
        if self.version < 1 or self.lanes < 1:
            raise ValueError(f"the view {self.name}: versions and lanes are counted from 1")

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    def lane(self, stream: StreamId) -> int:
        """The lane of ``stream``, from 0. The same in every process and on every machine, which hash() is not."""
        return 0 if self.lanes == 1 else crc32(str(stream).encode()) % self.lanes


def row_per_event(table: Table, rows: Mapping[type, Callable[[Recorded], Mapping[str, Any]]]) -> dict[type, Handler]:
    """Handlers that add a row for each event: a list of what happened, flat. ``rows`` gives the row by event class."""

    def handler(of: Callable[[Recorded], Mapping[str, Any]]) -> Handler:
        return lambda target, recorded: target.add(table, of(recorded))

    return {cls: handler(of) for cls, of in rows.items()}


def row_per_stream(
    table: Table, steps: Mapping[type, Callable[[Row | None, Recorded], Mapping[str, Any] | None]]
) -> dict[type, Handler]:
    """Handlers that keep one row for each stream: a table of how things stand now.

    The primary key of ``table`` is one column, for the name of the stream (``cart-17``). A step gets the row before
    (None at first; its key is filled in for you) and the event, and gives the row after, or None for no row.
    """
    if len(table.primary_key) != 1:
        raise ValueError(f"{table.name}: a row per stream needs a primary key of one column, for the stream's name")
    (key,) = table.primary_key

    def handler(step: Callable[[Row | None, Recorded], Mapping[str, Any] | None]) -> Handler:
        def handle(target: Rows, recorded: Recorded) -> None:
            stream = str(recorded.stream)
            after = step(target.get(table, stream), recorded)
            if after is None:
                target.delete(table, stream)
            else:
                target.put(table, {**after, key.name: stream})

        return handle

    return {cls: handler(step) for cls, step in steps.items()}


def with_parts(
    handlers: Mapping[type, Handler], cls: type, parts: Callable[[Any], Iterable[object]]
) -> dict[type, Handler]:
    """``handlers``, and one for the events of ``cls``, which stand for several: each part goes to its own handler.

    The view's side of :meth:`Decider.splitting <eventlab.domain.decider.Decider.splitting>`. All parts come in one
    transaction, in order, each in the envelope of the stored event: they share its version, position and id, so a
    table with a row per event needs another key than these.
    """

    def handle(target: Rows, recorded: Recorded) -> None:
        for part in parts(recorded.event):
            if handler := handlers.get(type(part)):
                handler(target, replace(recorded, event=part))

    return {**handlers, cls: handle}
