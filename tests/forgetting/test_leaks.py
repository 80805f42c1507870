"""The leak check finds what was planted wherever it was planted, and nothing where there is nothing."""

import gzip
import sqlite3
from pathlib import Path
from uuid import uuid4

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy
from confluent_kafka import Producer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from eventlab.cluster import Kafka
from eventlab.domain import account
from eventlab.forgetting import (
    FORGOTTEN,
    Database,
    Files,
    KeyStore,
    Report,
    Sealer,
    Topic,
    forget,
    formats,
    leak_check,
)
from eventlab.forgetting.catalogue import personal
from eventlab.store import KafkaEventLog, MemoryEventStore, SqlEventStore, SqlSnapshots, Unavailable

from .bank import ANA, BEN, REGISTRY, STORIES

NAME = "Ben Böttcher"
WORDS = [NAME]


class Bootstrap:
    """A cluster by its address, where none is."""

    def __init__(self, servers: str) -> None:
        self._servers = servers

    def config(self, **overrides: object) -> dict[str, object]:
        return {"bootstrap.servers": self._servers, **overrides}


def found_in(report: Report) -> set[str]:
    return {leak.where for leak in report.leaks}


def filled(url: str, keys: KeyStore | None = None) -> SqlEventStore:
    store = SqlEventStore(url, REGISTRY, sealing=keys and Sealer(keys, personal))
    for stream, events in STORIES.items():
        store.append(stream, events)
    return store


def sql(url: str, *statements: str) -> None:
    """Each a transaction of its own."""
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


# -- SQLite -----------------------------------------------------------------------------------------------------------


def test_a_store_in_clear_leaks_row_by_row_and_in_its_log(sqlite_url: str) -> None:
    store = filled(sqlite_url)  # open: its write-ahead log is still there
    report = leak_check(WORDS, Database(sqlite_url))

    assert found_in(report) == {"table events, column data", "write-ahead log"}
    assert next(leak.count for leak in report.leaks if leak.where.startswith("table")) == 2
    assert leak_check(WORDS, Database(sqlite_url)).count == report.count  # looking changed nothing
    store.close()
    assert found_in(leak_check(WORDS, Database(sqlite_url))) == {"table events, column data", "pages in use"}


def test_deleted_rows_stay_in_the_file_until_it_is_vacuumed(sqlite_url: str) -> None:
    filled(sqlite_url).close()
    blob = f"CREATE TABLE letters AS SELECT replace(printf('%.5000c', ' '), ' ', '{NAME} ') AS text"
    # Some builds of SQLite overwrite what is deleted unless told otherwise.
    sql(
        sqlite_url,
        "PRAGMA secure_delete = OFF",
        blob,
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "DELETE FROM events",
        "DELETE FROM letters",
    )

    assert found_in(leak_check(WORDS, Database(sqlite_url))) == {"pages in use", "free pages"}
    sql(sqlite_url, "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")
    assert leak_check(WORDS, Database(sqlite_url)).clean


def test_after_an_erasure_a_sealed_store_and_its_files_hold_nothing(keys: KeyStore, sql_url: str) -> None:
    store = filled(sql_url, keys)
    forget(store, keys, BEN.key, "letter")
    report = leak_check(["Ben Böttcher", "sofa, thanks"], Database(sql_url), Files(str(keys.engine.url.database)))

    assert report.clean, report.table().to_string()
    store.close()


def test_a_view_that_copied_the_name_is_told_with_what_to_do(keys: KeyStore, sql_url: str) -> None:
    store = filled(sql_url, keys)
    owner = store.load(BEN)[0][0].owner  # type: ignore[attr-defined]
    sql(sql_url, "CREATE TABLE statements_sent (account TEXT, address TEXT)")
    with store.engine.begin() as connection:
        connection.execute(text("INSERT INTO statements_sent VALUES ('1002', :owner)"), {"owner": owner})
    forget(store, keys, BEN.key, "letter")
    report = leak_check(WORDS, Database(sql_url))

    (leak,) = (leak for leak in report.leaks if leak.where.endswith("statements_sent, column address"))
    assert "rebuild the view" in leak.cure
    assert NAME not in repr(report)
    store.close()


