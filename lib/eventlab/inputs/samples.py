"""The sample files that come with the project, by name."""

from pathlib import Path

DATA = Path(__file__).parents[3] / "data"


def sample(name: str) -> Path:
    """The path of the sample file ``name`` in ``data/``, wherever the notebook runs. Raises FileNotFoundError."""
    found = {path.name: path for path in sorted(DATA.glob("*/*"))}
    if name not in found:
        raise FileNotFoundError(f"there is no sample {name!r} in {DATA}; there are: {', '.join(found) or 'none'}")
    return found[name]
