"""Executes notebooks on live brokers and writes a report: each notebook with its outputs, its time and its result."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import jinja2
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert import HTMLExporter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from traitlets.config import Config

from eventlab import cluster
from eventlab.cluster import LabError
from eventlab.course.jupyter import project

# A cell that takes this long hangs: the longest experiment has a budget of 30 s.
_CELL_SECONDS = 300
# A widget has no kernel in a report: take the picture and table that it leaves instead.
_STATIC = Config(
    {
        "NbConvertBase": {
            "display_data_priority": ["text/html", "text/markdown", "image/svg+xml", "image/png", "text/plain"]
        }
    }
)
_TEMPLATE = Path(__file__).with_name("report.html.j2")


@dataclass(frozen=True)
class Result:
    """How one notebook went: ``error`` is None when each cell ran."""

    notebook: Path
    seconds: float
    cells: int
    error: str | None


def course() -> list[Path]:
    """Every notebook of the course, in order."""
    return sorted((project() / "notebooks").glob("*.ipynb"))


def run(notebooks: Sequence[Path], report: Path) -> list[Result]:
    """Execute ``notebooks`` one after the other on the lab's brokers and write ``report/index.html``.

    A notebook that fails does not stop the others. Raises LabError when no report can be written there.
    """
    with _writing(report):
        report.mkdir(parents=True, exist_ok=True)
    cluster.connect()  # one lab for all: the kernels find it
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    results = []
    with Progress(*columns) as progress:
        total = progress.add_task("course", total=len(notebooks))
        for path in notebooks:
            result = _execute(path, report, progress)
            results.append(result)
            mark = "ok" if result.error is None else "FAILED"
            progress.console.print(f"{mark:6}  {path.name}  {result.seconds:.1f} s")
            if result.error:
                progress.console.print(result.error, markup=False, highlight=False)
            progress.advance(total)
    _write_index(results, report)
    passed = sum(result.error is None for result in results)
    print(f"{passed} passed, {len(results) - passed} failed; report: {report / 'index.html'}")  # noqa: T201
    return results


def _execute(path: Path, report: Path, progress: Progress) -> Result:
    begin = time.monotonic()
    error = None
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError) as problem:
        return Result(path, 0.0, 0, f"{path} is not a notebook: {problem}")
    code = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    task = progress.add_task(f"  {path.stem}", total=len(code))
    client = NotebookClient(
        notebook,
        timeout=_CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent.absolute())}},
        on_cell_executed=lambda **_: progress.advance(task),
    )
    try:
        client.execute()
    except CellExecutionError as problem:
        error = f"{problem.ename}: {problem.evalue}\n{problem.traceback}"
    except (CellTimeoutError, DeadKernelError) as problem:
        error = str(problem)
    finally:
        progress.remove_task(task)
    # A report opens without a network: no scripts from elsewhere.
    nowhere = {
        "mathjax_url": "",
        "require_js_url": "",
        "widget_renderer_url": "",
        "jquery_url": "",
        "mermaid_js_url": "",
    }
    body, _ = HTMLExporter(config=_STATIC, embed_images=True, **nowhere).from_notebook_node(notebook)
    with _writing(report):
        (report / f"{path.stem}.html").write_text(body)
    return Result(path, time.monotonic() - begin, len(code), error)


def _write_index(results: Sequence[Result], report: Path) -> None:
    template = jinja2.Environment(autoescape=True).from_string(_TEMPLATE.read_text())
    page = template.render(results=results, when=datetime.now(UTC))
    with _writing(report):
        (report / "index.html").write_text(page)


@contextlib.contextmanager
def _writing(report: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LabError(
            f"The report cannot be written to {report} ({error.strerror}). Name a directory of yours that has room: "
            "--report DIRECTORY"
        ) from error
