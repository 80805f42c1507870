"""``eventlab archive``: what a user sees and what a script can test."""

import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eventlab.cli import main
from eventlab.events.envelope import StreamId
from eventlab.inputs.generate import demo_account
from eventlab.store import KafkaEventLog, SqlEventStore, sql
from eventlab.store import archive as module

ANA = StreamId("account", "ana")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["archive", *map(str, arguments)])


@pytest.fixture
def store(sqlite_url: str) -> SqlEventStore:
    store = SqlEventStore(sqlite_url, clock=lambda: datetime(2026, 3, 5, tzinfo=UTC))
    store.append(ANA, demo_account()[:50])
    return store


def test_written_brought_up_to_date_checked_and_restored(store: SqlEventStore, sqlite_url: str, tmp_path: Path) -> None:
    place = tmp_path / "archive"
    first = run("write", place, "--store", sqlite_url)
    assert (first.exit_code, first.output) == (0, f"50 events written; {place} has 50, up to position 50.\n")
    store.append(ANA, demo_account()[50:60])
    assert run("write", place, "--store", sqlite_url).output.startswith("10 events written;")
    checked = run("check", place)
    assert (checked.exit_code, checked.output) == (0, "60 events in 2 files, all as they were written.\n")
    other = f"sqlite:///{tmp_path / 'other.db'}"
    assert run("restore", place, "--store", other).output == "60 events restored.\n"
    restored = SqlEventStore(other)
    assert list(restored.read_stored()) == list(store.read_stored())
    again = run("restore", place, "--store", other)
    assert again.exit_code == 1
    assert "restore into an empty one" in again.stderr
    restored.close()
    store.close()


def test_without_a_store_it_uses_the_labs_database(
    store: SqlEventStore, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTLAB_SQL", sqlite_url)
    assert run("write", tmp_path / "archive", "--by", "day").output.startswith("50 events written")
    assert list((tmp_path / "archive").glob("day=*/*.parquet"))
    store.close()


def test_a_topic(kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    topic, other = kafka.topic("ana"), kafka.topic("again", retention_ms=-1)
    log = KafkaEventLog(kafka, topic)
    log.append(ANA, demo_account()[:5])
    assert run("write", tmp_path, "--topic", topic).output.startswith("5 events written")
    assert run("restore", tmp_path, "--topic", other).output == "5 events restored.\n"
    log.close()


def test_a_topic_that_would_forget_is_refused(kafka, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    topic, week, compacted = kafka.topic("ana"), kafka.topic("week"), kafka.topic("last", cleanup_policy="compact")
    log = KafkaEventLog(kafka, topic)
    log.append(ANA, demo_account()[:5])
    run("write", tmp_path, "--topic", topic)
    for other, why in (week, "retention.ms=604800000"), (compacted, "cleanup.policy=compact"):
        refused = run("restore", tmp_path, "--topic", other)
        assert refused.exit_code == 1
        assert why in refused.stderr
        assert f"--entity-name {other} --add-config cleanup.policy=delete,retention.ms=-1" in refused.stderr
        assert KafkaEventLog(kafka, other).head() == 0
    log.close()


def test_a_damaged_or_half_written_archive_is_one_message_and_exit_code_1(
    store: SqlEventStore, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "archive"
    for call in (("check", place), ("restore", place, "--store", f"sqlite:///{tmp_path / 'other.db'}")):
        nothing = run(*call)
        assert (nothing.exit_code, nothing.stdout) == (1, "")
        assert nothing.stderr.startswith(f"{place} holds no archive that was ever finished")
    monkeypatch.setattr(module, "_CHUNK", 20)
    monkeypatch.setattr(sql, "_PAGE", 10)
    real = module._put_manifest

    def stopping(at: Path, manifest: module.Manifest) -> None:
        if manifest.until == 40:
            raise KeyboardInterrupt
        real(at, manifest)

    monkeypatch.setattr(module, "_put_manifest", stopping)
    assert run("write", place, "--store", sqlite_url).exit_code == 128 + signal.SIGINT
    half = run("check", place)
    assert (half.exit_code, "write it again, which goes on there" in half.stderr) == (1, True)
    assert "is half-written" in run("restore", place, "--store", f"sqlite:///{tmp_path / 'other.db'}").stderr
    monkeypatch.undo()
    assert run("write", place, "--store", sqlite_url).output.startswith("30 events written")
    bad = next(place.rglob("*.parquet"))
    bad.write_bytes(b"")
    damaged = run("check", place)
    assert damaged.exit_code == 1
    assert str(bad) in damaged.stderr
    assert damaged.stderr.count("\n") == 1
    store.close()


@pytest.mark.parametrize(
    "wrong",
    [("--store", "mysql://x"), ("--store", "nonsense"), ("--by", "week"), ("--store", "sqlite:///x", "--topic", "y")],
)
def test_a_wrong_call_is_exit_code_2(tmp_path: Path, wrong: tuple[str, ...]) -> None:
    assert run("write", tmp_path / "archive", *wrong).exit_code == 2
    assert run("write").exit_code == 2
    assert not (tmp_path / "archive").exists()


def test_a_mistyped_store_is_not_taken_for_an_empty_one_and_nothing_is_made(
    store: SqlEventStore, sqlite_url: str, tmp_path: Path
) -> None:
    typo = f"sqlite:///{tmp_path / 'tset.db'}"
    mistyped = run("write", tmp_path / "archive", "--store", typo)
    assert (mistyped.exit_code, mistyped.stdout) == (1, "")
    assert mistyped.stderr == f"there is no file {tmp_path / 'tset.db'}, so nothing to archive; check --store\n"
    assert run("restore", tmp_path / "nowhere", "--store", typo).exit_code == 1
    assert sorted(path.name for path in tmp_path.iterdir() if "tset" in path.name or path.is_dir()) == []
    store.close()
