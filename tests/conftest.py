"""The real brokers and databases that the tests share: one lab for the whole session."""

import contextlib
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psutil
import pytest
import sqlalchemy

from eventlab import cluster
from eventlab.cluster import Kafka, Lab

PATIENCE_SECONDS = 60

# How long an example takes says what else the machine had to do. A test that hangs has its timeout.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest test begins first, so that no worker waits for it at the end."""
    items.sort(key=lambda item: item.path.name != "test_course_runs.py")


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The session's home: tests touch neither the developer's lab nor what the developer's shell points at."""
    with pytest.MonkeyPatch.context() as patch:
        directory = tmp_path_factory.mktemp("home")
        patch.setenv("EVENTLAB_HOME", str(directory))
        for name in ("KAFKA", "KAFKA_CONFIG", "SQL", "REDIS", "REGISTRY", "PREFIX", "LEARNER"):
            patch.delenv(f"EVENTLAB_{name}", raising=False)
        yield directory
        Lab(directory).reset()
        left = wait_until_none_left(tmp_path_factory.getbasetemp())
        assert left == [], "these processes of the tests were left behind"


def wait_until_none_left(directory: Path) -> list[str]:
    """The command lines that still name something below ``directory``, once guards had the time to end."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
        left = [line for line in lines if f"{directory}/" in line]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.1)


@pytest.fixture(scope="session")
def lab(_own_home: Path) -> Lab:
    """The session's lab: one broker and PostgreSQL."""
    lab = Lab(_own_home)
    lab.up(1, with_postgres=True)
    return lab


@pytest.fixture(scope="module")
def kafka(lab: Lab) -> Iterator[Kafka]:
    """One broker. Topics are unique per test, ``kafka.topic("name")``, and go with the last test of the file."""
    with contextlib.closing(cluster.connect(brokers=1)) as kafka:
        yield kafka


@pytest.fixture(scope="module")
def kafka3(lab: Lab) -> Iterator[Kafka]:
    """Three brokers, beside the one. A few files need them, and idle they take as much of the processor as they are."""
    with cluster.up(brokers=3) as kafka:
        yield kafka


@pytest.fixture(scope="session")
def postgres_server(lab: Lab) -> str:
    """The URL of the session's PostgreSQL (its default database)."""
    return str(lab.status()["postgres"]["url"])


@pytest.fixture(scope="session")
def schema_registry(lab: Lab) -> str:
    """The URL of the session's schema registry. Topics, and so subjects, are unique per test."""
    lab.up(with_registry=True)
    return str(lab.status()["registry"]["url"])


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    engine = sqlalchemy.create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f"CREATE DATABASE {name} TEMPLATE template0"))
    yield sqlalchemy.make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def sql_url(request: pytest.FixtureRequest) -> str:
    """Each of the two databases in turn."""
    return str(request.getfixturevalue(f"{request.param}_url"))