def test_a_snapshot_holds_the_name_until_it_is_dropped_and_is_not_made_again(keys: KeyStore, sql_url: str) -> None:
    store = filled(sql_url, keys)
    snapshots = SqlSnapshots(store, every=1, registry=REGISTRY)
    for stream in (ANA, BEN):
        snapshots.take(store, account.decider, stream)
    forget(store, keys, BEN.key, "letter")

    def in_rows(name: str) -> list[str]:
        return [leak.cure for leak in leak_check([name], Database(sql_url)).leaks if "snapshots, column" in leak.where]

    assert len(in_rows(NAME)) == 1
    assert "snapshot" in in_rows(NAME)[0]
    snapshots.delete(BEN)
    with pytest.warns(
        RuntimeWarning, match=r"no snapshot was kept.*the Forgotten .* would come back as any other text$"
    ):
        assert snapshots.load(store, account.decider, BEN).state.owner is FORGOTTEN
    snapshots.load(store, account.decider, ANA)
    assert (in_rows(NAME), len(in_rows("Ana Almeida"))) == ([], 1)
    store.close()


# -- PostgreSQL -------------------------------------------------------------------------------------------------------


def test_postgresql_keeps_what_was_deleted_in_its_files_and_its_log(postgres_url: str) -> None:
    name = f"Señora {uuid4().hex}"  # other tests write to this server, too
    person = f"INSERT INTO person VALUES ('{name}')"
    sql(postgres_url, "CREATE TABLE person (name TEXT)", person, "DELETE FROM person", "CHECKPOINT")

    found = found_in(leak_check([name], Database(postgres_url)))
    assert {"table or index person", "write-ahead log"} <= found
    assert "table public.person, column name" not in found

    sql(postgres_url, "VACUUM FULL person", "CHECKPOINT")
    assert found_in(leak_check([name], Database(postgres_url))) <= {"write-ahead log"}


# -- Kafka ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_a_topic_leaks_through_its_records_and_its_segments(kafka: Kafka, codec: str) -> None:
    topic = kafka.topic("letters", partitions=2)
    producer = Producer(kafka.config(**{"compression.type": codec, "linger.ms": 50}))
    for number in range(40):  # many alike, so that they are packed
        producer.produce(topic, f"dear customer, this is letter {number} to {NAME}", str(number), partition=1)
    producer.produce(topic, "x", NAME, headers={"to": f"to {NAME}".encode()}, partition=0)
    assert producer.flush(10) == 0
    producer.close()

    report = leak_check(WORDS, Topic(kafka, topic))
    assert {leak.where: leak.count for leak in report.leaks} == {
        "partition 0, keys": 1, "partition 0, header to": 1, "partition 1, values": 40,
    }  # fmt: skip
    (folder,) = kafka.brokers[0].data.glob(f"{topic}-1")
    if codec in ("gzip", "zstd"):  # the others leave much of the text as it is
        assert NAME.encode() not in b"".join(path.read_bytes() for path in folder.iterdir())
    segments = leak_check(WORDS, Files(folder))
    assert [(leak.where, leak.count) for leak in segments.leaks] == [("records of a segment", 40)]


def test_a_sealed_log_holds_nothing_after_an_erasure(kafka: Kafka, keys: KeyStore) -> None:
    topic = kafka.topic("bank")
    log = KafkaEventLog(kafka, topic, REGISTRY, sealing=Sealer(keys, personal))
    for stream, events in STORIES.items():
        log.append(stream, events)
    forget(log, keys, BEN.key, "letter")

    (folder,) = kafka.brokers[0].data.glob(f"{topic}-0")
    assert leak_check(["Ana Almeida", "Ben Böttcher"], Topic(kafka, topic), Files(folder)).clean


def test_java_frames_its_snappy_blocks() -> None:
    text = f"dear {NAME}".encode() * 3
    block = pa.compress(text, "snappy", asbytes=True)
    framed = b"\x82SNAPPY\0" + bytes(8) + len(block).to_bytes(4, "big") + block
    assert formats.unpacked(framed + len(block).to_bytes(4, "big") + block, "snappy") == text * 2


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd"])
@pytest.mark.parametrize("kind", ["text", "dictionary", "nested", "binary"])
def test_parquet_leaks_column_by_column(tmp_path: Path, codec: str, kind: str) -> None:
    values = {
        "text": pa.array([NAME, "other"]),
        "dictionary": pa.array([NAME, "other"]).dictionary_encode(),
        "nested": pa.array([{"to": [NAME]}, {"to": ["other"]}]),
        "binary": pa.array([msgspec.json.encode({"to": NAME}), b"other"]),
    }[kind]
    (tmp_path / "year=2026").mkdir()
    pq.write_table(pa.table({"n": [1, 2], "data": values}), tmp_path / "year=2026" / "part.parquet", compression=codec)

    report = leak_check(WORDS, Files(tmp_path))
    assert [leak.count for leak in report.leaks if leak.where == "column data"] == [1]
    assert {leak.where for leak in report.leaks} <= {"column data", "between the columns (statistics, keys)"}


