"""How long from a clean clone to a kernel that answers (``make lab``), with and without caches?

Without: empty caches of pip, uv and Maven (everything comes over the network). With: the caches that the run before
filled. Again: the same clone a second time. There is no peer that does this in one command.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path

import psutil
import websocket

from benchmarks.table import Row, main, median

PROJECT = Path(__file__).resolve().parents[1]
PATIENCE = 600
POLL_SECONDS = 0.05


def until_kernel_answers(clone: Path, environment: dict[str, str]) -> float:
    """``make lab``, start a kernel as the browser does, run one cell; then stop it all. Gives seconds."""
    runtime = clone / "build" / "jupyter"
    begin = time.monotonic()
    log = clone / "lab.log"
    with log.open("w") as sink:
        make = subprocess.Popen(
            ["make", "lab", "ARGS=--no-browser", f"PYTHON={sys.executable}"],
            cwd=clone,
            env={**environment, "JUPYTER_RUNTIME_DIR": str(runtime)},
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        server = wait_for_server(runtime, make, log)
        ask_kernel(server)
        return time.monotonic() - begin
    finally:
        processes = psutil.Process(make.pid).children(recursive=True) if make.poll() is None else []
        for process in processes:
            process.terminate()
        psutil.wait_procs(processes, timeout=PATIENCE)
        make.wait()


def wait_for_server(runtime: Path, make: "subprocess.Popen[bytes]", log: Path) -> dict[str, str]:
    """The server's address and token, once it has written them down and answers."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for path in runtime.glob("jpserver-*.json"):
            try:
                server: dict[str, str] = json.loads(path.read_text())
                call(server, "api/status")
                return server
            except (OSError, ValueError):
                pass
        if make.poll() is not None:
            raise RuntimeError(f"make lab ended: {log.read_text()[-2000:]}")
        time.sleep(POLL_SECONDS)
    raise TimeoutError(log.read_text()[-2000:])


def call(server: dict[str, str], path: str, body: object = None) -> dict[str, str]:
    """One request to the server's own interface."""
    request = urllib.request.Request(
        server["url"] + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"token {server['token']}"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        found: dict[str, str] = json.load(answer)
        return found


def ask_kernel(server: dict[str, str]) -> None:
    """Start a kernel, execute ``6 * 7`` in it, wait for 42."""
    kernel = call(server, "api/kernels", {"name": "python3"})
    address = server["url"].replace("http", "ws", 1) + f"api/kernels/{kernel['id']}/channels?token={server['token']}"
    connection = websocket.create_connection(address, timeout=PATIENCE)
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "username": "",
        "session": "",
        "version": "5.3",
    }
    content = {"code": "6 * 7", "silent": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    connection.send(json.dumps(message))
    while True:
        answer = json.loads(connection.recv())
        if answer["msg_type"] == "execute_result":
            assert answer["content"]["data"]["text/plain"] == "42"
            connection.close()
            return


def measure(runs: int) -> list[Row]:
    """Three kinds of start, ``runs`` times each."""
    readings: dict[str, list[float]] = {"no caches": [], "caches, clean clone": [], "again": []}
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as scratch:
            caches = {"UV_CACHE_DIR": "uv", "PIP_CACHE_DIR": "pip", "M2_REPO": "m2", "XDG_CACHE_HOME": "xdg"}
            environment = {name: value for name, value in os.environ.items() if not name.startswith("EVENTLAB_")}
            environment |= {name: f"{scratch}/caches/{path}" for name, path in caches.items()}
            for kind in ("no caches", "caches, clean clone"):
                clone = Path(scratch) / kind.replace(" ", "-").replace(",", "")
                subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(clone)], check=True)
                readings[kind].append(round(until_kernel_answers(clone, environment), 1))
            readings["again"].append(round(until_kernel_answers(clone, environment), 1))
    return [
        Row(f"make lab to a kernel that answers, {kind}", median(found), None, "s", "none set", True, {"ours": found})
        for kind, found in readings.items()
    ]


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=1)
