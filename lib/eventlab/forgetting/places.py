"""Where data is kept, and how to look there: databases with their files, topics, and any files and folders."""

import os
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from sqlalchemy import Connection, create_engine, inspect, select, text
from sqlalchemy import table as named
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from eventlab.forgetting import formats
from eventlab.forgetting.formats import Damaged
from eventlab.forgetting.leaks import Leak, Unsearched, Words
from eventlab.store.contract import Unavailable
from eventlab.store.trouble import told_plainly

_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 5  # a broker that is alive answers far sooner
_BEGINNING = 100  # bytes of a file that say what it is
_ROWS = 1_000
_SYSTEM = {"information_schema", "pg_catalog", "pg_toast"}

ROWS = "delete or overwrite these rows: rebuild the view, drop the snapshots; sealed events are not found"
FREE = "a deleted row left it there: VACUUM; PRAGMA secure_delete = ON keeps it from coming back"
IN_USE = "rows, or what a deleted row left between them: delete the rows, then VACUUM"
SQLITE_WAL = "PRAGMA wal_checkpoint(TRUNCATE), once no reader is left; again after VACUUM"
JOURNAL = "a crash left it: open the database, which rolls back, and check again"
HEAP = "rows, or dead ones, which a plain VACUUM need not overwrite: delete the rows, then VACUUM FULL"
PG_WAL = "CHECKPOINT, and wait until its files are overwritten: recycled ones keep their bytes (wal_recycle = off)"
SERVER_LOG = "the server logged a statement: delete the log, and log no parameters"
SEGMENT = "wait for retention, or compact with a tombstone for its key: a record cannot be taken out alone"
DELETED = "already deleted: it goes after file.delete.delay.ms, a minute by default"
TOPIC = "wait for retention, delete up to its offset, or a tombstone on a compacted topic; whoever read it has a copy"
PARQUET = "write the file again without it, or sealed; then delete the old file"
ZIPPED = "a copy: delete it, or let it expire, and know when"
PLAIN = "delete the file, or write it again without it"


_CONSUMER = {
    "group.id": "leak-check",  # a consumer must name a group even when it joins none
    "enable.auto.commit": False,
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 10,  # how long the broker waits for news at the end: the end shows sooner
    "isolation.level": "read_uncommitted",
    "log_level": 0,
}


