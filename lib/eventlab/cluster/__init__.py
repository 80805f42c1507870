"""Live local brokers and databases: genuine Apache Kafka and PostgreSQL, or a cluster and database of yours.

``kafka = cluster.connect()`` in a notebook, ``with cluster.up(brokers=3) as kafka:`` in a script.
"""

import contextlib
from collections.abc import Iterator

from eventlab.cluster import elsewhere, registry
from eventlab.cluster.diagnosis import doctor
from eventlab.cluster.errors import LabError, NeedsEmbeddedLab, OtherSize
from eventlab.cluster.homes import home, prepare
from eventlab.cluster.kafka import Broker, Kafka
from eventlab.cluster.lab import Lab
from eventlab.cluster.runtime import run as java

__all__ = [
    "Broker",
    "Kafka",
    "Lab",
    "LabError",
    "NeedsEmbeddedLab",
    "connect",
    "database",
    "doctor",
    "home",
    "java",
    "running",
    "schema",
    "schema_registry",
    "up",
]


def connect(brokers: int | None = None) -> Kafka:
    """The cluster to work on: yours (``EVENTLAB_KAFKA``), the lab that runs, or one for as long as this process lives.

    ``brokers``: 1 or 3, when the lesson depends on it. If the lab that runs has another number, a second one is
    started beside it. Raises LabError with the cure.
    """
    if elsewhere.bootstrap():
        elsewhere.count_brokers()
        return Kafka(elsewhere.config(), None)
    lab, _ = _lab_with(brokers)
    return _handle(lab)


def running() -> Kafka:
    """The cluster that there is: yours (``EVENTLAB_KAFKA``) or the lab that runs, as it is.

    For those who only look: it starts no lab and keeps none alive, and a broker that somebody killed or paused stays
    so. Raises LabError with the cure.
    """
    if elsewhere.bootstrap():
        return connect()
    lab = Lab()
    if lab.status()["kafka"] is None:
        raise LabError("No lab runs here. `eventlab up` starts one; EVENTLAB_KAFKA names a cluster of yours.")
    return _handle(lab)


@contextlib.contextmanager
def up(brokers: int = 1) -> Iterator[Kafka]:
    """The lab with so many brokers for a ``with`` block; stopped at its end, unless somebody else uses it too."""
    lab, lease = _lab_with(brokers)
    try:
        with contextlib.closing(_handle(lab)) as kafka:
            yield kafka
    finally:
        lab.release(lease)


def database(postgres: bool = False) -> str:
    """The SQLAlchemy URL to work on: yours (``EVENTLAB_SQL``), else the lab's PostgreSQL or SQLite file."""
    if url := elsewhere.sql_url():
        return url
    if postgres:
        lab = Lab()
        lab.up(with_postgres=True)
        return str(lab.status()["postgres"]["url"])
    return f"sqlite:///{prepare(home() / 'sqlite') / 'eventlab.db'}"


def schema_registry() -> str:
    """The URL of the schema registry to work with: yours (``EVENTLAB_REGISTRY``), else the lab's, started if need be.

    It speaks the API of Confluent's registry, version 7. The first start fetches it once (160 MB).
    Raises LabError with the cure.
    """
    if url := elsewhere.registry_url():
        registry.ask(url)
        return url
    lab = Lab()
    lab.up(with_registry=True)
    return str(lab.status()["registry"]["url"])


def schema() -> str | None:
    """Where this learner's tables live in a PostgreSQL that others use too: ``EVENTLAB_PREFIX``; None: the default."""
    shared = (elsewhere.sql_url() or "").startswith("postgresql")
    return (elsewhere.prefix() or None) if shared else None


def _lab_with(brokers: int | None) -> tuple[Lab, str]:
    """The lab, or one beside it when it runs with another number of brokers; and a lease on it."""
    lab = Lab()
    try:
        return lab, lab.up(brokers)
    except OtherSize:
        beside = Lab(lab.home / "extra" / str(brokers))
        return beside, beside.up(brokers)


def _handle(lab: Lab) -> Kafka:
    status = lab.status()["kafka"]
    return Kafka({"bootstrap.servers": status["bootstrap"]}, lab)
