"""JupyterLab on the course, with the lab's brokers for as long as it runs."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import eventlab
from eventlab import cluster
from eventlab.cluster.errors import LabError

FIRST = "notebooks/00_start_here.ipynb"
# What differs from JupyterLab's own defaults: it does not ask whether it may fetch news. The learner's settings win.
_CONFIG = Path(__file__).with_name("jupyter_config")


def project() -> Path:
    """The directory that holds the course. Raises LabError when eventlab was installed without it."""
    for directory in (Path(eventlab.__file__).parents[2], Path.cwd()):
        if (directory / FIRST).exists():
            return directory
    raise LabError(f"There is no {FIRST} here. Go to the directory of the course and try again.")


def serve(arguments: Sequence[str]) -> None:
    """Start the brokers, then become JupyterLab: this process turns into it, so the lab's lease is JupyterLab's.

    ``arguments`` go to ``jupyter lab``. The brokers stop when it ends, unless a notebook's kernel still lives.
    """
    root = project()
    print("Starting Kafka …", flush=True)  # noqa: T201
    kafka = cluster.connect()
    print(kafka, flush=True)  # noqa: T201
    options = [f"--ServerApp.root_dir={root}", f"--LabApp.default_url=/lab/tree/{FIRST}"]
    # Loopback only, also for the extension manager and the news that JupyterLab would fetch at its start.
    options += [
        "--ServerApp.ip=127.0.0.1",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    options += ["--LabApp.extension_manager=readonly"]
    if os.geteuid() == 0:
        options.append("--allow-root")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(
        filter(None, [os.environ.get("JUPYTER_CONFIG_PATH"), str(_CONFIG)])
    )
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *options, *arguments])  # noqa: S606
