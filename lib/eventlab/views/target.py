"""One version of a view in one database: its own tables, and events applied to them."""

from collections.abc import Sequence
from itertools import chain

from sqlalchemy import Connection, Constraint, Index, MetaData, Table, insert, select, update

from eventlab.events.envelope import Position, Recorded
from eventlab.views.bookkeeping import bookkeeping
from eventlab.views.errors import HandlerFailed, ViewError, described, is_databases
from eventlab.views.rows import Rows
from eventlab.views.view import View


class Target:
    """Version ``view.version`` of the view in ``schema``; the tables' names end in ``_v`` and the version."""

    def __init__(self, view: View, schema: str | None) -> None:
        self.view, self.schema = view, schema
        self.books = bookkeeping(schema)
        metadata = MetaData(schema=schema)
        self.tables = {table.name: _versioned(table, metadata, view.version) for table in view.tables}
        checkpoints, parked = self.books.checkpoints.c, self.books.parked.c
        self.is_this = (checkpoints.view == view.name, checkpoints.version == view.version)
        self.is_parked = (parked.view == view.name, parked.version == view.version)

    def rows(self, connection: Connection, shared: bool = False) -> Rows:
        """What handlers write through."""
        return Rows(connection, self.tables, shared)

    def positions(self, connection: Connection) -> dict[int, Position]:
        """How far each lane got. Raises ViewError unless this version is there with these lanes."""
        checkpoints = self.books.checkpoints.c
        query = select(checkpoints.lane, checkpoints.position).where(*self.is_this).order_by(checkpoints.lane)
        found = {lane: Position(position) for lane, position in connection.execute(query)}
        if not found:
            raise ViewError(f"the view {self.view} was dropped; raise the version of the view to build it again")
        if len(found) != self.view.lanes:
            raise ViewError(
                f"the view {self.view} was made with {len(found)} lanes, not {self.view.lanes}; "
                "raise its version and rebuild it"
            )
        return found

    def move(self, connection: Connection, position: Position, lane: int | None = None) -> None:
        """Set the checkpoint of a lane, or of all lanes."""
        checkpoints = self.books.checkpoints
        which = self.is_this if lane is None else (*self.is_this, checkpoints.c.lane == lane)
        connection.execute(update(checkpoints).where(*which).values(position=position))

    def apply(self, connection: Connection, events: Sequence[Recorded], shared: bool = False) -> None:
        """Hand each event to its handler, in order, and write the rows. Raises what a handler raises."""
        rows = self.rows(connection, shared)
        for recorded in events:
            handler = self.view.handlers.get(type(recorded.event))
            if handler is not None:
                handler(rows, recorded)
        rows.flush()

    def apply_one(self, connection: Connection, recorded: Recorded) -> Exception | None:
        """Apply one event and say what its handler raised; then nothing of it is written."""
        try:
            with connection.begin_nested():
                self.apply(connection, [recorded])
        except Exception as error:
            if is_databases(error):
                raise
            return error
        return None

    def apply_until_failure(
        self, connection: Connection, events: Sequence[Recorded], park: bool
    ) -> HandlerFailed | None:
        """One by one: a failing event is parked with all of its stream that follows, or ends it and is returned."""
        held: dict[str, Position] = self.parked_streams(connection)
        for recorded in events:
            stream = str(recorded.stream)
            if stream in held:
                self.park(connection, recorded, f"waits for position {held[stream]} of its stream")
            elif (error := self.apply_one(connection, recorded)) is not None:
                if not park:
                    return HandlerFailed(str(self.view), recorded, error)
                held[stream] = recorded.position
                self.park(connection, recorded, described(error))
        return None

    def park(self, connection: Connection, recorded: Recorded, error: str) -> None:
        """Set an event aside, to be applied once its handler is mended."""
        connection.execute(
            insert(self.books.parked).values(
                view=self.view.name,
                version=self.view.version,
                position=recorded.position,
                stream=str(recorded.stream),
                error=error,
            )
        )

    def parked_streams(self, connection: Connection) -> dict[str, Position]:
        """The parked streams, each with the position of its first parked event."""
        parked = self.books.parked.c
        query = select(parked.stream, parked.position).where(*self.is_parked).order_by(parked.position.desc())
        return {stream: Position(position) for stream, position in connection.execute(query)}


def _versioned(table: Table, metadata: MetaData, version: int) -> Table:
    """``table`` under the name of this version. Indexes and constraints share one space of names: theirs too."""
    name = f"{table.name}_v{version}"
    own = table.to_metadata(metadata, schema=metadata.schema, name=name)  # type: ignore[arg-type] # None is right, too
    names: chain[Index | Constraint] = chain(own.indexes, own.constraints)
    for named in names:
        if isinstance(named.name, str):
            named.name = f"{named.name}_v{version}"
    return own
