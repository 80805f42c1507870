"""A store in each of the two databases."""

from collections.abc import Iterator

import pytest

from eventlab.store import SqlEventStore


@pytest.fixture
def store(sql_url: str) -> Iterator[SqlEventStore]:
    store = SqlEventStore(sql_url)
    yield store
    store.close()
