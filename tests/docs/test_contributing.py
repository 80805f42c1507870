"""CONTRIBUTING.md, followed step by step in a copy of the project: each guide ends in tests that pass there."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest

from .blocks import Block, blocks, links
from .project import PROJECT

CONTRIBUTING = PROJECT / "CONTRIBUTING.md"
TEXT = CONTRIBUTING.read_text()
# What was compiled is copied too: else each command compiles the library anew.
NOT_COPIED = shutil.ignore_patterns(".*", "build", "results")


def guide(heading: str) -> list[Block]:
    """The blocks under ``## heading``, in order."""
    first = TEXT[: TEXT.index(f"## {heading}\n")].count("\n")
    following = TEXT.find("\n## ", TEXT.index(f"## {heading}\n"))
    last = TEXT[:following].count("\n") if following > 0 else len(TEXT.splitlines())
    return [block for block in blocks(CONTRIBUTING) if first < block.line <= last]


class Checkout:
    """A copy of the project, and a terminal in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(PROJECT, root, ignore=NOT_COPIED)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {
            **os.environ,
            "PATH": path,
            "PYTHONPATH": str(root / "lib"),  # before the checkout that is installed
            "GIT_CEILING_DIRECTORIES": str(root.parent),
        }

    def run(self, *words: str, given: str = "") -> str:
        """What the command printed. It has to succeed."""
        done = subprocess.run(
            words, cwd=self.root, env=self.environment, input=given, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def follow(self, block: Block) -> None:
        """Type a block of commands, or apply a diff. Tests that are run have to be there, and to pass."""
        if block.kind == "diff":
            self.run("git", "apply", "-C1", given=block.text)
            return
        assert block.kind == "bash"
        for line in block.lines:
            printed = self.run(*shlex.split(line))
            assert "pytest" not in line or re.search(r"\b\d+ passed", printed), printed

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        assert not target.exists()
        target.write_text(text)

    def insert(self, path: str, before: str, text: str) -> None:
        """Put ``text`` in front of the only place where ``before`` stands."""
        target = self.root / path
        there = target.read_text()
        assert there.count(before) == 1, f"{path}: {before!r}"
        target.write_text(there.replace(before, text + before))

    def replace(self, path: str, old: str, new: str) -> None:
        self.insert(path, old, new)
        target = self.root / path
        target.write_text(target.read_text().replace(new + old, new))

    def formatted(self, *paths: str) -> None:
        self.run("ruff", "check", *paths)
        self.run("ruff", "format", "--check", *paths)


@pytest.fixture(scope="module")
def checkout(lab, tmp_path_factory) -> Checkout:
    """The copy; its terminal uses the lab of the tests."""
    return Checkout(tmp_path_factory.mktemp("contributing") / "eventlab")


NOTEBOOK, PLAN, SAMPLES = (
    "notebooks/99_socks.ipynb",
    "lib/eventlab/course/exercises/n99.py",
    "tests/course/samples/n99.py",
)


def test_a_lesson_and_one_exercise_more(checkout):
    """Both guides, then the tests that both end with."""
    copy, test, run = guide("A lesson")
    checkout.follow(copy)
    for words in ("# 99 · Socks", 'Lesson("99")', 'title="Socks"'):
        assert f"`{words}`" in TEXT
    checkout.replace(NOTEBOOK, "# 01 · Trousers", "# 99 · Socks")
    checkout.replace(NOTEBOOK, r"Lesson(\"01\")", r"Lesson(\"99\")")
    checkout.replace(PLAN, 'title="Trousers"', 'title="Socks"')
    add_the_exercise(checkout)
    assert "`python -m pytest tests/course -q -k NN`" in TEXT
    checkout.follow(test)
    checkout.follow(run)
    assert (checkout.root / "build/report/99_socks.html").exists()
    assert not any(cell.get("outputs") for cell in nbformat.read(checkout.root / NOTEBOOK, as_version=4).cells)


def add_the_exercise(checkout: Checkout) -> None:
    check, exercise, question, answer, wrong, context = (block.text for block in guide("An exercise"))
    checkout.insert(PLAN, "PLAN = Plan(", f"{check}\n\n")
    checkout.insert(PLAN, "    ),\n    recall=(", textwrap.indent(exercise.rstrip() + ",\n", " " * 8))
    for function, text in (("wrong", wrong), ("context", context)):
        into_the_dictionary_of(checkout.root / SAMPLES, function, text)
    checkout.insert(SAMPLES, "from eventlab.domain.money", "from eventlab.domain.cart import decider\n")
    notebook = nbformat.read(checkout.root / NOTEBOOK, as_version=4)
    (place,) = (n for n, cell in enumerate(notebook.cells) if cell.source.startswith("## Where this hides"))
    notebook.cells[place:place] = [
        nbformat.v4.new_markdown_cell(question.strip(), id="d-question"),
        nbformat.v4.new_code_cell(answer.strip(), id="d-answer"),
    ]
    nbformat.write(notebook, checkout.root / NOTEBOOK)


def into_the_dictionary_of(module: Path, function: str, entry: str) -> None:
    """Add ``entry``, written as a dictionary, to the one that ``function`` returns."""
    source = module.read_text()
    (found,) = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == function)
    dictionary = found.body[-1].value
    assert isinstance(dictionary, ast.Dict)
    lines = source.splitlines(keepends=True)
    last = lines[dictionary.end_lineno - 1]
    at = dictionary.end_col_offset - 1
    lines[dictionary.end_lineno - 1] = f"{last[:at]}**{entry.strip()}{last[at:]}"
    module.write_text("".join(lines))


def test_a_pitfall(checkout):
    module, run = guide("A pitfall")
    path = "lib/eventlab/pitfalls/producers/two_servers.py"
    checkout.write(path, module.text)
    checkout.formatted(path)
    gallery = "tests/pitfalls/test_gallery.py"
    source = (checkout.root / gallery).read_text()
    ids = re.search(r'def test_the_gallery_holds_these.*?(?P<last>"P\d+"),?\s*\]', source, re.S)
    assert ids
    changed = source[: ids.end("last")] + ', "P99"' + source[ids.end("last") :]
    (checkout.root / gallery).write_text(changed)
    checkout.follow(run)


def test_a_store(checkout):
    store, contract, run = guide("A store")
    path = "lib/eventlab/store/counting.py"
    checkout.write(path, store.text)
    checkout.formatted(path)
    checkout.follow(contract)
    checkout.formatted("tests/contracts")
    checkout.follow(run)


def test_an_event(checkout):
    change, run = guide("An event")
    checkout.follow(change)
    checkout.formatted("lib/eventlab/domain", "tests/domain", "tests/events")
    checkout.follow(run)


def test_no_guide_and_no_block_is_left_out():
    guides = ("A lesson", "An exercise", "A pitfall", "A store", "An event")
    assert re.findall(r"^## (An? .+)$", TEXT, re.M) == list(guides)
    picture = 1
    assert picture + sum(len(guide(heading)) for heading in guides) == len(blocks(CONTRIBUTING)) == 17
    assert len(blocks(CONTRIBUTING)) == TEXT.count("```") / 2


def test_links_and_paths_lead_somewhere():
    named = set(re.findall(r"`((?:lib|tests|docs|notebooks|benchmarks)/[\w/.]*)`", TEXT)) | set(links(CONTRIBUTING))
    assert len(named) > 10
    for path in named - {name for name in named if "NN" in name}:
        assert (PROJECT / path).exists(), path


def picture() -> dict[str, int]:
    """Room → line in the picture of the house, counted from the top."""
    drawn = next(block for block in blocks(CONTRIBUTING) if block.kind == "text")
    return {room: line for line, text in enumerate(drawn.lines) for room in text.split("   ")[0].split(" · ")}


def test_the_picture_shows_every_room_once():
    package = PROJECT / "lib/eventlab"
    rooms = {path.name for path in package.iterdir() if (path / "__init__.py").exists()} | {"cli"}
    assert set(picture()) == rooms


def test_each_room_imports_only_from_below():
    lines = picture()
    for path in (PROJECT / "lib/eventlab").rglob("*.py"):
        own = path.relative_to(PROJECT / "lib/eventlab").parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text())):
            for other in imported(node) - {own}:
                if own in lines and other in lines:
                    assert lines[other] > lines[own], f"{path} imports from {other}"


def imported(node: ast.AST) -> set[str]:
    """The rooms that an import statement names."""
    if isinstance(node, ast.ImportFrom):
        modules = [f"{node.module}.{alias.name}" for alias in node.names]
    elif isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    else:
        return set()
    return {module.split(".")[1] for module in modules if module.startswith("eventlab.")}
