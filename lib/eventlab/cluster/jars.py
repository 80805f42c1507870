"""Kafka's jars, from the user's Maven repository, each checked against the SHA-256 in ``jars.lock``.

jgo knows where Maven repositories are and speaks to them; neither Java nor Maven is needed. The lock holds
coordinates and checksums, never an address, so that a mirror serves as well.
"""

import hashlib
import os
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventlab.cluster.errors import LabError

LOCK = Path(__file__).with_name("jars.lock")
_DOWNLOADS_AT_ONCE = 8
_TIMEOUT_SECONDS = 60
_ATTEMPTS = 3
_SETUP = "make setup"

Progress = Callable[[str, int, int], None]
"""Called with what is going on, how much is done and how much there is."""


@dataclass(frozen=True)
class Jar:
    """A file by its Maven coordinate, ``group:artifact:version[:packaging:classifier]``, and its SHA-256."""

    coordinate: str
    sha256: str

    @property
    def name(self) -> str:
        """The file's name, as in every Maven repository."""
        _, artifact, version, packaging, classifier = self.parts
        return f"{artifact}-{version}{classifier and f'-{classifier}'}.{packaging}"

    @property
    def parts(self) -> tuple[str, str, str, str, str]:
        """Group, artifact, version, packaging (a jar, unless it says otherwise) and classifier (none: empty)."""
        group, artifact, version, packaging, classifier = [*self.coordinate.split(":"), "jar", ""][:5]
        return group, artifact, version, packaging, classifier

    @property
    def cached(self) -> Path:
        """Where Maven itself would have kept it."""
        group, artifact, version, *_ = self.parts
        local = Path(os.environ.get("M2_REPO", Path.home() / ".m2" / "repository"))
        return local.joinpath(*group.split("."), artifact, version, self.name)


def locked() -> list[Jar]:
    """The jars that this version of the project runs on."""
    lines = [line.split() for line in LOCK.read_text().splitlines() if line and not line.startswith("#")]
    return [Jar(coordinate, sha256) for coordinate, sha256 in lines]


def kafka_version() -> str:
    """The version of Apache Kafka in the lock, for example ``4.3.1``."""
    return next(jar.coordinate.rsplit(":", 1)[1] for jar in locked() if ":kafka-clients:" in jar.coordinate)


def runtime_directory() -> Path:
    """Where the jars and the JVM's cache live: with the Python environment that set-up made."""
    return Path(sys.prefix) / "share" / "eventlab"


def _right(path: Path, jar: Jar) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
    except OSError:
        return False


def missing() -> list[Jar]:
    """The jars that are not there yet. (Their content was checked when they came.)"""
    directory = runtime_directory() / "jars"
    return [jar for jar in locked() if not (directory / jar.name).exists()]


def class_path() -> list[Path]:
    """The jars in a fixed order: the JVM's cache is only valid for exactly this list."""
    return [runtime_directory() / "jars" / jar.name for jar in locked()]


def fetch(staging: Path, progress: Progress) -> None:
    """Bring the jars that are missing. What has come stays, so a second run goes on where the first one stopped.

    Raises LabError: no network, a proxy or certificate in the way, a wrong checksum, a full disk.
    """
    directory = runtime_directory() / "jars"
    wanted = missing()
    try:
        directory.mkdir(exist_ok=True)
        with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
            coming = [pool.submit(_bring, jar, directory, staging) for jar in wanted]
            try:
                for done, future in enumerate(as_completed(coming), start=1):
                    future.result()
                    progress(f"Kafka {kafka_version()}", done, len(wanted))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    except OSError as error:
        raise _explained(error, directory, _SETUP) from error


def bring_one(jar: Jar, directory: Path, staging: Path, progress: Progress, again: str) -> Path:
    """Bring one large file, with progress in bytes; ``again`` is the command that tries once more, for the errors.

    Raises LabError as :func:`fetch` does.
    """
    try:
        return _bring(jar, directory, staging, again, progress)
    except OSError as error:
        raise _explained(error, directory, again) from error


def _bring(jar: Jar, directory: Path, staging: Path, again: str = _SETUP, progress: Progress | None = None) -> Path:
    target = directory / jar.name
    part = staging / jar.name
    if _right(jar.cached, jar):
        shutil.copyfile(jar.cached, part)
    else:
        part = _patiently(jar, staging, progress)
        if not _right(part, jar):
            raise LabError(
                f"{jar.coordinate} came with a wrong checksum, so it was thrown away. A proxy or a mirror changed "
                f"it, or the download was cut off: run `{again}` again; if that does not help, ask whoever runs it."
            )
    return part.replace(target)


