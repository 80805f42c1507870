"""The keys of the data subjects, in a database of their own: who deletes a key there has deleted what it sealed."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    func,
    inspect,
    select,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError

from eventlab.forgetting.errors import MissingKey, SubjectIsForgotten, WrongKey
from eventlab.store.driver import Driver, check_rested
from eventlab.store.tables import prepare_connection
from eventlab.store.trouble import told_plainly

KEY_BYTES = 32  # AES-256
NONCE_BYTES = 12  # what GCM is made for (NIST SP 800-38D, 5.2.1.1); random, so one key is good for 2**32 fields (8.3)
_MOST_HELD = 100_000  # keys in memory

_keys = Table(
    "data_keys",
    MetaData(),
    Column("subject", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    # Both are null once the subject is forgotten: the row stays, so that there is never a new key.
    Column("kek", Integer),
    Column("wrapped", LargeBinary),
)


_LOOK_UP = "SELECT subject, version, kek, wrapped FROM data_keys WHERE subject = :subject ORDER BY version"


class _Key(NamedTuple):
    """A row of the table; without ``kek`` and ``wrapped`` when the subject is forgotten."""

    subject: str
    version: int
    kek: int | None
    wrapped: bytes | None


def new_key() -> bytes:
    """A key-encryption key, to be kept where only the program can read it and no backup of the database goes."""
    return AESGCM.generate_key(KEY_BYTES * 8)


class KeyStore:
    """A data key per subject and version, each wrapped with a key-encryption key (KEK) that is not stored here.

    ``url`` is SQLAlchemy's, of a database that holds no events: keys in the same files and backups would make erasure
    worth nothing. ``keks`` are the key-encryption keys by their version, 32 bytes each; the greatest version wraps.
    Keys are held in memory for ``hold_seconds``: for so long another process may still read whom this one forgets.
    Raises ValueError for keys or a database that cannot serve, Unavailable when the database cannot be reached.

    On SQLite deleted keys are overwritten (``secure_delete``). PostgreSQL keeps them in dead rows, in its write-ahead
    log and in backups, as every copy of this database does: :meth:`rewrap` with a new KEK and then destroying the old
    one makes all of those copies worthless.
    """

    def __init__(self, url: str | URL, keks: Mapping[int, bytes], hold_seconds: float = 60.0) -> None:
        for version, kek in keks.items():
            if not isinstance(kek, bytes) or len(kek) != KEY_BYTES:
                raise ValueError(f"the key-encryption key {version} is not {KEY_BYTES} bytes; new_key() makes one")
        if not keks:
            raise ValueError("there is no key-encryption key; new_key() makes one: keks={1: new_key()}")
        self._keks = {version: AESGCM(kek) for version, kek in keks.items()}
        self._newest_kek = max(keks)
        self._hold = hold_seconds
        self._opening: dict[tuple[str, int], tuple[float, AESGCM | None]] = {}
        self._sealing: dict[str, tuple[float, int, AESGCM]] = {}
        try:
            address = make_url(url)
        except ArgumentError as error:
            raise ValueError(f"{url!r} is not a database URL; write for example sqlite:///keys.db") from error
        if address.get_backend_name() == "sqlite" and (not address.database or ":memory:" in address.database):
            raise ValueError("SQLite in memory is gone with its connection, and the keys with it; give a file")
        self._where = f"the key store {address.render_as_string(hide_password=True)}"
        # With one notation for parameters both databases take the same statements.
        style = {} if address.get_backend_name() == "postgresql" else {"paramstyle": "named"}
        self.engine = create_engine(address, **style)
        check_rested(self.engine)
        self._driver = Driver(self.engine, self._where)
        event.listen(self.engine, "connect", lambda made, _: self._prepare(made))
        with self._transaction() as connection:
            if connection.dialect.name == "postgresql":  # of several programs that come at once, one makes the table
                connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("eventlab data_keys", 0))))
            if inspect(connection).has_table("events"):
                raise ValueError(f"{self._where} holds events too; the keys need a database of their own")
            _keys.create(connection, checkfirst=True)

    def _prepare(self, made: Any) -> None:
        dialect = self.engine.dialect.name
        prepare_connection(made, dialect)
        if dialect == "sqlite":
            made.execute("PRAGMA secure_delete = ON")

    # -- to seal and to open ------------------------------------------------------------------------------------

    def to_seal(self, subject: str) -> tuple[int, AESGCM]:
        """The subject's newest key and its version; made when there is none.

        Raises SubjectIsForgotten, WrongKey, Unavailable.
        """
        held = self._sealing.get(subject)
        if held is None or held[0] < time.monotonic():
            held = self._hold_until(*self._newest(subject))
            self._make_room(self._sealing)
            self._sealing[subject] = held
        return held[1], held[2]

    def _hold_until(self, version: int, key: AESGCM) -> tuple[float, int, AESGCM]:
        return time.monotonic() + self._hold, version, key

    def _newest(self, subject: str) -> tuple[int, AESGCM]:
        rows = self._look_up(subject)
        if not rows:
            self._add(subject, first=True)
            return self._newest(subject)
        if any(row.wrapped is None for row in rows):
            raise SubjectIsForgotten(f"the subject {subject!r} has been forgotten: nothing personal of it is stored")
        return rows[-1].version, self._unwrapped(rows[-1])

    def to_open(self, subject: str, version: int) -> AESGCM | None:
        """The key of that version; None when the subject has been forgotten.

        Raises MissingKey, WrongKey, Unavailable.
        """
        held = self._opening.get((subject, version))
        if held is None or held[0] < time.monotonic():
            held = time.monotonic() + self._hold, self._find(subject, version)
            self._make_room(self._opening)
            self._opening[subject, version] = held
        return held[1]

    def _find(self, subject: str, version: int) -> AESGCM | None:
        rows = self._look_up(subject)
        if any(row.wrapped is None for row in rows):
            return None
        for row in rows:
            if row.version == version:
                return self._unwrapped(row)
        raise MissingKey(
            f"{self._where} has no key {version} of the subject {subject!r}, and does not say that it was forgotten: "
            "it is another key store, or an old copy"
        )

    # -- to keep and to destroy ---------------------------------------------------------------------------------

    def renew(self, subject: str) -> int:
        """Give the subject a new key for what comes; the old ones go on opening what they sealed. Its version.

        Raises SubjectIsForgotten, Unavailable.
        """
        version = self._add(subject, first=False)
        self._sealing.pop(subject, None)
        return version

    def rewrap(self) -> int:
        """Wrap all data keys with the newest KEK, and say how many were not. No event is touched.

        All or none. Raises WrongKey when a KEK is missing that still wraps some, and Unavailable.
        """
        with self._transaction() as connection:
            old = connection.execute(
                select(_keys).where(_keys.c.kek != self._newest_kek).with_for_update().order_by(*_keys.primary_key)
            ).all()
            for row in old:
                wrapped = self._wrapped(row.subject, row.version, self._data_key(_Key(*row)))
                connection.execute(
                    _keys.update()
                    .where(_keys.c.subject == row.subject, _keys.c.version == row.version)
                    .values(kek=self._newest_kek, wrapped=wrapped)
                )
        return len(old)

    def destroy(self, subject: str) -> bool:
        """Delete all keys of the subject, for good; whether there was one. Raises Unavailable, and then none is."""
        try:
            with self._transaction() as connection:
                rows = self._locked(connection, subject)
                connection.execute(_keys.update().where(_keys.c.subject == subject).values(kek=None, wrapped=None))
                if not rows:  # so that it never gets one
                    connection.execute(_keys.insert().values(subject=subject, version=1))
        except IntegrityError:  # it got its first key in this moment
            return self.destroy(subject)
        self._sealing.pop(subject, None)
        for held in [held for held in list(self._opening) if held[0] == subject]:
            self._opening[held] = (float("inf"), None)
        return any(row.wrapped is not None for row in rows)

    def knows(self, subject: str) -> bool:
        """Whether the subject has a key, or had one."""
        return bool(self._look_up(subject))

    def close(self) -> None:
        """Let go of connections and of the keys in memory."""
        self._opening.clear()
        self._sealing.clear()
        self.engine.dispose()

    # -- rows ---------------------------------------------------------------------------------------------------

    def _look_up(self, subject: str) -> list[_Key]:
        return [_Key(*row) for row in self._driver.rows(_LOOK_UP, subject=subject)]

    def _locked(self, connection: Connection, subject: str) -> list[_Key]:
        query = select(_keys).where(_keys.c.subject == subject).order_by(_keys.c.version).with_for_update()
        return [_Key(*row) for row in connection.execute(query)]

    def _add(self, subject: str, *, first: bool) -> int:
        """The version of a new key; where only the ``first`` is wanted, of another program's that was quicker."""
        try:
            with self._transaction() as connection:
                rows = self._locked(connection, subject)
                if any(row.wrapped is None for row in rows):
                    raise SubjectIsForgotten(f"the subject {subject!r} has been forgotten: it gets no new key")
                if first and rows:
                    return int(rows[-1].version)
                version = 1 + (rows[-1].version if rows else 0)
                wrapped = self._wrapped(subject, version, AESGCM.generate_key(KEY_BYTES * 8))
                connection.execute(
                    _keys.insert().values(subject=subject, version=version, kek=self._newest_kek, wrapped=wrapped)
                )
                return version
        except IntegrityError:
            return self._look_up(subject)[-1].version

    def _wrapped(self, subject: str, version: int, key: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._keks[self._newest_kek].encrypt(nonce, key, _about(subject, version))

    def _unwrapped(self, row: _Key) -> AESGCM:
        return AESGCM(self._data_key(row))

    def _data_key(self, row: _Key) -> bytes:
        what = f"{self._where}: the key {row.version} of the subject {row.subject!r}"
        if row.kek is None or row.wrapped is None or row.kek not in self._keks:
            mine = ", ".join(map(str, sorted(self._keks)))
            raise WrongKey(f"{what} is wrapped with the key-encryption key {row.kek}; given was only {mine}")
        nonce, sealed = row.wrapped[:NONCE_BYTES], row.wrapped[NONCE_BYTES:]
        try:
            return self._keks[row.kek].decrypt(nonce, sealed, _about(row.subject, row.version))
        except InvalidTag as error:
            raise WrongKey(
                f"{what} cannot be unwrapped: the key-encryption key {row.kek} is not the one it was wrapped with, or "
                "the row was changed"
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with told_plainly(self._where), self.engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def _make_room(self, held: dict[Any, Any]) -> None:
        if len(held) >= _MOST_HELD:
            held.clear()


def _about(subject: str, version: int) -> bytes:
    """What a wrapped key is bound to: moved to another row, it cannot be unwrapped."""
    return f"{version}\0{subject}".encode()
