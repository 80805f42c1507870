"""The bank of lesson 11: events, an address book, snapshots, a topic, an archive and a backup, in clear or sealed."""

import gzip
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import altair
import pandas as pd
from msgspec import Struct
from sqlalchemy import Column, Connection, MetaData, Table, Text, delete, insert, text

from eventlab import forgetting, show
from eventlab.cluster import Kafka, NeedsEmbeddedLab
from eventlab.domain import account
from eventlab.domain.account import Account, AccountOpened, Deposited, TransferReceived, TransferSent
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, Recorded, StreamId
from eventlab.events.registry import TypeRegistry
from eventlab.forgetting import (
    FORGOTTEN,
    SEALED,
    Database,
    Files,
    Forgotten,
    KeyStore,
    MissingKey,
    Personal,
    Report,
    Sealer,
    SubjectForgotten,
    Topic,
    new_key,
)
from eventlab.forgetting.catalogue import personal
from eventlab.forgetting.leaks import Place
from eventlab.show.charts import HEIGHT, WIDTH, Figure
from eventlab.store import Append, KafkaEventLog, SqlEventStore, state
from eventlab.store.archive import archive
from eventlab.store.snapshots import SqlSnapshots

REGISTRY = TypeRegistry([*account.EVENTS, SubjectForgotten])
ANA, BEN = "1001", "1002"
NAMES = {
    ANA: "Ana Almeida", BEN: "Ben Böttcher", "1003": "Carla Conti", "1004": "Dmitri Dudarev", "1005": "Elif Erdogan",
    "1006": "Femi Fashola", "1007": "Grete Gundersen", "1008": "Hiro Hayashi",
}  # fmt: skip
_TRANSFERS = 16
_WHAT_FOR = ("rent", "the concert", "the sofa", "lunch", "a loan", "the holidays")
_DAY = date(2026, 3, 2)

_addresses = Table("addresses", MetaData(), Column("customer", Text, primary_key=True), Column("name", Text))


class JointAccountOpened(Struct, frozen=True):
    """An account with two owners, for an exercise."""

    first_id: str
    first: str
    second_id: str
    second: str
    branch: str


