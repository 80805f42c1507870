"""What a lab remembers: its processes, where they listen, and who uses them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eventlab.cluster import homes
from eventlab.cluster.processes import Process


@dataclass
class RunningBroker:
    """A broker that was started, and its two ports."""

    process: Process
    port: int
    controller: int


@dataclass
class RunningPostgres:
    """A PostgreSQL that was started."""

    process: Process
    port: int
    password: str


@dataclass
class RunningRegistry:
    """A schema registry that was started."""

    process: Process
    port: int


@dataclass
class State:
    """One lab. ``token`` tells it from those that ran in this home before; ``leases`` are the processes that use it."""

    token: str
    keep: bool = False
    leases: dict[str, Process] = field(default_factory=dict)
    brokers: dict[int, RunningBroker] = field(default_factory=dict)
    postgres: RunningPostgres | None = None
    registry: RunningRegistry | None = None
    guard: Process | None = None

    @property
    def servers(self) -> list[Process]:
        """The processes of the brokers, of PostgreSQL and of the schema registry."""
        beside = [server.process for server in (self.postgres, self.registry) if server]
        return [broker.process for broker in self.brokers.values()] + beside

    @property
    def alive(self) -> bool:
        """Whether any of the servers lives."""
        return any(server.alive for server in self.servers)

    @property
    def used(self) -> bool:
        """Whether anybody who took a lease lives."""
        return any(holder.alive for holder in self.leases.values())


def read(home: Path) -> State | None:
    """The state in ``home``; None when there is none, or nothing that this version can read.

    Raises LabError when it is somebody else's.
    """
    try:
        return _parse(json.loads(_file(home).read_text()))
    except PermissionError as error:
        raise homes.cannot_write(home, error) from error
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write(home: Path, state: State | None) -> None:
    """Keep ``state``; None forgets it."""
    if state is None:
        _file(home).unlink(missing_ok=True)
    else:
        homes.write_atomically(_file(home), json.dumps(asdict(state), indent=1))


def _file(home: Path) -> Path:
    return home / "lab.json"


def _parse(saved: Mapping[str, Any]) -> State:
    database = saved["postgres"]
    registry = saved.get("registry")  # a lab that runs may be older than registries
    return State(
        token=saved["token"],
        keep=saved["keep"],
        leases={lease: _process(holder) for lease, holder in saved["leases"].items()},
        brokers={
            int(node): RunningBroker(_process(broker["process"]), broker["port"], broker["controller"])
            for node, broker in saved["brokers"].items()
        },
        postgres=database and RunningPostgres(_process(database["process"]), database["port"], database["password"]),
        registry=registry and RunningRegistry(_process(registry["process"]), registry["port"]),
        guard=saved["guard"] and _process(saved["guard"]),
    )


def _process(saved: Mapping[str, Any]) -> Process:
    return Process(int(saved["pid"]), str(saved["birth"]))
