"""JupyterLab as ``make lab`` opens it, in a real Chromium."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from .jupyter import PATIENCE_SECONDS, PROJECT, Server

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# What a notebook needs to be run and not to be changed: every cell rendered, nothing saved.
SETTINGS = {
    "docmanager-extension/plugin": {"autosave": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert found, (
        f"no Chromium found (looked for {', '.join(CHROMIUM)}). Debian and Ubuntu: apt-get install chromium. "
        "Others: install Chromium or Chrome so that it is on the PATH."
    )
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=quiet, timeout=1000 * PATIENCE_SECONDS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def jupyterlab(_own_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``eventlab lab`` with settings and run files of its own, brokers included; stopped at the end."""
    directory = tmp_path_factory.mktemp("jupyter")
    for name, settings in SETTINGS.items():
        path = directory / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    log = directory / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "eventlab", "lab", "--no-browser", "--LabApp.expose_app_in_browser=True"),
                f"--FileCheckpoints.checkpoint_dir={directory / 'checkpoints'}",  # JupyterLab makes one at each opening
            ],
            cwd=PROJECT,
            env=os.environ
            | {
                "JUPYTER_RUNTIME_DIR": str(directory / "runtime"),
                "JUPYTER_CONFIG_DIR": str(directory / "config"),
                "JUPYTERLAB_SETTINGS_DIR": str(directory / "settings"),
                "JUPYTERLAB_WORKSPACES_DIR": str(directory / "workspaces"),
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            # The command turns into the server, so the process id in the server's own file is the same.
            about = directory / "runtime" / f"jpserver-{process.pid}.json"
            wait_for(lambda: about.exists() or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            server = json.loads(about.read_text())
            yield Server(server["url"], server["token"])
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.1)