def _patiently(jar: Jar, staging: Path, progress: Progress | None) -> Path:
    """Download it; a connection that broke is tried again, since among a hundred files one may."""
    from requests import exceptions

    for attempt in range(1, _ATTEMPTS):
        try:
            return _download(jar, staging / f"attempt-{attempt}", progress)
        except (exceptions.ProxyError, exceptions.SSLError, exceptions.Timeout):
            raise
        except (exceptions.ConnectionError, exceptions.ChunkedEncodingError):
            continue
    return _download(jar, staging / "last-attempt", progress)


def _download(jar: Jar, staging: Path, progress: Progress | None) -> Path:
    from jgo.maven import MavenContext

    if certificates := os.environ.get("SSL_CERT_FILE"):
        os.environ.setdefault("REQUESTS_CA_BUNDLE", certificates)  # requests, below jgo, does not know the former
    context = MavenContext(repo_cache=staging / "m2", remote_repos=repositories(), timeout=_TIMEOUT_SECONDS)
    group, artifact, version, packaging, classifier = jar.parts
    if progress:
        resolver: Any = context.resolver
        resolver.progress_callback = _in_bytes(progress)
    try:
        component = context.project(group, artifact).at_version(version)
        path: Path = component.artifact(classifier=classifier, packaging=packaging).resolve()
    except RuntimeError as error:  # jgo's word for: no repository has it
        raise LabError(
            f"{jar.coordinate} is in none of the Maven repositories {', '.join(context.remote_repos)}. "
            "If you use a mirror (EVENTLAB_MAVEN, ~/.m2/settings.xml), it must serve Maven Central."
        ) from error
    return path


def _in_bytes(progress: Progress) -> Callable[[str, int], AbstractContextManager[Callable[[int], None]]]:
    @contextmanager
    def told(name: str, total: int) -> Iterator[Callable[[int], None]]:
        done = 0

        def more(count: int) -> None:
            nonlocal done
            done += count
            progress(name, done, total)

        yield more

    return told


def repositories() -> dict[str, str] | None:
    """The Maven repositories to ask: ``EVENTLAB_MAVEN``, a mirror of central in ``~/.m2/settings.xml``,
    jgo's own settings file; None means Maven Central.
    """
    if chosen := os.environ.get("EVENTLAB_MAVEN"):
        return {"EVENTLAB_MAVEN": chosen.rstrip("/")}
    settings = Path.home() / ".m2" / "settings.xml"
    if settings.exists():
        try:
            tree = ElementTree.parse(settings)  # noqa: S314 - the user's own file
        except ElementTree.ParseError as error:
            raise LabError(f"{settings} is not well-formed XML ({error}). Mend it, or set EVENTLAB_MAVEN.") from error
        for mirror in tree.iterfind(".//{*}mirror"):
            if mirror.findtext("{*}mirrorOf", "").strip() in ("*", "central", "external:*") and (
                url := mirror.findtext("{*}url")
            ):
                return {"~/.m2/settings.xml": url.strip().rstrip("/")}
    from jgo.config import GlobalSettings

    return GlobalSettings.load().repositories or None


def _explained(error: OSError, directory: Path, again: str) -> LabError:
    from requests.exceptions import ProxyError, RequestException, SSLError

    from eventlab.cluster.homes import cannot_write

    if isinstance(error, SSLError):
        return LabError(
            "The Maven repository's certificate is not trusted. Behind a company proxy, set SSL_CERT_FILE to the "
            f"company's certificate bundle and run `{again}` again."
        )
    if isinstance(error, ProxyError):
        return LabError(f"The proxy refused the download. Check HTTPS_PROXY and run `{again}` again.")
    if isinstance(error, RequestException):
        return LabError(
            "The Maven repository could not be reached (first set-up needs the network once). "
            f"Behind a proxy set HTTPS_PROXY; with a mirror set EVENTLAB_MAVEN. Then run `{again}` again: it goes on "
            "where it stopped."
        )
    return cannot_write(directory, error)


def lock(roots: list[str], loose: list[str]) -> None:
    """Resolve ``roots`` with all they need, and ``loose`` alone, and write the lock anew."""
    from jgo.maven import MavenContext

    context = MavenContext(remote_repos=repositories(), timeout=_TIMEOUT_SECONDS)
    inputs, transitive = context.resolver.resolve([context.create_dependency(root) for root in roots])
    alone = [context.create_dependency(coordinate) for coordinate in loose]
    lines = []
    for dependency in {str(found.artifact): found for found in [*inputs, *transitive, *alone]}.values():
        artifact = dependency.artifact
        digest = hashlib.sha256(artifact.resolve().read_bytes()).hexdigest()
        lines.append(f"{artifact.groupId}:{artifact.artifactId}:{artifact.version} {digest}")
    LOCK.write_text("# Maven coordinate, SHA-256. Written by `make lock`.\n" + "\n".join(sorted(lines)) + "\n")
