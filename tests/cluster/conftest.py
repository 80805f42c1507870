"""Labs that a test may break."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eventlab.cluster import Lab

from .labs import lab_in


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory for a lab that is not there yet."""
    return tmp_path / "lab"


@pytest.fixture
def own(home: Path) -> Iterator[Lab]:
    """A lab of the test's own, not started."""
    with lab_in(home) as lab:
        yield lab


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One lab for the tests of a module, not started."""
    with lab_in(tmp_path_factory.mktemp("shared") / "lab") as lab:
        yield lab
