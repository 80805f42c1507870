"""What the browser tests do with JupyterLab: open a page, run a notebook, change the theme, keep a picture."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

PROJECT = Path(__file__).parents[2]
REPORT = PROJECT / "build" / "report"
# Brokers, server, kernel and a notebook's longest cell all start cold on a busy two-core machine.
PATIENCE_SECONDS = 120
expect.set_options(timeout=30_000)  # milliseconds; a step takes some ten


@dataclass(frozen=True)
class Server:
    """A JupyterLab that runs on the project's directory."""

    url: str
    token: str


@contextmanager
def open_page(browser: Browser) -> Iterator[Page]:
    """An empty page of its own. AssertionError at the end if a script on the page raised an error."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(PATIENCE_SECONDS * 1000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert not errors


# Clicking "Run All" races with the kernel; the application's own promises do not.
_OPEN_AND_RUN = """async (path) => {
  const app = window.jupyterapp;
  await app.restored;
  const widget = await app.commands.execute("docmanager:open", { path });
  await widget.context.ready;
  await widget.sessionContext.ready;
  await widget.sessionContext.session.kernel.info;
  await app.commands.execute("notebook:run-all-cells");
}"""


def run_notebook(page: Page, server: Server, path: str) -> None:
    """Open the notebook ``path`` of the project in JupyterLab, alone on the screen, and run all its cells."""
    page.goto(f"{server.url}lab?reset&token={server.token}")
    page.wait_for_function("window.jupyterapp")
    page.evaluate(_OPEN_AND_RUN, path)
    page.evaluate("window.jupyterapp.shell.collapseLeft()")


def active_cell(page: Page) -> int:
    """Which cell of the open notebook is selected, from 0."""
    return int(page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex"))


def use_theme(page: Page, name: str) -> None:
    """Change JupyterLab's theme: ``Light`` or ``Dark``."""
    page.evaluate(
        "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", f"JupyterLab {name}"
    )
    expect(page.locator("body")).to_have_attribute("data-jp-theme-name", f"JupyterLab {name}")
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def screenshot(page: Page, name: str, *, readme: bool = False) -> None:
    """Keep what is seen now, for the report; a picture of the README too when ``EVENTLAB_UPDATE_IMAGES`` is set."""
    REPORT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=REPORT / f"{name}.png")
    if readme and os.environ.get("EVENTLAB_UPDATE_IMAGES"):
        images = PROJECT / "docs" / "images"
        images.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPORT / f"{name}.png", images / f"{name}.png")
