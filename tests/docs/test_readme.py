"""README.md: every block of code runs, or is checked against the files that it names; every statement of fact holds."""

import contextlib
import doctest
import io
import itertools
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import certifi
import click
import pytest
import redis
import sqlalchemy
import yaml
from confluent_kafka.admin import AdminClient

from eventlab.cli import main
from eventlab.cluster import Lab, elsewhere

from .blocks import Block, blocks, links
from .project import PROJECT, variables_read

README = PROJECT / "README.md"
BLOCKS = blocks(README)
TEXT = README.read_text()
MINUTES, WORDS_A_MINUTE = 3, 250


@pytest.fixture(scope="module")
def terminal(tmp_path_factory) -> Iterator[dict[str, str]]:
    """The environment of a learner's terminal: the installed command, a home of its own."""
    home = tmp_path_factory.mktemp("readme") / "home"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    yield {**os.environ, "EVENTLAB_HOME": str(home), "PATH": path}
    Lab(home).reset()


def run_eventlab(line: str, terminal: dict[str, str]) -> str:
    done = subprocess.run(shlex.split(line), cwd=PROJECT, env=terminal, capture_output=True, text=True)
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


def check_eventlab_exists(line: str, terminal: dict[str, str]) -> str:
    """`eventlab lab` would go on until Ctrl-C; the tests of the command line run it."""
    run_eventlab(f"{line} --help", terminal)
    return ""


def check_make(line: str, terminal: dict[str, str]) -> str:
    """make would set up and test inside the test; without running it, it knows the target or fails."""
    done = subprocess.run([*shlex.split(line), "--dry-run"], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "bootstrap.py" in done.stdout
    return ""


def check_activate(line: str, terminal: dict[str, str]) -> str:
    venv = re.search(r"^VENV := (.*)$", (PROJECT / "Makefile").read_text(), re.M)[1]
    assert line == f". {venv}/bin/activate"
    return ""


def check_export(line: str, terminal: dict[str, str]) -> str:
    name, value = line.removeprefix("export ").split("=", 1)
    assert name in variables_read()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        match name:
            case "EVENTLAB_SQL":
                assert sqlalchemy.make_url(elsewhere.sql_url()).get_dialect()
            case "EVENTLAB_KAFKA":
                assert elsewhere.bootstrap() == value
            case "EVENTLAB_REDIS":
                named = redis.Redis.from_url(elsewhere.redis_url()).get_connection_kwargs()
                assert named["host"] == "cache.example.com"
            case "EVENTLAB_PREFIX":
                assert elsewhere.prefix() == value
            case "EVENTLAB_KAFKA_CONFIG":
                assert elsewhere.config_file() == Path(value).expanduser()
    return ""


def check_conda(line: str, terminal: dict[str, str]) -> str:
    """No conda here: the file that the line names and the environment that the file makes."""
    environment = yaml.safe_load((PROJECT / "environment.yml").read_text())
    expected = ["conda env create -f environment.yml", f"conda activate {environment['name']}"]
    assert line in expected
    return ""


def check_compose(line: str, terminal: dict[str, str]) -> str:
    """No engine here: the file that Docker looks for, with something to build. test_compose.py tests the file."""
    assert line == "docker compose up --build"
    services = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]
    assert [service for service in services.values() if "build" in service]
    return ""


HANDLERS = {
    "eventlab lab": check_eventlab_exists,
    "eventlab": run_eventlab,
    "make": check_make,
    ".": check_activate,
    "export": check_export,
    "conda": check_conda,
    "docker compose": check_compose,
}


def run_bash(block: Block, terminal: dict[str, str]) -> str:
    printed = ""
    for line in block.lines:
        handler = next(HANDLERS[start] for start in HANDLERS if f"{line} ".startswith(f"{start} "))
        printed += handler(line, terminal)
    return printed


def run_python(block: Block, terminal: dict[str, str]) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block.text, f"{README}:{block.line}", "exec"), {})
    return printed.getvalue()


def check_properties(block: Block, terminal: dict[str, str]) -> str:
    file = Path(terminal["EVENTLAB_HOME"]).parent / "kafka.properties"
    file.write_text(re.sub(r"(?<=ssl\.ca\.location=).*", certifi.where(), block.text))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENTLAB_KAFKA_CONFIG", str(file))
        settings = elsewhere.client_config()
    assert len(settings) == len(block.lines)
    AdminClient({**settings, "bootstrap.servers": "127.0.0.1:1", "log_level": 0})  # raises for what it does not know
    return ""


RUN = {"bash": run_bash, "python": run_python, "properties": check_properties}
SOURCES = [block for block in BLOCKS if block.kind in RUN]
OUTPUTS = {before.line: after for before, after in itertools.pairwise(BLOCKS) if after.kind == "text"}


@pytest.mark.parametrize("block", SOURCES, ids=lambda block: f"line {block.line}")
def test_the_block_runs_and_prints_what_is_shown(block, terminal):
    printed = RUN[block.kind](block, terminal)
    if shown := OUTPUTS.get(block.line):
        assert doctest.OutputChecker().check_output(shown.text, printed, doctest.ELLIPSIS), printed


def test_no_block_is_left_out():
    assert len(BLOCKS) == TEXT.count("```") / 2
    assert len(SOURCES) + len(OUTPUTS) == len(BLOCKS) == 10


def test_the_two_commands_come_first():
    assert SOURCES[0].lines == ["make lab", "make test"]


def test_links_and_pictures_lead_somewhere():
    assert links(README)
    for target in links(README):
        assert (PROJECT / target).exists(), target


def test_the_picture_is_described():
    assert all(len(description) > 40 for description in re.findall(r"!\[(.*?)\]", TEXT))
    assert "![" in TEXT


def test_the_map_names_every_lesson_that_is_here():
    course = TEXT.split("\n## The course\n")[1].split("\n## ")[0]
    listed = re.findall(r"\[(\d\d) [^]]*\]\((.*?)\)", course)
    on_disk = sorted((PROJECT / "notebooks").glob("*.ipynb"))
    assert listed == [(path.name[:2], f"notebooks/{path.name}") for path in on_disk]


def test_every_command_and_variable_in_the_text_exists():
    commands = set(re.findall(r"`eventlab ([a-z]+)", TEXT))
    assert commands
    assert commands <= set(main.list_commands(click.Context(main)))
    assert set(re.findall(r"EVENTLAB_[A-Z_]+", TEXT)) <= variables_read()
    for target in re.findall(r"`make ([a-z-]+)`", TEXT):
        done = subprocess.run(["make", "--dry-run", target], cwd=PROJECT, capture_output=True)
        assert done.returncode == 0, target


def test_the_python_versions_are_those_of_the_project():
    assert "Python 3.11, 3.12 or 3.13" in TEXT
    assert 'requires-python = ">=3.11,<3.14"' in (PROJECT / "pyproject.toml").read_text()


def test_the_disk_that_it_asks_for_is_what_set_up_asks_for():
    needed = re.search(r"^NEEDED_BYTES = (\d+) \* 2\*\*30", (PROJECT / "lib/bootstrap.py").read_text(), re.M)[1]
    assert f"{needed} GB of disk" in TEXT
    assert f"{needed} GB of disk" in (PROJECT / "docs/facilitator.md").read_text()


def test_it_is_read_in_three_minutes():
    prose = re.sub(r"```.*?```|\]\(.*?\)|\|[-|]+\|", " ", TEXT, flags=re.S)
    assert len(re.findall(r"\w[\w'-]*", prose)) <= MINUTES * WORDS_A_MINUTE
