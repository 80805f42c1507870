"""What the tests of the documents compare with: the locked versions, and the variables that the library reads."""

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def locked() -> dict[str, str]:
    """Package → version in requirements.lock."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (PROJECT / "requirements.lock").read_text(), re.M))


def dependencies() -> list[str]:
    """What a user of the library needs, as pyproject.toml says it."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    return list(project["dependencies"])


def variables_read() -> set[str]:
    """The EVENTLAB_… variables that the library takes from its environment."""
    sources = "\n".join(path.read_text() for path in (PROJECT / "lib").rglob("*.py"))
    return set(re.findall(r"""environ(?:\.get\(|\[)["'](EVENTLAB_\w+)["']""", sources))