def test_an_archive_of_a_sealed_store_read_without_keys_holds_nothing(
    keys: KeyStore, sqlite_url: str, tmp_path: Path
) -> None:
    filled(sqlite_url, keys).close()
    events = [msgspec.json.encode(each.event) for each in SqlEventStore(sqlite_url, REGISTRY).read_all()]
    pq.write_table(pa.table({"data": events}), tmp_path / "archive.parquet")
    assert leak_check(WORDS, Files(tmp_path / "archive.parquet")).clean


def test_zipped_copies_are_opened(tmp_path: Path) -> None:
    (tmp_path / "dump.sql.gz").write_bytes(gzip.compress(f"INSERT INTO t VALUES ('{NAME}')".encode()))
    with pa.CompressedOutputStream(str(tmp_path / "dump.zst"), "zstd") as file:
        file.write(NAME.encode())
    report = leak_check(WORDS, Files(tmp_path))
    assert found_in(report) == {"inside the gzip", "inside the zstd"}


@pytest.mark.parametrize(
    "spelled",
    [NAME.encode(), NAME.upper().encode(), b"Ben B\\u00f6ttcher", NAME.encode("utf-16-le"), NAME.encode("latin-1")],
)
def test_a_name_is_found_however_it_is_spelled(tmp_path: Path, spelled: bytes) -> None:
    (tmp_path / "log").write_bytes(b"12 " + spelled + b"\n")
    assert leak_check(WORDS, Files(tmp_path)).count == 1


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.binary(max_size=200), after=st.binary(max_size=200), times=st.integers(0, 3))
def test_a_name_on_the_border_of_two_pieces_is_found_once(
    before: bytes, after: bytes, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "_CHUNK", 32)
    (tmp_path / "file").write_bytes(b"x" + before + NAME.encode() * times + after)
    assert leak_check(WORDS, Files(tmp_path / "file")).count == times


def test_what_could_not_be_searched_is_not_called_clean(tmp_path: Path) -> None:
    (tmp_path / "half.parquet").write_bytes(b"PAR1 and then the disk was full")
    (tmp_path / "half.gz").write_bytes(gzip.compress(bytes(range(256)) * 99)[:-40])
    report = leak_check(WORDS, Files(tmp_path))

    assert not report.clean
    assert not report.leaks
    assert {Path(each.place).name for each in report.unsearched} == {"half.parquet", "half.gz"}
    assert list(report.table()["what to do"]) == ["look yourself"] * 2


def test_what_cannot_be_meant_is_refused(tmp_path: Path, kafka: Kafka) -> None:
    with pytest.raises(ValueError, match="'Ben' is found everywhere by chance; give 5 letters or more"):
        leak_check(["Ben"], Files(tmp_path))
    with pytest.raises(ValueError, match="give a list of the words"):
        leak_check("Ben Böttcher", Files(tmp_path))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="give the places to search"):
        leak_check(WORDS)
    with pytest.raises(ValueError, match=r"nothing at .*nowhere"):
        Files(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"no file .*nowhere\.db"):
        Database(f"sqlite:///{tmp_path / 'nowhere.db'}")
    with pytest.raises(ValueError, match="is not a database URL"):
        Database("nowhere.db")
    with pytest.raises(ValueError, match="there is no topic nowhere"):
        Topic(kafka, "nowhere")
    with pytest.raises(Unavailable, match="the topic letters cannot be searched"):
        Topic(Bootstrap("127.0.0.1:1"), "letters")


def test_a_database_that_cannot_be_read_is_not_called_clean(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    sqlite3.connect(path).execute("CREATE TABLE t (x)").connection.close()
    Path(f"{path}-journal").write_bytes(b"what a crash left of " + NAME.encode())
    report = leak_check(WORDS, Database(f"sqlite:///{path}"), Database("postgresql+psycopg://nobody@127.0.0.1:1/none"))

    assert found_in(report) == {"rollback journal"}
    assert ["it is read-only" in report.unsearched[0].why, "cannot be used" in report.unsearched[1].why] == [True, True]


def test_memory_holds_sealed_texts_as_well(keys: KeyStore) -> None:
    store = MemoryEventStore(REGISTRY, sealing=Sealer(keys, personal))
    store.append(ANA, STORIES[ANA])
    assert not any(NAME in str(event.data) for event in store._log)
