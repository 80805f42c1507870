"""A bank whose stores seal, and its keys in a file of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eventlab.forgetting import KeyStore

from .bank import KEK


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[KeyStore]:
    """A key store in a file of its own; a key is looked up each time."""
    keys = KeyStore(f"sqlite:///{tmp_path / 'keys.db'}", {1: KEK}, hold_seconds=0)
    yield keys
    keys.close()
