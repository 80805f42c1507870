"""Sets the lab up: packages into .venv, then the Java runtime, Kafka and its warm cache. What `make setup` runs.

Needs only Python's standard library. It starts uv through pip, so that whatever makes pip work here (index, proxy,
certificates) makes the rest work too. What is done already is not done again; what was cut off goes on.

    python3 lib/bootstrap.py          set up
    python3 lib/bootstrap.py --lock   resolve requirements.lock and jars.lock again, then set up
"""

from __future__ import annotations

import ast
import hashlib
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "eventlab.stamp"
LOCKS = [PROJECT / "requirements.lock", PROJECT / "pyproject.toml", PROJECT / "lib/eventlab/cluster/jars.lock"]
OLDEST, NEWEST = (3, 11), (3, 13)
NEEDED_BYTES = 3 * 2**30  # environment 1.5 GB, uv's cache about as much
HEARD_BYTES = 20_000
# What pip calls it, and what uv, and the jar download after it, read. (`pip config list` merges all of pip's sources.)
FROM_PIP = {
    "index-url": ["UV_DEFAULT_INDEX"],
    "extra-index-url": ["UV_INDEX"],
    "find-links": ["UV_FIND_LINKS"],
    "no-index": ["UV_NO_INDEX"],
    "trusted-host": ["UV_INSECURE_HOST"],
    "cert": ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"],
    "proxy": ["HTTPS_PROXY", "HTTP_PROXY"],
    "timeout": ["UV_HTTP_TIMEOUT"],
    "default-timeout": ["UV_HTTP_TIMEOUT"],
}
# What a tool printed when it failed, and what that means for the user. The first that fits is said.
CAUSES = [
    (r"No space left|os error 28|disk quota", "The disk is full. Free some space"),
    (
        r"hash mismatch|do not match the hashes",
        "A package came with a wrong checksum: a proxy or a mirror changed it, or the download was cut off. "
        "If it happens again, ask whoever runs the mirror",
    ),
    (
        r"certificate|UnknownIssuer",
        "A certificate is not trusted. Behind a company proxy, set SSL_CERT_FILE to the company's certificate bundle",
    ),
    (r"proxy|407", "The proxy refused. Check HTTPS_PROXY, or pip's proxy setting"),
    (r"Permission denied|os error 13|Read-only file system", "A file could not be written. Use a checkout of your own"),
    (
        r"dns error|resolve|connect|timed out|unreachable|No matching distribution|not found in the \w+ ?registry",
        "The package index could not be reached (the first set-up needs the network once). Check the network; "
        "behind a proxy set HTTPS_PROXY, with a mirror set pip's index-url",
    ),
]


class Failed(Exception):
    """Set-up cannot go on; the message says why and what to do."""


def main(arguments: list[str]) -> int:
    """Set up, say what went wrong in one sentence, give the exit code."""
    try:
        if arguments not in ([], ["--lock"]):
            raise Failed("Usage: python3 lib/bootstrap.py [--lock]")
        version = sys.version_info[:2]
        if not OLDEST <= version <= NEWEST:
            raise Failed(
                f"This is Python {version[0]}.{version[1]}; eventlab needs 3.11, 3.12 or 3.13. "
                "Name one: make PYTHON=python3.12 lab"
            )
        if arguments == ["--lock"]:
            lock()
        if not done():
            setup()
        return 0
    except Failed as error:
        if str(error):
            print(f"eventlab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\neventlab: stopped. `make setup` goes on where it was.", file=sys.stderr)
        return 130


