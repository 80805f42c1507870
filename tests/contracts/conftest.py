"""Every test here runs on every store. What Kafka cannot do is expected to fail, and must go on failing."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from eventlab.cluster import Kafka
from eventlab.store import EventStore, KafkaEventLog, NotSupported, Unavailable

from .backends import NAMES, Backend, Bootstrap

# How a behaviour that a store lacks shows itself; anything else is a broken test, not a known limit.
MISSING = (AssertionError, NotSupported, Unavailable, pytest.fail.Exception)

PROCESSES = 3


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
            continue
        reason = KafkaEventLog.CANNOT.get(item.originalname)
        if item.callspec.params.get("backend") == "kafka" and reason is not None:
            item.add_marker(pytest.mark.xfail(strict=True, reason=reason, raises=MISSING))


@pytest.fixture(params=NAMES)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each store in turn, empty."""
    match request.param:
        case "sqlite":
            return Backend("sqlite", request.getfixturevalue("sqlite_url"))
        case "postgres":
            return Backend("postgres", request.getfixturevalue("postgres_server"), schema=f"t{uuid.uuid4().hex}")
        case "kafka":
            kafka: Kafka = request.getfixturevalue("kafka")
            topic = kafka.topic("contract", retention_ms=-1)  # records have the times of the tests' clocks: see P20
            return Backend("kafka", topic, cluster=Bootstrap(kafka.bootstrap))
        case _:
            return Backend("memory")


@pytest.fixture
def store(backend: Backend) -> Iterator[EventStore]:
    store = backend.open()
    yield store
    store.close()


@pytest.fixture(scope="session")
def processes() -> Iterator[ProcessPoolExecutor]:
    """Processes of their own, which know nothing of this one's clients."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as processes:
        yield processes
