"""Kafka's jars, from the user's Maven repository, each checked against the SHA-256 in ``jars.lock``.

jgo knows where Maven repositories are and speaks to them; neither Java nor Maven is needed. The lock holds
coordinates and checksums, never an address, so that a mirror serves as well.
"""

import hashlib
import os
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from eventlab.cluster.errors import LabError

LOCK = Path(__file__).with_name("jars.lock")
_DOWNLOADS_AT_ONCE = 8
_TIMEOUT_SECONDS = 60

Progress = Callable[[str, int, int], None]
"""Called with what is going on, how much is done and how much there is."""


@dataclass(frozen=True)
class Jar:
    """A jar by its Maven coordinate ``group:artifact:version`` and its SHA-256."""

    coordinate: str
    sha256: str

    @property
    def name(self) -> str:
        """The file's name, as in every Maven repository."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"

    @property
    def cached(self) -> Path:
        """Where Maven itself would have kept it."""
        group, artifact, version = self.coordinate.split(":")
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
        return hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256
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
        raise _explained(error, directory) from error


def _bring(jar: Jar, directory: Path, staging: Path) -> None:
    target = directory / jar.name
    part = staging / jar.name
    if _right(jar.cached, jar):
        shutil.copyfile(jar.cached, part)
    else:
        part = _download(jar, staging)
        if not _right(part, jar):
            raise LabError(
                f"{jar.coordinate} came with a wrong checksum, so it was thrown away. A proxy or a mirror changed "
                "it, or the download was cut off: run `make setup` again; if that does not help, ask whoever runs it."
            )
    part.replace(target)


def _download(jar: Jar, staging: Path) -> Path:
    from jgo.maven import MavenContext

    if certificates := os.environ.get("SSL_CERT_FILE"):
        os.environ.setdefault("REQUESTS_CA_BUNDLE", certificates)  # requests, below jgo, does not know the former
    context = MavenContext(repo_cache=staging / "m2", remote_repos=repositories(), timeout=_TIMEOUT_SECONDS)
    try:
        path: Path = context.create_dependency(jar.coordinate).artifact.resolve()
    except RuntimeError as error:  # jgo's word for: no repository has it
        raise LabError(
            f"{jar.coordinate} is in none of the Maven repositories {', '.join(context.remote_repos)}. "
            "If you use a mirror (EVENTLAB_MAVEN, ~/.m2/settings.xml), it must serve Maven Central."
        ) from error
    return path


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


def _explained(error: OSError, directory: Path) -> LabError:
    from requests.exceptions import ProxyError, RequestException, SSLError

    from eventlab.cluster.homes import cannot_write

    if isinstance(error, SSLError):
        return LabError(
            "The Maven repository's certificate is not trusted. Behind a company proxy, set SSL_CERT_FILE to the "
            "company's certificate bundle and run `make setup` again."
        )
    if isinstance(error, ProxyError):
        return LabError("The proxy refused the download. Check HTTPS_PROXY and run `make setup` again.")
    if isinstance(error, RequestException):
        return LabError(
            "The Maven repository could not be reached (first set-up needs the network once). "
            "Behind a proxy set HTTPS_PROXY; with a mirror set EVENTLAB_MAVEN. Then run `make setup` again: it goes on "
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
