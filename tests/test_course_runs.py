"""The whole course, executed on live brokers: as many notebooks as there are on disk, none of them failing."""

from pathlib import Path

import pytest

from eventlab.course import runner

PROJECT = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS = 900  # up to 30 s for each of the course's thirty notebooks


@pytest.mark.timeout(PATIENCE_SECONDS)
def test_every_notebook_runs_from_top_to_bottom(lab: object) -> None:
    on_disk = {path.name for path in (PROJECT / "notebooks").rglob("*.ipynb") if "checkpoint" not in path.name}
    results = runner.run(runner.course(), PROJECT / "build" / "report")
    assert {result.notebook.name for result in results} == on_disk
    assert len(results) == len(on_disk) >= 5
    assert {result.notebook.name: result.error for result in results if result.error} == {}
    assert all(result.cells > 0 for result in results)
