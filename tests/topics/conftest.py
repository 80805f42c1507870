"""A database of each kind for views of topics, and a log of three partitions."""

from collections.abc import Iterator

import pytest

from eventlab import settings
from eventlab.cluster import Kafka
from eventlab.store import KafkaEventLog
from eventlab.topics import Database


@pytest.fixture
def home(sql_url: str) -> Iterator[Database]:
    home = Database(sql_url)
    yield home
    home.close()


@pytest.fixture
def topic(kafka: Kafka) -> str:
    return kafka.topic("carts", 3, **settings.topic(1))


@pytest.fixture
def log(kafka: Kafka, topic: str) -> Iterator[KafkaEventLog]:
    log = KafkaEventLog(kafka, topic)
    yield log
    log.close()