def signature() -> str:
    """What the environment was made of: locks, Python, place."""
    parts = [path.read_bytes() for path in LOCKS] + [sys.version.encode(), str(PROJECT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def done() -> bool:
    """Whether there is nothing to do (checked without the network, in milliseconds)."""
    return STAMP.exists() and STAMP.read_text() == signature() and PYTHON.exists()


def setup() -> None:
    """Everything, each step only if it is needed."""
    free = shutil.disk_usage(PROJECT).free
    if not PYTHON.exists() and free < NEEDED_BYTES:
        raise Failed(f"The disk has {free / 2**30:.1f} GB left; set-up needs {NEEDED_BYTES / 2**30:.0f} GB. Free some.")
    environment()
    settings = like_pip()
    requirements = PROJECT / "requirements.lock"
    install_uv(requirements)
    uv = [PYTHON, "-m", "uv", "pip"]
    step("Packages", [*uv, "sync", "--python", PYTHON, "--require-hashes", requirements], settings)
    own = ["--no-deps", "--no-build-isolation", "--editable", PROJECT]
    step("eventlab", [*uv, "install", "--python", PYTHON, *own], settings)
    step("Java and Kafka", [PYTHON, "-m", "eventlab.cluster.install"], settings)
    STAMP.write_text(signature())


def environment() -> None:
    """A virtual environment of this Python in .venv; one that is broken or of another Python is made anew."""
    if PYTHON.exists():
        probe = subprocess.run(
            [PYTHON, "-c", "import sys, pip; print(sys.version)"], capture_output=True, text=True, check=False
        )
        if probe.returncode == 0 and probe.stdout.strip() == sys.version:
            return
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        output = made.stdout + made.stderr
        if "ensurepip" in output:
            version = ".".join(map(str, sys.version_info[:2]))
            raise Failed(
                "This Python cannot make a virtual environment. On Debian and Ubuntu: "
                f"apt install python3-venv (or python{version}-venv); then run it again."
            )
        raise Failed(explain(output, "Making .venv"))


def like_pip() -> dict[str, str]:
    """The environment for uv and the jar download, with what pip is configured to use."""
    settings = dict(os.environ)
    listed = subprocess.run(
        [str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    for line in listed.splitlines():
        # global.index-url='https://…', install.find-links='…', :env:.cert='…': the later line wins, as in pip.
        name, _, quoted = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in ("global", "install", ":env:") and key in FROM_PIP:
            value = " ".join(str(ast.literal_eval(quoted)).split())
            for variable in FROM_PIP[key]:
                if variable.startswith("UV_") and variable in os.environ:
                    continue  # what the user told uv itself counts
                if variable in ("SSL_CERT_FILE", "HTTPS_PROXY", "HTTP_PROXY", "REQUESTS_CA_BUNDLE"):
                    settings.setdefault(variable, value)
                else:
                    settings[variable] = value
    if "SSL_CERT_FILE" in settings:
        settings.setdefault("REQUESTS_CA_BUNDLE", settings["SSL_CERT_FILE"])
    settings.setdefault("UV_SYSTEM_CERTS", "1")  # the certificates that this machine trusts, as pip does
    settings.setdefault("UV_LINK_MODE", "hardlink")
    return settings


def install_uv(requirements: Path) -> None:
    """uv at the locked version and hash, through pip."""
    stanza = re.search(r"^uv==(\S+) \\\n(?:    --hash=\S+(?: \\)?\n)+", requirements.read_text(), re.MULTILINE)
    if stanza is None:
        raise Failed("requirements.lock holds no uv; get the file back with `git checkout requirements.lock`.")
    have = subprocess.run([str(PYTHON), "-m", "uv", "--version"], capture_output=True, text=True, check=False).stdout
    if have.split()[1:2] == [stanza[1]]:
        return
    with tempfile.TemporaryDirectory() as scratch:
        only = Path(scratch) / "uv.lock"
        only.write_text(stanza[0])
        pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        step("uv", [*pip, "--require-hashes", "--no-deps", "-r", only], dict(os.environ))


def step(what: str, command: list[object], settings: dict[str, str]) -> None:
    """Run one step with its own progress display; keep its last words to explain a failure."""
    words = [str(word) for word in command]
    reader, writer = listening_terminal() if sys.stderr.isatty() else os.pipe()
    heard = b""
    with subprocess.Popen(words, env=settings, cwd=PROJECT, stderr=writer) as process:
        os.close(writer)
        while piece := read(reader):
            heard = (heard + piece)[-HEARD_BYTES:]
            sys.stderr.buffer.write(piece)
            sys.stderr.flush()
        os.close(reader)
    if process.returncode:
        said = heard.decode(errors="replace")
        # A step of ours has explained itself already.
        raise Failed("" if said.lstrip().startswith("eventlab: ") else explain(said, what))


def listening_terminal() -> tuple[int, int]:
    """A terminal of the same size to read from: tools show their progress bars only to a terminal."""
    reader, writer = pty.openpty()
    termios.tcsetwinsize(writer, termios.tcgetwinsize(sys.stderr))
    return reader, writer


def read(descriptor: int) -> bytes:
    """The next bytes; none at the end, which a terminal tells by an error."""
    try:
        return os.read(descriptor, HEARD_BYTES)
    except OSError:
        return b""


def explain(said: str, what: str) -> str:
    """One sentence for what a tool printed."""
    for pattern, cause in CAUSES:
        if re.search(pattern, said, re.IGNORECASE):
            return f"{what}: {cause}; then run `make setup` again, it goes on where it stopped."
    return f"{what} failed; what it printed stands above. `make clean setup` starts afresh."


def lock() -> None:
    """Resolve both locks again: Python packages for all platforms with hashes, Kafka's jars with checksums."""
    if not PYTHON.exists():
        raise Failed("Run `make setup` first.")
    compile_ = [PYTHON, "-m", "uv", "pip", "compile", "--universal", "--generate-hashes", "--no-annotate"]
    options = ["--no-emit-index-url", "--python-version", "3.11", "--extra", "dev", "--quiet"]
    label = ["--custom-compile-command", "make lock"]
    step("Lock", [*compile_, *options, *label, "pyproject.toml", "-o", "requirements.lock"], like_pip())
    step("Jars", [PYTHON, "-m", "eventlab.cluster.install", "--lock"], like_pip())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
