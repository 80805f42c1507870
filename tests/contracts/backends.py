"""The stores under contract, each as an address that a test, a thread or another process can open."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from eventlab.events.catalogue import registry as catalogue
from eventlab.events.registry import TypeRegistry
from eventlab.store import EventStore, KafkaEventLog, MemoryEventStore, SqlEventStore
from eventlab.store.rules import utc_now

NAMES = ("memory", "sqlite", "postgres", "kafka")
# For what needs a second client or a second process: the stores that outlive one.
DURABLE = pytest.mark.parametrize("backend", NAMES[1:], indirect=True)


@dataclass(frozen=True)
class Bootstrap:
    """A cluster by its address: what a process of its own knows of it."""

    servers: str

    def config(self, **overrides: Any) -> dict[str, Any]:
        return {"bootstrap.servers": self.servers, **overrides}


@dataclass(frozen=True)
class Backend:
    """Where events are kept. ``where`` is the URL, or the topic, or for memory nothing."""

    name: str
    where: str = ""
    schema: str | None = None
    cluster: Bootstrap | None = None

    def open(self, registry: TypeRegistry = catalogue, clock: Callable[[], datetime] = utc_now) -> EventStore:
        """Another client of the same events (memory: an empty store)."""
        if self.name == "memory":
            return MemoryEventStore(registry, clock)
        if self.name == "kafka":
            assert self.cluster is not None
            return KafkaEventLog(self.cluster, self.where, registry, clock)
        return SqlEventStore(self.where, registry, clock, self.schema)
