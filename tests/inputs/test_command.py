"""``eventlab import``: what a user sees and what a script can test."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eventlab.cli import main
from eventlab.inputs import sample
from eventlab.store import SqlEventStore


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["import", *map(str, arguments)])


def test_it_prints_what_was_read_stored_and_whether_it_reconciles(sql_url: str) -> None:
    result = run(sample("sparkasse-2026-03.sta"), "--store", sql_url)
    assert result.exit_code == 0, result.output
    assert "read        14 lines, mt940" in result.stdout
    assert "stored      14 new, 0 already known, in account-37040044/0532013000" in result.stdout
    assert "reconciles  yes, to the cent" in result.stdout
    again = run(sample("sparkasse-2026-03.sta"), "--store", sql_url)
    assert "stored      0 new, 14 already known" in again.stdout
    store = SqlEventStore(sql_url)
    assert sum(1 for _ in store.read_all()) == 15
    store.close()


def test_a_file_that_does_not_add_up_is_stored_and_exit_code_0(sqlite_url: str) -> None:
    result = run(sample("abnamro.sta"), "--store", sqlite_url)
    assert result.exit_code == 0
    assert "reconciles  no" in result.stdout
    assert "876.84 EUR" in result.stdout


def test_without_a_store_it_uses_the_labs_database(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    monkeypatch.setenv("EVENTLAB_SQL", sqlite_url)
    assert run(sample("chase.qfx"), "--account", "mine").exit_code == 0
    store = SqlEventStore(sqlite_url)
    assert {str(recorded.stream) for recorded in store.read_all()} == {"account-mine"}
    store.close()


def test_options_reach_the_reader(sqlite_url: str) -> None:
    result = run(sample("own-bank.csv"), "--mapping", sample("own-bank.toml"), "--store", sqlite_url, "--format", "csv")
    assert result.exit_code == 0, result.output
    assert "in account-01-2345-6" in result.stdout


def test_a_file_that_names_no_account_says_so_until_one_is_given(sqlite_url: str) -> None:
    without = run(sample("chase.csv"), "--store", sqlite_url)
    assert "the file does not name its account, so it is called chase" in without.stdout
    named = run(sample("chase.csv"), "--store", sqlite_url, "--account", "mine")
    assert "in account-mine" in named.stdout
    assert "does not name" not in named.stdout


def test_a_statement_is_not_taken_for_orders(sqlite_url: str) -> None:
    result = run(sample("chase.csv"), "--store", sqlite_url, "--format", "orders")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("chase.csv: the columns are those of a bank statement (chase)")


def test_a_wrong_file_is_one_message_and_exit_code_1(tmp_path: Path, sqlite_url: str) -> None:
    path = tmp_path / "cut.sta"
    path.write_bytes(sample("sparkasse-2026-03.sta").read_bytes()[:700])
    result = run(path, "--store", sqlite_url)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("cut.sta, line 2, field 20: the message has no closing balance")
    assert result.stderr.endswith("Nothing was stored.\n")
    store = SqlEventStore(sqlite_url)
    assert not list(store.read_all())
    store.close()


def test_a_missing_file_is_exit_code_1(tmp_path: Path, sqlite_url: str) -> None:
    result = run(tmp_path / "nope.csv", "--store", sqlite_url)
    assert (result.exit_code, "there is no such file" in result.stderr) == (1, True)


def test_a_database_that_does_not_work_is_exit_code_1(tmp_path: Path) -> None:
    result = run(sample("chase.qfx"), "--store", f"sqlite:///{tmp_path}/no/such/folder/x.db")
    assert result.exit_code == 1
    assert result.stderr.startswith("The store does not work")


def test_a_url_that_cannot_serve_is_blamed_on_what_gave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTLAB_SQL", "postgresql+psycopg2://ana@db.example.com/lab")
    result = run(sample("chase.qfx"))
    assert result.exit_code == 2
    assert "Invalid value for EVENTLAB_SQL: the driver of postgresql+psycopg2 is not installed" in result.stderr
    assert "write sqlite:/// or postgresql+psycopg://" in result.stderr
    assert "Invalid value for --store" in run(sample("chase.qfx"), "--store", "nonsense").stderr


@pytest.mark.parametrize("wrong", [("--format", "qif"), ("--store", "mysql://x"), ("--store", "nonsense"), ("--nope",)])
def test_a_wrong_call_is_exit_code_2(wrong: tuple[str, ...]) -> None:
    assert run(sample("chase.qfx"), *wrong).exit_code == 2
    assert run().exit_code == 2


def test_learners_share_a_database_without_meeting(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTLAB_SQL", postgres_url)
    for learner in ("ana", "ben-2.b"):
        monkeypatch.setenv("EVENTLAB_PREFIX", learner)
        first = run(sample("ing-de.csv"))
        again = run(sample("ing-de.csv"))
        assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
        assert " 0 already known" in first.output
        assert " 0 new" in again.output