class Bank:
    """Eight customers send each other money; every night their events go to a topic, an archive and a backup.

    ``sealed``: personal fields lie under a key per customer. Needs the lab's Kafka; its files go with the program.
    """

    def __init__(self, kafka: Kafka, *, sealed: bool, seed: int = 11) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="eventlab-bank-"))
        self.url = f"sqlite:///{self.folder / 'bank.db'}"
        self._kek_version, self.kek = 1, new_key()
        keks = {self._kek_version: self.kek}
        self.keys = KeyStore(f"sqlite:///{self.folder / 'keys.db'}", keks, hold_seconds=0)
        sealing = Sealer(self.keys, personal) if sealed else None
        self.store = SqlEventStore(self.url, REGISTRY, inline=[self._address], sealing=sealing)
        self.listens = False  # whether the address book listens to SubjectForgotten
        with self.store.engine.begin() as connection:
            _addresses.create(connection)
        self._kafka, self._topic = kafka, kafka.topic("account-events")
        self._log = KafkaEventLog(kafka, self._topic, REGISTRY, sealing=sealing)
        self.close = weakref.finalize(self, _close, self.store, self.keys, self._log, self.folder)
        self._live(Random(seed))  # noqa: S311 (no secret)
        self._night()

    # -- what happens --------------------------------------------------------------------------------------------

    def _live(self, rng: Random) -> None:
        for customer, name in NAMES.items():
            opened = AccountOpened(name, "EUR", Money.of("500.00", "EUR"), _DAY)
            salary = Deposited(Money(rng.randrange(1_500_00, 3_000_00), "EUR"), _DAY, f"salary of {name}")
            self.store.append(account_of(customer), [NewEvent(opened), NewEvent(salary)])
        for _ in range(_TRANSFERS):
            sender, receiver = rng.sample(sorted(NAMES), 2)
            amount, what = Money(rng.randrange(5_00, 60_00), "EUR"), rng.choice(_WHAT_FOR)
            sent = TransferSent(amount, _DAY, NAMES[receiver], f"for {what}")
            received = TransferReceived(amount, _DAY, NAMES[sender], f"for {what}, from {NAMES[sender].split()[0]}")
            self.store.append_all(
                [
                    Append(account_of(sender), [NewEvent(sent, metadata={"counterparty": receiver})]),
                    Append(account_of(receiver), [NewEvent(received, metadata={"counterparty": sender})]),
                ]
            )

    def _night(self) -> None:
        self._log.restore(self.store.read_stored())
        archive(self.store, self.folder / "archive")
        snapshots = SqlSnapshots(self.store, registry=REGISTRY)
        for customer in NAMES:
            snapshots.take(self.store, account.decider, account_of(customer))
        (self.folder / "backup.db.gz").write_bytes(gzip.compress(self._copy()))

    def _copy(self) -> bytes:
        """The database as a backup holds it."""
        copy = self.folder / "copy.db"
        self._run("VACUUM INTO :copy", copy=str(copy))
        data = copy.read_bytes()
        copy.unlink()
        return data

    def _address(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        """The view ``addresses``, within each append."""
        for each in recorded:
            match each.event:
                case AccountOpened(owner):
                    connection.execute(insert(_addresses).values(customer=each.stream.key, name=str(owner)))
                case SubjectForgotten(customer) if self.listens:
                    connection.execute(delete(_addresses).where(_addresses.c.customer == customer))

    # -- what the clerk does -------------------------------------------------------------------------------------

    def delete(self, customer: str) -> None:
        """What a clerk does who has a table in mind: the rows of this customer, and they are gone."""
        stream = str(account_of(customer))
        self._run("DELETE FROM events WHERE stream = :name", name=stream)
        self._run("DELETE FROM snapshots WHERE stream = :name", name=stream)
        self._run("DELETE FROM addresses WHERE customer = :name", name=customer)

    def rebuild(self) -> None:
        """A new address book, which listens, from all events; and snapshots when somebody needs one."""
        self.listens = True
        self._run("DELETE FROM addresses", "DELETE FROM snapshots")
        with self.store.engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            self._address(connection, list(self.store.read_all(types=[AccountOpened, SubjectForgotten])))

    def expire(self) -> None:
        """Delete the backups, as their retention says."""
        (self.folder / "backup.db.gz").unlink()

    def copy_keys(self) -> str:
        """A backup of the key store: its URL."""
        copy = self.folder / "backup-of-keys.db"
        shutil.copyfile(self.folder / "keys.db", copy)
        return f"sqlite:///{copy}"

    def rotate(self) -> Mapping[int, bytes]:
        """Wrap all keys with a new key-encryption key, and throw the old one away: what is left of them.

        The bank's own programs began with the old one: they read no personal text any more.
        """
        old = {self._kek_version: self.kek}
        self._kek_version, self.kek = self._kek_version + 1, new_key()
        new = {self._kek_version: self.kek}
        with closing(KeyStore(self.keys.engine.url, old | new)) as keys:
            keys.rewrap()
        self.keys.close()
        return new

    def vacuum(self) -> None:
        """Have SQLite write its file anew, and empty its write-ahead log."""
        self._run("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")

    def _run(self, *statements: str, **parameters: str) -> None:
        with self.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # Some builds of SQLite overwrite what is deleted; most do not.
            connection.execute(text("PRAGMA secure_delete = OFF"))
            for statement in statements:
                connection.execute(text(statement), parameters)

    # -- what there is -------------------------------------------------------------------------------------------

    def account(self, customer: str) -> Account:
        """The account as the events tell it."""
        return state(self.store, account.decider, account_of(customer))

    def missing(self) -> Money:
        """What was sent and never arrived, or the other way round: nothing in a bank whose books are right."""
        sent = received = Money.of("0.00", "EUR")
        for each in self.store.read_all(types=[TransferSent, TransferReceived]):
            event: Any = each.event
            if isinstance(event, TransferSent):
                sent += event.amount
            else:
                received += event.amount
        return sent - received

    def readable(self, customer: str, keys: KeyStore) -> int:
        """How many texts, of all that are sealed for a customer, somebody with the database and ``keys`` can read."""
        return int(self.by_key(customer, keys)["readable"].sum())

    def by_key(self, customer: str, keys: KeyStore) -> pd.DataFrame:
        """The texts that are sealed for a customer, by the version of their key; how many of them ``keys`` can read."""
        texts = []
        with closing(SqlEventStore(self.url, REGISTRY)) as without_keys:
            for stored in without_keys.read_all():
                cls: Any = type(stored.event)
                for name, whose in personal.get(cls, {}).items():
                    if getattr(stored.event, name).startswith(f"{SEALED}{customer}:"):
                        version = int(getattr(stored.event, name).split(":")[2])
                        sealer = Sealer(keys, Personal({cls: {name: whose}}))
                        try:
                            opened = getattr(sealer.open(stored.event, stored.id), name)
                        except MissingKey:
                            opened = FORGOTTEN
                        texts.append((version, not isinstance(opened, Forgotten)))
        frame = pd.DataFrame(texts, columns=["key version", "readable"])
        return frame.groupby("key version")["readable"].agg(texts="count", readable="sum").reset_index()

    def stored(self, customer: str) -> str:
        """The first rows of a customer's stream, as they lie in the database: a line each."""
        query = text("SELECT version, type, data FROM events WHERE stream = :stream ORDER BY version LIMIT 4")
        with self.store.engine.connect() as connection:
            rows = connection.execute(query, {"stream": str(account_of(customer))}).all()
        return "\n".join(f"{version} {type_} {data}" for version, type_, data in rows)

    def search(self, name: str) -> Report:
        """A leak check over everything the bank has: database, backup, archive, topic and its segments."""
        places: list[Place] = [Database(self.url), Files(self.folder / "archive"), Topic(self._kafka, self._topic)]
        places += [Files(path) for path in self.folder.glob("backup*")]
        with suppress(NeedsEmbeddedLab):  # on a cluster elsewhere, its files are not here
            places.append(Files(self._kafka.brokers[0].data / f"{self._topic}-0"))
        return forgetting.leak_check([name], *places)


_CIRCLES = [150, 1500]  # square pixels

# The beginning of what a leak's ``where`` says, and how the picture calls it.
_KINDS = {
    "table": "rows", "pages": "database file", "free": "database file", "write-ahead": "write-ahead log",
    "partition": "topic", "records": "segments", "column": "archive", "inside": "backup",
}  # fmt: skip


def picture(reports: Mapping[str, Report]) -> Figure:
    """How often a name was found, by kind of place, after each of several ways to forget it."""
    found = [
        (way, next(kind for words, kind in _KINDS.items() if leak.where.startswith(words)), leak.count)
        for way, report in reports.items()
        for leak in report.leaks
    ]
    frame = pd.DataFrame(found, columns=["way", "place", "times"]).groupby(["way", "place"], as_index=False).sum()
    base = altair.Chart(frame, width=WIDTH, height=HEIGHT / 2).encode(
        x=altair.X("place:N", title=None, axis=altair.Axis(labelAngle=0, orient="top"), sort=list(_KINDS.values())),
        y=altair.Y("way:N", title=None, scale=altair.Scale(domain=list(reports))),
    )
    chart = base.mark_circle(opacity=0.3).encode(
        size=altair.Size("times:Q", scale=altair.Scale(range=_CIRCLES), legend=None)
    ) + base.mark_text(fontSize=13).encode(text="times:Q")
    told = "; ".join(f"{way}: {report.count} times in {len(report.leaks)} places" for way, report in reports.items())
    return show.figure(
        chart, f"How often the name was found, a row per way of forgetting, a column per kind of place. {told}.", frame
    )


def account_of(customer: str) -> StreamId:
    """The stream of a customer's account."""
    return StreamId("account", customer)


def _close(store: SqlEventStore, keys: KeyStore, log: KafkaEventLog, folder: Path) -> None:
    for each in (store, keys, log):
        each.close()
    shutil.rmtree(folder, ignore_errors=True)