class Files:
    """A file, or all files below a folder: plain, SQLite, PostgreSQL's, Kafka's segments, Parquet, gzip, zstd, lz4.

    Raises ValueError when there is nothing at ``path``: a mistyped path would come out clean.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise ValueError(f"there is nothing at {self.path}, so nothing to search; check the path")

    def search(self, words: Words) -> Iterator[Leak | Unsearched]:
        """See :meth:`Place.search <eventlab.forgetting.leaks.Place.search>`."""
        refused: list[Unsearched] = []

        def heard(error: OSError) -> None:
            refused.append(Unsearched(str(error.filename), str(error.strerror)))

        if self.path.is_file():
            yield from _file(self.path, words)
            return
        for folder, folders, names in os.walk(self.path, onerror=heard):
            folders.sort()
            for name in sorted(names):
                yield from _file(Path(folder, name), words)
        yield from refused


def _file(path: Path, words: Words) -> Iterator[Leak | Unsearched]:
    try:
        if not path.is_file():
            return  # a socket or a pipe holds nothing
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING)
            file.seek(0)
            for (where, cure), count in sorted(_found(path, file, beginning, words).items()):
                yield Leak(str(path), where, count, cure)
    except FileNotFoundError:
        return  # deleted since it was listed
    except (OSError, Damaged, struct.error) as error:
        yield Unsearched(str(path), str(error))


def _found(path: Path, file: BinaryIO, beginning: bytes, words: Words) -> Counter[tuple[str, str]]:
    """How often the words stand where, and what to do there."""
    zipped = next((codec for magic, codec in formats.ZIPPED.items() if beginning.startswith(magic)), None)
    if zipped:
        unzipped = formats.unpacking(file, zipped)
        return Counter({(f"inside the {zipped}", ZIPPED): n for n in [_count(unzipped, words)] if n})
    if beginning.startswith(formats.PARQUET):
        found: Counter[tuple[str, str]] = Counter()
        for name, data in formats.columns(path):
            found[f"column {name}", PARQUET] += len(words.at(data))
        found["between the columns (statistics, keys)", PARQUET] += _count(file, words)
        return +found
    if _is_segment(path) and formats.is_kafka(beginning):
        cure = DELETED if path.suffix == ".deleted" else SEGMENT
        found = Counter()
        for _, data in formats.batches(file):
            found["records of a segment", cure] += len(words.at(data))
        return +found
    if beginning.startswith(formats.SQLITE):
        size, free = formats.free_pages(path)
        kinds = {True: ("free pages", FREE), False: ("pages in use", IN_USE)}
        return Counter(kinds[at // size + 1 in free] for at in _hits(file, words))
    where = _kind(path)
    return Counter(where for _ in _hits(file, words))


def _is_segment(path: Path) -> bool:
    return ".log" in path.suffixes


def _kind(path: Path) -> tuple[str, str]:
    parts = path.parts
    if path.name.endswith("-wal"):
        return "write-ahead log", SQLITE_WAL
    if path.name.endswith("-journal"):
        return "rollback journal", JOURNAL
    if "pg_wal" in parts:
        return "write-ahead log", PG_WAL
    if "base" in parts and path.name.split(".")[0].split("_")[0].isdigit():
        return "table or index", HEAP
    if path.suffix == ".log":
        return "log file", SERVER_LOG
    return "file", PLAIN


def _hits(file: BinaryIO, words: Words) -> Iterator[int]:
    last = -1
    for offset, piece in formats.chunks(file, words.longest):
        for at in words.at(piece):
            if offset + at > last:  # the overlap was searched before
                last = offset + at
                yield last


def _count(file: BinaryIO, words: Words) -> int:
    return sum(1 for _ in _hits(file, words))


class Database:
    """The rows of all tables of a database, and its files where they are on this machine.

    ``url`` is SQLAlchemy's. SQLite: the file, its write-ahead log and journal. PostgreSQL: the data directory with the
    write-ahead log, if this user may read it; it holds the other databases of that server, too.
    Raises ValueError for a URL that is none, or of a file that is not there.
    """

    def __init__(self, url: str | URL) -> None:
        try:
            self._url = make_url(url)
        except ArgumentError as error:
            raise ValueError(f"{url!r} is not a database URL; write for example sqlite:///shop.db") from error
        self._where = self._url.render_as_string(hide_password=True)
        self._sqlite = self._url.get_backend_name() == "sqlite"
        if self._sqlite and not Path(self._url.database or "").is_file():
            raise ValueError(f"there is no file {self._url.database}, so nothing to search; check the URL")

    def search(self, words: Words) -> Iterator[Leak | Unsearched]:
        """See :meth:`Place.search <eventlab.forgetting.leaks.Place.search>`."""
        # Read-only: the last to close an SQLite file would else move its write-ahead log into it.
        engine = create_engine(f"sqlite:///file:{self._url.database}?mode=ro&uri=true" if self._sqlite else self._url)
        try:
            with told_plainly(self._where), engine.connect() as connection:
                yield from self._rows(connection, words)
                if not self._sqlite:
                    yield from self._server(connection, words)
        except Unavailable as error:
            yield Unsearched(self._where, str(error))
        finally:
            engine.dispose()
        if self._sqlite:
            file = Path(self._url.database or "")
            for path in (file, Path(f"{file}-wal"), Path(f"{file}-journal")):
                yield from _file(path, words)

    def _server(self, connection: Connection, words: Words) -> Iterator[Leak | Unsearched]:
        """What is in the files of a PostgreSQL server; those of this database with the names of their tables."""
        try:
            data = Path(str(connection.execute(text("SHOW data_directory")).scalar()))
        except DBAPIError:
            data = Path()  # for superusers and members of pg_read_all_settings only
        if not data.is_absolute() or not data.is_dir():
            yield Unsearched(self._where, "its files are not on this machine, or not for this user; search them there")
            return
        relations = text("SELECT pg_relation_filepath(oid), oid::regclass::text FROM pg_class WHERE relfilenode > 0")
        names = {str(data / path): name for path, name in connection.execute(relations)}
        for each in Files(data).search(words):
            name = names.get(each.place)
            yield replace(each, where=f"{each.where} {name}") if name and isinstance(each, Leak) else each

    def _rows(self, connection: Connection, words: Words) -> Iterator[Leak]:
        inspector = inspect(connection)
        schemas = [None] if self._sqlite else [name for name in inspector.get_schema_names() if name not in _SYSTEM]
        for schema in schemas:
            for name in sorted(inspector.get_table_names(schema)):
                found: Counter[str] = Counter()
                every = select(text("*")).select_from(named(name, schema=schema)).execution_options(yield_per=_ROWS)
                for row in connection.execute(every).mappings():
                    for column, value in row.items():
                        found[str(column)] += words.in_value(value)
                for column, count in sorted((+found).items()):
                    place = f"{schema}.{name}" if schema else name
                    yield Leak(self._where, f"table {place}, column {column}", count, ROWS)


class Cluster(Protocol):
    """What of :class:`eventlab.cluster.Kafka` is needed here."""

    def config(self, **overrides: Any) -> dict[str, Any]:
        """Settings for a client."""
        ...


class Topic:
    """The records of a topic as a consumer gets them: keys, values and headers, aborted transactions as well.

    What compaction or retention has taken away may still be in the segments: search those as ``Files`` of the broker.
    Raises ValueError for a topic that does not exist, Unavailable when no broker answers.
    """

    def __init__(self, kafka: Cluster, name: str) -> None:
        self._kafka, self._name = kafka, name
        try:
            with _consumer(kafka) as consumer:
                topic = consumer.list_topics(name, timeout=_PATIENCE_SECONDS).topics[name]
        except KafkaException as error:
            raise Unavailable(
                f"the topic {name} cannot be searched: {error.args[0].str()}; check with: eventlab status"
            ) from error
        if topic.error is not None:
            raise ValueError(f"there is no topic {name} ({topic.error.str()}); check the name")

    def search(self, words: Words) -> Iterator[Leak | Unsearched]:
        """See :meth:`Place.search <eventlab.forgetting.leaks.Place.search>`."""
        found: Counter[str] = Counter()
        try:
            for message in messages(self._kafka, self._name):
                where = f"partition {message.partition()}"
                found[f"{where}, keys"] += words.in_value(message.key())
                found[f"{where}, values"] += words.in_value(message.value())
                for name, value in message.headers() or ():
                    found[f"{where}, header {name}"] += words.in_value(value)
        except KafkaException as error:
            yield Unsearched(f"topic {self._name}", error.args[0].str())
        for where, count in sorted((+found).items()):
            yield Leak(f"topic {self._name}", where, count, TOPIC)


def messages(kafka: Cluster, topic: str) -> Iterator[Message]:
    """All records of a topic, partition by partition, those of aborted transactions too. Raises KafkaException."""
    with _consumer(kafka) as consumer:
        for partition in sorted(consumer.list_topics(topic, timeout=_PATIENCE_SECONDS).topics[topic].partitions):
            consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
            while True:
                message = consumer.poll(_PATIENCE_SECONDS)
                if message is None:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
                if message.error() is None:
                    yield message
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    break
                else:
                    raise KafkaException(message.error())


@contextmanager
def _consumer(kafka: Cluster) -> Iterator[Consumer]:
    consumer = Consumer(kafka.config(**_CONSUMER))
    try:
        yield consumer
    finally:
        consumer.close()
