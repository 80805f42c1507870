"""Set-up brings Kafka once: from a mirror, past a cut connection or a kill, and says what is in the way."""

import contextlib
import hashlib
import http.server
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eventlab.cluster import Lab, LabError, broker, homes, install, jars, processes, runtime
from eventlab.cluster.jars import Jar

from .labs import eventually, handle, read, write
from .test_elsewhere import Authority


class Mirror(http.server.ThreadingHTTPServer):
    """A Maven repository over loopback, serving the jars that are here; ``spoil`` may change what it sends."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.spoil: Callable[[str, bytes], bytes] = lambda name, content: content
        self.cut: set[str] = set()
        self.dropped: set[str] = set()
        self.held = threading.Event()
        self.hold: set[str] = set()

    def handle_error(self, *_: object) -> None:
        """A client that goes away in the middle is what these tests are about."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/maven"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[1]
        self.server.asked.append(name)
        if name in self.server.dropped:
            self.server.dropped.remove(name)
            self.close_connection = True
            return
        if name not in JARS or not self.path.startswith("/maven/"):
            self.send_error(404)
            return
        content = self.server.spoil(name, JARS[name].read_bytes())
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if name in self.server.hold:
            self.server.held.set()
            self.wfile.write(content[:100])
            self.wfile.flush()
            time.sleep(60)
        self.wfile.write(content[: len(content) // 2] if name in self.server.cut else content)

    def do_CONNECT(self) -> None:
        self.send_error(407)

    def log_message(self, *_: object) -> None: ...


JARS = {path.name: path for path in jars.class_path()}
SOME = jars.locked()[3].name


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with Mirror() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python environment to which nothing was brought yet, on a machine without Maven's cache."""
    directory = tmp_path / "environment"
    directory.mkdir()
    monkeypatch.setattr(jars, "runtime_directory", lambda: directory)
    monkeypatch.setenv("M2_REPO", str(tmp_path / "no-cache"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        for written in (name, name.lower()):
            monkeypatch.delenv(written, raising=False)
    return directory


@pytest.fixture
def fetch(bare: Path) -> Callable[[], list[tuple[int, int]]]:
    def run() -> list[tuple[int, int]]:
        """Bring the jars; gives the progress that was shown."""
        progress: list[tuple[int, int]] = []
        scratch = bare / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        jars.fetch(scratch, lambda what, done, total: progress.append((done, total)))
        return progress

    return run


def there(directory: Path) -> set[str]:
    """The jars that came, each with the right content."""
    sums = {jar.name: jar.sha256 for jar in jars.locked()}
    paths = list((directory / "jars").glob("*"))
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == sums[path.name] for path in paths)
    return {path.name for path in paths}


def test_a_mirror_serves_as_well(
    bare: Path, mirror: Mirror, fetch: Callable[[], list[tuple[int, int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTLAB_MAVEN", mirror.url + "/")
    progress = fetch()
    assert there(bare) == set(JARS)
    assert progress[-1] == (len(JARS), len(JARS))
    asked = len(mirror.asked)
    assert fetch() == []
    assert len(mirror.asked) == asked, "the second run needs no network"


def test_a_connection_that_breaks_once_is_tried_again(
    bare: Path, mirror: Mirror, fetch: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTLAB_MAVEN", mirror.url)
    mirror.dropped = {SOME}
    fetch()
    assert there(bare) == set(JARS)
    assert mirror.dropped == set()


def test_maven_itself_has_them_already(
    bare: Path, tmp_path: Path, fetch: Callable[[], list[tuple[int, int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTLAB_MAVEN", "http://127.0.0.1:1")
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    for jar in jars.locked():
        jar.cached.parent.mkdir(parents=True)
        jar.cached.symlink_to(JARS[jar.name])
    fetch()
    assert there(bare) == set(JARS)


@pytest.mark.parametrize("fault", ["changed", "cut"])
def test_what_came_wrong_is_thrown_away_and_the_next_run_goes_on(
    bare: Path,
    mirror: Mirror,
    fetch: Callable[[], list[tuple[int, int]]],
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    monkeypatch.setenv("EVENTLAB_MAVEN", mirror.url)
    monkeypatch.setattr(jars, "_DOWNLOADS_AT_ONCE", 1)
    if fault == "changed":
        mirror.spoil = lambda name, content: content[::-1] if name == SOME else content
        message = r"came with a wrong checksum.*run `make setup` again"
    else:
        mirror.cut = {SOME}
        message = r"could not be reached.*it goes on where it stopped"
    with pytest.raises(LabError, match=message):
        fetch()
    arrived = there(bare)
    assert SOME not in arrived
    assert arrived, "what came before is kept"
    mirror.spoil, mirror.cut, mirror.asked[:] = (lambda name, content: content), set(), []
    fetch()
    assert there(bare) == set(JARS)
    assert not set(mirror.asked) & arrived, "fetched twice"


def test_killed_in_the_middle_of_a_download(
    bare: Path, mirror: Mirror, fetch: Callable[[], list[tuple[int, int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTLAB_MAVEN", mirror.url)
    mirror.hold = {SOME}
    with subprocess.Popen([sys.executable, "-c", INSTALL, str(bare)], stderr=subprocess.DEVNULL) as setup:
        assert mirror.held.wait(60)
        eventually(lambda: len(there(bare)) > 1)
        setup.send_signal(signal.SIGKILL)
    assert SOME not in there(bare)
    mirror.hold = set()
    fetch()
    assert there(bare) == set(JARS)


INSTALL = """
import sys
from pathlib import Path
from eventlab.cluster import install, jars
directory = Path(sys.argv.pop())
jars.runtime_directory = lambda: directory
sys.exit(install.main())
"""


def test_nobody_answers(fetch: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTLAB_MAVEN", "http://127.0.0.1:1")
    with pytest.raises(LabError, match=r"could not be reached.*HTTPS_PROXY.*EVENTLAB_MAVEN.*`make setup` again"):
        fetch()


def test_the_mirror_does_not_have_it(
    mirror: Mirror, fetch: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTLAB_MAVEN", mirror.url.replace("maven", "elsewhere"))
    with pytest.raises(LabError, match=r"is in none of the Maven repositories .*EVENTLAB_MAVEN.*must serve Maven"):
        fetch()


def test_a_proxy_refuses(mirror: Mirror, fetch: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTLAB_MAVEN", "https://repository.invalid")
    monkeypatch.setenv("HTTPS_PROXY", mirror.url.removesuffix("/maven"))
    with pytest.raises(LabError, match=r"The proxy refused the download\. Check HTTPS_PROXY"):
        fetch()


def test_a_certificate_of_the_company(
    bare: Path,
    mirror: Mirror,
    tmp_path: Path,
    fetch: Callable[[], list[tuple[int, int]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not trusted until SSL_CERT_FILE names its authority."""
    company = Authority.create()
    (tmp_path / "server.pem").write_bytes(company.server())
    (tmp_path / "company.pem").write_bytes(company.pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    mirror.socket = context.wrap_socket(mirror.socket, server_side=True)
    monkeypatch.setenv("EVENTLAB_MAVEN", mirror.url.replace("http:", "https:"))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    with pytest.raises(LabError, match=r"certificate is not trusted.*SSL_CERT_FILE"):
        fetch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "company.pem"))
    fetch()
    assert there(bare) == set(JARS)


def test_the_disk_fills_up(
    bare: Path, tmp_path: Path, fetch: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    jar = jars.locked()[0]
    jar.cached.parent.mkdir(parents=True)
    jar.cached.symlink_to(JARS[jar.name])
    monkeypatch.setattr(jars, "missing", lambda: [jar])
    scratch = bare / "scratch"
    scratch.mkdir()
    (scratch / jar.name).symlink_to("/dev/full")
    with pytest.raises(LabError, match=r"The disk is full: .*Free some space"):
        jars.fetch(scratch, lambda *_: None)


def test_an_environment_that_belongs_to_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = Path("/proc/eventlab")
    monkeypatch.setattr(jars, "runtime_directory", lambda: nowhere)
    monkeypatch.setattr(sys, "prefix", "/proc")
    with pytest.raises(LabError, match=r"cannot be written .*Run `make setup` as the user that made"):
        install.ensure()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            "<settings><mirrors><mirror><mirrorOf>central</mirrorOf><url>https://m/</url></mirror></mirrors></settings>",
            1,
        ),
        (
            '<settings xmlns="http://maven.apache.org/SETTINGS/1.2.0"><mirrors><mirror><mirrorOf>*</mirrorOf>'
            "<url> https://m </url></mirror></mirrors></settings>",
            1,
        ),
        ("<settings><mirrors><mirror><mirrorOf>snapshots</mirrorOf><url>x</url></mirror></mirrors></settings>", 0),
    ],
)
def test_the_mirror_in_mavens_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, expected: int
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("EVENTLAB_MAVEN", raising=False)
    (tmp_path / ".m2").mkdir()
    (tmp_path / ".m2" / "settings.xml").write_text(settings)
    assert list((jars.repositories() or {}).values()) == ["https://m"] * expected


def test_mavens_settings_are_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("EVENTLAB_MAVEN", raising=False)
    (tmp_path / ".m2").mkdir()
    (tmp_path / ".m2" / "settings.xml").write_text("<settings>")
    with pytest.raises(LabError, match=r"settings\.xml is not well-formed XML.*or set EVENTLAB_MAVEN"):
        jars.repositories()


def test_the_lock_names_every_jar_and_no_address() -> None:
    locked = jars.locked()
    assert len({jar.coordinate for jar in locked}) == len(locked) > 30
    assert all(len(jar.sha256) == 64 and jar.coordinate.count(":") == 2 for jar in locked)
    assert "://" not in jars.LOCK.read_text()
    assert jars.kafka_version() == install.KAFKA


def brought(directory: Path) -> Path:
    """An environment that has the jars but no cache yet: as after a move of the checkout."""
    (directory / "jars").mkdir(parents=True)
    for name, path in JARS.items():
        with contextlib.suppress(OSError):
            os.link(path, directory / "jars" / name)
        if not (directory / "jars" / name).exists():
            shutil.copyfile(path, directory / "jars" / name)
    return directory


def maps(cache: Path, pid: int) -> bool:
    """Whether the process has ``cache`` in its memory."""
    return str(cache) in Path(f"/proc/{pid}/maps").read_text()


def test_a_moved_checkout_makes_its_cache_once_and_starts(bare: Path, own: Lab) -> None:
    """A set-up is killed while it records it; then two set-ups and the first start of a lab at once."""
    brought(bare)
    words = [sys.executable, "-c", INSTALL, str(bare)]
    mark = broker.mark_argument(homes.mark(bare))
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as killed:
        eventually(lambda: processes.marked(mark))
        killed.send_signal(signal.SIGKILL)
    left = processes.marked(mark)
    assert not runtime.ready()
    with subprocess.Popen(words) as one, subprocess.Popen(words) as other:
        own.up(1)
        assert [one.wait(), other.wait()] == [0, 0]
    assert runtime.ready()
    assert not any(process.alive for process in [*left, *processes.marked(mark)])
    assert {path.name for path in bare.iterdir()} == {"jars", "jvm", "lock", runtime.bootstrap_checkpoint().name}
    assert list((bare / "jvm").iterdir()) == [runtime.cache()]
    kafka = handle(own)
    assert maps(runtime.cache(), kafka.brokers[0].pid)
    topic = kafka.topic("orders")
    write(kafka.config(), topic, ["moved"])
    assert read(kafka.config(), topic, 1) == ["moved"]


def test_a_damaged_cache_does_not_keep_the_lab_from_starting(bare: Path, own: Lab) -> None:
    brought(bare)
    (bare / "jvm").mkdir()
    for path in (runtime.cache(), runtime.bootstrap_checkpoint()):
        path.write_bytes(b"")
    real = list((Path(sys.prefix) / "share" / "eventlab").glob("bootstrap-*.checkpoint"))
    shutil.copyfile(real[0], runtime.bootstrap_checkpoint())
    own.up(1)
    assert handle(own).brokers[0].state == "running"


def test_a_jar_knows_its_place() -> None:
    jar = Jar("org.apache.kafka:kafka-clients:4.3.1", "0" * 64)
    assert jar.name == "kafka-clients-4.3.1.jar"
    assert jar.cached.parts[-5:] == ("apache", "kafka", "kafka-clients", "4.3.1", jar.name)
