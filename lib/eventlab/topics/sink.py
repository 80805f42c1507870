"""The database's side of a view of a topic: takes partitions over, and applies records to the view's tables."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, exists, func, insert, inspect, select, update

from eventlab.events.envelope import Position, Recorded
from eventlab.store.kafka_records import Record
from eventlab.store.trouble import told_plainly
from eventlab.topics.books import topic_books
from eventlab.topics.errors import Fenced, OutOfPlace, RecordFailed
from eventlab.topics.ledger import Ledger
from eventlab.topics.reading import Read
from eventlab.views import View, ViewError, create
from eventlab.views.bookkeeping import Home, begin, make_tables
from eventlab.views.errors import described, is_databases
from eventlab.views.following import where
from eventlab.views.projector import STALLED_MS
from eventlab.views.target import Target

_headers = msgspec.msgpack.Decoder(tuple[tuple[str, bytes], ...])


@dataclass
class Share:
    """A partition that its owner has taken: the epoch that says so, and the offset of the next record to apply."""

    partition: int
    epoch: int
    position: int


class Behind(Exception):
    """The checkpoint is not where its owner left it (a database that was set back): begin again from there."""


class Sink:
    """One version of ``view`` of ``topic``, which has so many ``partitions``."""

    def __init__(self, home: Home, view: View, topic: str, partitions: int, read: Read, park: bool) -> None:
        self.home, self.topic, self._read, self._park = home, topic, read, park
        self.target = Target(replace(view, lanes=partitions), home.schema)
        self.view = self.target.view
        self._books = topic_books(home.schema)
        self._where = where(home)
        self._this = {"view": view.name, "version": view.version}

    # -- made, taken over ---------------------------------------------------------------------------------------

    def make(self) -> None:
        """Make the tables of this version unless they are there.

        Raises ViewError when it is there as a view of another topic, or of another number of partitions.
        """
        owners = self._books.owners
        with told_plainly(self._where):
            with self.home.engine.connect() as connection:
                if inspect(connection).has_table(owners.name, self.home.schema) and self._is_made(connection):
                    return
            create(self.home, self.view)
            with self.home.engine.begin() as connection:
                begin(connection)
                make_tables(connection, self.home.schema)
                owners.metadata.create_all(connection)
                if not self._is_made(connection):
                    rows = [{"lane": lane, "topic": self.topic, "epoch": 0} for lane in range(self.view.lanes)]
                    connection.execute(insert(owners), [{**self._this, **row} for row in rows])

    def _is_made(self, connection: Connection) -> bool:
        owners = self._books.owners
        found = connection.execute(select(owners.c.topic).filter_by(**self._this)).scalars().all()
        if not found:
            return False
        if found[0] != self.topic:
            raise ViewError(f"the view {self.view} is one of the topic {found[0]}; raise its version and rebuild it")
        if len(found) != self.view.lanes:
            raise ViewError(
                f"{self.topic} had {len(found)} partitions when the view {self.view} was made, and has "
                f"{self.view.lanes} now: the order of its streams is lost. Copy it into a new topic and build "
                "the view anew"
            )
        self.target.positions(connection)
        return True

    def take(self, partitions: Iterable[int]) -> list[Share]:
        """Own these partitions from now on: whoever had them before writes nothing more."""
        owners = self._books.owners
        with told_plainly(self._where), self.home.engine.begin() as connection:
            begin(connection)
            shares = []
            for partition in sorted(partitions):
                position, epoch, _ = self._hold(connection, partition)
                shares.append(Share(partition, epoch + 1, position))
                mine = update(owners).filter_by(**self._this, lane=partition)
                connection.execute(mine.values(epoch=epoch + 1))
            return shares

    def _hold(self, connection: Connection, partition: int) -> tuple[int, int, bool]:
        """Take the partition's rows until the transaction ends: its position, its epoch, whether anything is parked."""
        checkpoints, owners, parked = self.target.books.checkpoints.c, self._books.owners.c, self._books.parked.c
        any_parked = exists().where(parked.view == self.view.name, parked.version == self.view.version)
        query = (
            select(checkpoints.position, owners.epoch, any_parked)
            .join_from(
                self.target.books.checkpoints,
                self._books.owners,
                (checkpoints.view == owners.view)
                & (checkpoints.version == owners.version)
                & (checkpoints.lane == owners.lane),
            )
            .where(*self.target.is_this, checkpoints.lane == partition)
        )
        if connection.dialect.name == "postgresql":
            stalled = func.set_config("idle_in_transaction_session_timeout", str(STALLED_MS), True)
            query = query.add_columns(stalled).with_for_update(of=[checkpoints.lane, owners.lane])
        row = connection.execute(query).one_or_none()
        if row is None:
            raise ViewError(
                f"the view {self.view} knows nothing of partition {partition} of {self.topic}: it was dropped, or "
                "partitions were added, and then the order of its streams is lost"
            )
        return row[0], row[1], bool(row[2])

    def live_positions(self, connection: Connection) -> dict[int, int]:
        """How far the version that readers see has got in each partition that this one has."""
        live, checkpoints = self.target.books.live.c, self.target.books.checkpoints.c
        query = (
            select(checkpoints.lane, checkpoints.position)
            .where(checkpoints.view == self.view.name, checkpoints.lane < self.view.lanes)
            .where(checkpoints.version == select(live.version).where(live.view == self.view.name).scalar_subquery())
        )
        return {lane: int(position) for lane, position in connection.execute(query)}

    # -- applied ------------------------------------------------------------------------------------------------

    def apply(self, share: Share, records: Sequence[Record], end: int) -> None:
        """Apply ``records``, all that there are from the share's position to the offset ``end``, and move it there.

        Rows, checkpoint and ledger are one transaction. Raises Fenced when somebody else has the partition, and
        RecordFailed for the first record that cannot be applied, with all before it applied.
        """
        for one_by_one in (False, True):
            with told_plainly(self._where):
                try:
                    return self._transact(share, records, end, one_by_one)
                except _Failed:
                    continue
        raise AssertionError("unreachable: records applied one by one do not raise _Failed")

    def _transact(self, share: Share, records: Sequence[Record], end: int, one_by_one: bool) -> None:
        with self.home.engine.begin() as connection:
            begin(connection)
            at, epoch, parked = self._hold(connection, share.partition)
            if epoch != share.epoch:
                raise Fenced(
                    f"another one has taken partition {share.partition} of {self.topic} over for the view {self.view}; "
                    "this one wrote nothing more"
                )
            if at != share.position:
                raise Behind
            failure = self.apply_within(connection, share.partition, records, one_by_one or parked)
            if failure is not None:
                end = failure.record.offset
            self.target.move(connection, Position(end), share.partition)
        share.position = end
        if failure is not None:
            raise failure

    def apply_within(
        self, connection: Connection, partition: int, records: Sequence[Record], one_by_one: bool = True
    ) -> RecordFailed | None:
        """Apply records in a transaction of the caller's; what failed, unless it was parked.

        Not ``one_by_one``: raises when anything is wrong, and then the transaction is spoilt.
        """
        ledger = Ledger(connection, self._books, self.view, partition)
        if one_by_one:
            failure = self._one_by_one(connection, ledger, partition, records)
        else:
            failure = None
            try:
                events = [self._read(record) for record in records]
                ledger.load(events)
                self.target.apply(connection, _admitted(ledger, events))
            except Exception as error:
                if is_databases(error):
                    raise
                raise _Failed from error
        ledger.flush()
        return failure

    def _one_by_one(
        self, connection: Connection, ledger: Ledger, partition: int, records: Sequence[Record]
    ) -> RecordFailed | None:
        held = self._held(connection, partition)
        for record in records:
            if record.key in held:
                self._set_aside(connection, record, f"waits for offset {held[record.key]} of its key")
            elif (error := self._try(connection, ledger, record)) is not None:
                if not self._park or record.key is None:
                    return RecordFailed(str(self.view), record, error)
                held[record.key] = record.offset
                self._set_aside(connection, record, described(error))
        return None

    def _try(self, connection: Connection, ledger: Ledger, record: Record) -> Exception | None:
        """Apply one record and say what was wrong; then nothing of it is written."""
        try:
            event = self._read(record)
        except Exception as error:
            return error
        ledger.load([event])
        try:
            admitted = ledger.admit(event)
        except OutOfPlace as error:
            return error
        if admitted is None:
            ledger.note_again(event)
            return None
        failed = self.target.apply_one(connection, admitted)
        if failed is None:
            ledger.note(admitted)
        return failed

    # -- parked -------------------------------------------------------------------------------------------------

    def _set_aside(self, connection: Connection, record: Record, error: str) -> None:
        values = {
            "lane": record.partition,
            "offset": record.offset,
            "key": record.key,
            "value": record.value,
            "headers": msgspec.msgpack.encode(record.headers),
            "error": error,
        }
        connection.execute(insert(self._books.parked), {**self._this, **values})

    def _held(self, connection: Connection, partition: int) -> dict[bytes | None, int]:
        """The parked keys of a partition, each with the offset of its first parked record."""
        parked = self._books.parked.c
        query = select(parked.key, func.min(parked.offset)).filter_by(**self._this, lane=partition)
        return {bytes(key): offset for key, offset in connection.execute(query.group_by(parked.key))}

    def parked(self, connection: Connection, **which: object) -> list[tuple[Record, str]]:
        """The parked records in order, each with what is wrong with it."""
        table = self._books.parked
        query: Select[Any] = select(table).filter_by(**self._this, **which).order_by(table.c.lane, table.c.offset)
        return [
            (Record(self.topic, row.lane, row.offset, row.key, row.value, _headers.decode(row.headers)), row.error)
            for row in connection.execute(query)
        ]

    def retry(self, partition: int, key: bytes) -> int:
        """Apply the parked records of a key in order, until one fails again; how many were applied."""
        table = self._books.parked
        with told_plainly(self._where), self.home.engine.begin() as connection:
            begin(connection)
            self._hold(connection, partition)  # stands still, so that no record of the key is parked behind our back
            ledger, done = Ledger(connection, self._books, self.view, partition), 0
            for record, _ in self.parked(connection, lane=partition, key=key):
                this = {**self._this, "lane": partition, "offset": record.offset}
                if (error := self._try(connection, ledger, record)) is not None:
                    connection.execute(update(table).filter_by(**this).values(error=described(error)))
                    break
                connection.execute(delete(table).filter_by(**this))
                done += 1
            ledger.flush()
        return done

    # -- looked at ----------------------------------------------------------------------------------------------

    def state(self) -> tuple[Mapping[int, int], list[tuple[Record, str]]]:
        """The position of each partition, and what is parked, at one moment."""
        with told_plainly(self._where), self.home.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return self.target.positions(connection), self.parked(connection)

    def forget(self, connection: Connection) -> None:
        """Remove what is remembered of this version."""
        for table in self._books:
            connection.execute(delete(table).filter_by(**self._this))


def _admitted(ledger: Ledger, events: Iterable[Recorded]) -> list[Recorded]:
    found = []
    for event in events:
        if (admitted := ledger.admit(event)) is None:
            ledger.note_again(event)
        else:
            ledger.note(admitted)
            found.append(admitted)
    return found


class _Failed(Exception):
    """Something is wrong in a batch: it is undone, and applied again record by record."""
