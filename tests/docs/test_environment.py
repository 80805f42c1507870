"""environment.yml gives conda users the packages that everybody else has."""

import re
import subprocess
import sys

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from .project import PROJECT, dependencies, locked

ENVIRONMENT = yaml.safe_load((PROJECT / "environment.yml").read_text())
CONDA = [entry for entry in ENVIRONMENT["dependencies"] if isinstance(entry, str)]
(PIP,) = (entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict))
PINNED = [line for line in PIP if line != "-e ."]


def test_the_packages_are_those_of_the_project_and_the_project_itself():
    assert PIP[-1] == "-e ."
    without_versions = [str(Requirement(re.sub("==[^;]+", "", line, count=1))) for line in PINNED]
    assert without_versions == [_without_bound(line) for line in dependencies()]


def _without_bound(line):
    """What the project takes has a bound where a newer version does not run on all its Pythons."""
    wanted = Requirement(line)
    wanted.specifier = SpecifierSet()
    return str(wanted)


@pytest.mark.parametrize("line", PINNED)
def test_the_versions_are_those_of_the_lock(line):
    wanted = Requirement(line)
    assert str(wanted.specifier) == f"=={locked()[wanted.name]}"


def test_python_is_of_the_versions_that_the_project_takes():
    (python,) = (entry.removeprefix("python ") for entry in CONDA if entry.startswith("python "))
    wanted = re.search(r'requires-python = "(.*)"', (PROJECT / "pyproject.toml").read_text())[1]
    assert python == wanted
    assert "pip" in CONDA


def test_pip_takes_the_lines_as_they_stand():
    """Every package is in this environment, so pip resolves without the network. (`-e .` would build; left out.)"""
    offline = ["--dry-run", "--no-index", "--no-deps", "--disable-pip-version-check"]
    done = subprocess.run([sys.executable, "-m", "pip", "install", *offline, *PINNED], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Requirement already satisfied") == len(PINNED)
