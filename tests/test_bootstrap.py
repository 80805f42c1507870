"""Set-up as a user meets it: what it takes over from pip, and what it says when something is in the way."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).resolve().parents[1]
NEEDED = ["lib/bootstrap.py", "lib/eventlab/cluster/jars.lock", "requirements.lock", "pyproject.toml"]


def load(project: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", project / "lib" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def checkout(directory: Path) -> Path:
    for name in NEEDED:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, directory / name)
    return directory


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A checkout without .venv, as far as set-up reads it."""
    return checkout(tmp_path)


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> "tuple[Path, subprocess.CompletedProcess[str]]":
    """A checkout whose first set-up found no network, and what it said. Its environment has pip and nothing else."""
    project = checkout(tmp_path_factory.mktemp("offline"))
    return project, set_up(project, PIP_INDEX_URL=f"http://127.0.0.1:{closed_port()}/simple")


@pytest.fixture
def begun(offline: "tuple[Path, subprocess.CompletedProcess[str]]", tmp_path: Path) -> Path:
    """Another one of those, to go on from."""
    return shutil.copytree(offline[0], tmp_path / "begun", symlinks=True)


def set_up(project: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run it where pip finds nothing but what ``environment`` says, and gives up at once."""
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith(("PIP_", "UV_"))}
    isolated = {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0", "PIP_TIMEOUT": "2", "PIP_NO_CACHE_DIR": "1"}
    words = [sys.executable, str(project / "lib" / "bootstrap.py")]
    return subprocess.run(
        words, env={**inherited, **isolated, **environment}, capture_output=True, text=True, timeout=120, check=False
    )


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


def test_without_network_it_says_so_and_what_to_do(
    offline: "tuple[Path, subprocess.CompletedProcess[str]]",
) -> None:
    _, done = offline
    assert done.returncode == 1
    assert "could not be reached" in last_line(done.stderr)
    assert "make setup" in last_line(done.stderr)
    assert "Traceback" not in done.stderr


def test_a_dead_proxy_is_named(begun: Path) -> None:
    done = set_up(begun, PIP_INDEX_URL="http://index.invalid/simple", PIP_PROXY=f"http://127.0.0.1:{closed_port()}")
    assert done.returncode == 1
    assert "proxy" in last_line(done.stderr).lower()


def test_a_changed_package_is_refused(begun: Path, tmp_path: Path) -> None:
    version = next(line for line in (begun / "requirements.lock").read_text().splitlines() if line.startswith("uv=="))
    number = version.removeprefix("uv==").split()[0]
    wheel = tmp_path / "links" / f"uv-{number}-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("uv/__init__.py", "not what was locked")
    done = set_up(begun, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheel.parent))
    assert done.returncode == 1
    assert "wrong checksum" in last_line(done.stderr)


def test_the_next_run_goes_on_after_a_failure_and_after_a_broken_environment(begun: Path) -> None:
    python = begun / ".venv" / "bin" / "python"
    assert python.exists()
    python.unlink()
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    done = set_up(begun, PIP_INDEX_URL=f"http://127.0.0.1:{closed_port()}/simple")
    assert "could not be reached" in last_line(done.stderr)
    assert subprocess.run([python, "-c", "import pip"], check=False).returncode == 0


def test_a_python_that_is_too_old_is_told_so(fresh: Path) -> None:
    code = "import sys; sys.version_info = (3, 9, 0); sys.argv = ['x']; exec(open('lib/bootstrap.py').read())"
    done = subprocess.run(
        [sys.executable, "-c", f"__file__ = 'lib/bootstrap.py'; {code}"],
        cwd=fresh,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "needs 3.11, 3.12 or 3.13" in done.stderr


def test_pips_settings_reach_uv(fresh: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")) or name in (
            "SSL_CERT_FILE",
            "REQUESTS_CA_BUNDLE",
            "HTTPS_PROXY",
            "HTTP_PROXY",
        ):
            monkeypatch.delenv(name)
    settings = tmp_path / "pip.conf"
    settings.write_text(
        "[global]\nindex-url = https://mirror.example/simple\nextra-index-url =\n  https://a.example\n  https://b.example\n"
        "cert = /certs/company.pem\nproxy = http://proxy.example:3128\n[install]\ntrusted-host = mirror.example\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    bootstrap = load(fresh)
    monkeypatch.setattr(bootstrap, "PYTHON", Path(sys.executable))
    taken = bootstrap.like_pip()
    assert taken["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert taken["UV_INDEX"] == "https://a.example https://b.example"
    assert taken["UV_INSECURE_HOST"] == "mirror.example"
    assert taken["SSL_CERT_FILE"] == taken["REQUESTS_CA_BUNDLE"] == "/certs/company.pem"
    assert taken["HTTPS_PROXY"] == "http://proxy.example:3128"


def test_what_the_user_told_uv_counts_more(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example/simple")
    bootstrap = load(fresh)
    monkeypatch.setattr(bootstrap, "PYTHON", Path(sys.executable))
    assert bootstrap.like_pip()["UV_DEFAULT_INDEX"] == "https://uv.example/simple"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("error: failed to write: No space left on device (os error 28)", "disk is full"),
        ("error: invalid peer certificate: UnknownIssuer", "SSL_CERT_FILE"),
        ("error: Failed to fetch\n  Caused by: dns error", "could not be reached"),
        ("error: Hash mismatch for `six==1.17.0`", "wrong checksum"),
        ("something that nobody foresaw", "make clean setup"),
    ],
)
def test_each_cause_has_its_sentence(said: str, meant: str) -> None:
    assert meant in load(PROJECT).explain(said, "Packages")


def test_a_finished_set_up_is_recognised_without_the_network() -> None:
    done = set_up(PROJECT, PIP_INDEX_URL=f"http://127.0.0.1:{closed_port()}/simple")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "name", ["requirements.lock", "lib/eventlab/cluster/jars.lock", "docker-compose.yml", "README.md"]
)
def test_no_file_names_a_package_registry(name: str) -> None:
    text = (PROJECT / name).read_text()
    for host in ("pypi.org", "pythonhosted.org", "repo.maven", "repo1.maven", "registry.npmjs"):
        assert host not in text
