"""A lab: brokers and, if asked for, PostgreSQL and a schema registry in one directory, with those who use them.

A lab lives as long as somebody uses it: each process that does holds a lease in the state file, and a guard process
(:mod:`eventlab.cluster.guard`) stops the lab when the last of them is gone. ``eventlab up`` sets ``keep``:
the lab lives until ``eventlab down``.
"""

import shutil
import signal
import sys
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from eventlab.cluster import broker, homes, postgres, processes, registry, state
from eventlab.cluster.broker import Layout, PortTaken
from eventlab.cluster.errors import LabError, OtherSize
from eventlab.cluster.processes import Process
from eventlab.cluster.state import RunningBroker, State

BROKER_COUNTS = (1, 3)
_START_SECONDS = 90
# Within a second the logs are closed; then the last of three brokers waits in vain for a quorum to leave.
_STOP_SECONDS = 3
_SIGNAL_SECONDS = 1
_POLL_SECONDS = 0.01
_TRIES = 3
_GUARD = Path(__file__).with_name("guard.py")


class Lab:
    """The lab in the directory ``home``. Every change is made under the directory's lock."""

    def __init__(self, directory: Path | None = None) -> None:
        self.home = directory or homes.home()
        self._mark = homes.mark(self.home)

    # -- what is there ------------------------------------------------------------------------------------------

    def state(self) -> State | None:
        """The state of the lab that is here; None when none is (whatever a crash or reboot left in the file)."""
        found = state.read(self.home)
        return found if found and (found.keep or found.alive or found.used) else None

    def status(self) -> dict[str, Any]:
        """``{"kafka": {"bootstrap", "brokers": [{"id", "pid", "port", "state"}]}, "postgres": {…}, "registry": {…}}``.

        What does not run, and was not asked for, is None.
        """
        found = self.state()
        if found is None:
            return {"kafka": None, "postgres": None, "registry": None}
        brokers = [
            {"id": node, "pid": running.process.pid, "port": running.port, "state": running.process.state}
            for node, running in found.brokers.items()
        ]
        database = found.postgres and {
            "url": postgres.url(found.postgres.port, found.postgres.password),
            "pid": found.postgres.process.pid,
            "state": found.postgres.process.state,
        }
        schemas = found.registry and {
            "url": registry.url(found.registry.port),
            "pid": found.registry.process.pid,
            "state": found.registry.process.state,
        }
        kafka = {"bootstrap": _layout(found).bootstrap, "brokers": brokers}
        return {"kafka": kafka, "postgres": database, "registry": schemas}

    @property
    def logs(self) -> Path:
        """Where brokers, PostgreSQL and the schema registry write."""
        return self.home / "logs"

    # -- start and stop -----------------------------------------------------------------------------------------

    def up(
        self, brokers: int | None = None, with_postgres: bool = False, keep: bool = False, with_registry: bool = False
    ) -> str:
        """Have the lab run, and give a lease on it for this process.

        A lab that runs is used, and what was killed or paused in it is started again. ``brokers``: 1 or 3; None takes
        those that run, else 1. The first start with a schema registry fetches it, with a progress bar.
        Raises OtherSize when another number of brokers runs, LabError when the start fails.
        """
        from eventlab.cluster import install  # here, since set-up runs that module as a program

        if brokers is not None and brokers not in BROKER_COUNTS:
            raise LabError(f"A lab has 1 or 3 brokers, not {brokers}.")
        homes.prepare(self.home)
        install.ensure()
        if with_registry:
            registry.ensure()
        with homes.locked(self.home):
            lab = self.state()
            if lab is None:
                homes.check_room(self.home)
                self._clear()
                lab = State(token=uuid.uuid4().hex)
            elif brokers is not None and brokers != len(lab.brokers):
                raise OtherSize(
                    f"A lab with {_count(len(lab.brokers))} runs already. `eventlab down` stops it; then "
                    f"`eventlab up --brokers {brokers}` starts another (each keeps its own data)."
                )
            lease = self._lease(lab)
            try:
                if lab.brokers:
                    self._revive(lab, lab.brokers)
                else:
                    self._start(lab, brokers or 1)
                if lab.postgres or with_postgres:
                    self._have_postgres(lab)
                if lab.registry or with_registry:
                    self._have_registry(lab)
                lab.keep = lab.keep or keep
                state.write(self.home, lab)
            except BaseException:
                self._give_back(lab, lease)
                raise
            return lease

    def _start(self, lab: State, count: int) -> None:
        storage = self._storage(count)
        storage.mkdir(parents=True, exist_ok=True)
        identity = storage / "cluster.id"
        if not identity.exists():
            homes.write_atomically(identity, broker.random_id())
        for node in range(1, count + 1):
            broker.format_storage(storage / str(node), node, identity.read_text())
        for tries_left in reversed(range(_TRIES)):
            layout = Layout.choose(count)
            try:
                for node, (port, controller) in layout.nodes.items():
                    process = broker.start(node, layout, storage, self.logs, self._mark)
                    lab.brokers[node] = RunningBroker(process, port, controller)
                    state.write(self.home, lab)
                self._await(lab, lab.brokers)
                return
            except BaseException as error:
                processes.stop(lab.servers, 0)
                lab.brokers.clear()
                if not (isinstance(error, PortTaken) and tries_left):
                    raise

    def _revive(self, lab: State, nodes: Iterable[int]) -> None:
        """Have these brokers run again, on the same ports with the same data, whatever was done to them."""
        ill = [node for node in nodes if lab.brokers[node].process.state != "running"]
        for node in ill:
            running = lab.brokers[node]
            if running.process.alive:
                running.process.send(signal.SIGCONT)
            else:
                storage = self._storage(len(lab.brokers))
                running.process = broker.start(node, _layout(lab), storage, self.logs, self._mark)
                state.write(self.home, lab)
        up = sum(running.process.state == "running" for running in lab.brokers.values())
        if ill and 2 * up > len(lab.brokers):  # without a majority none of them gets ready
            self._await(lab, ill)

    def _await(self, lab: State, nodes: Iterable[int]) -> None:
        waiting = {node: lab.brokers[node].process for node in nodes}
        broker.wait_until_ready(waiting, _layout(lab), self.logs, _START_SECONDS)

    def _have_postgres(self, lab: State) -> None:
        if lab.postgres is None or not lab.postgres.process.alive:
            port = lab.postgres.port if lab.postgres else None
            lab.postgres = postgres.start(self.home / "postgres", self.logs, self._mark, port)
            state.write(self.home, lab)

    def _have_registry(self, lab: State) -> None:
        if lab.registry is None or not lab.registry.process.alive:
            port = lab.registry.port if lab.registry else None
            lab.registry = registry.start(self.home / "registry", self.logs, broker.mark_argument(self._mark), port)
            state.write(self.home, lab)

    def data(self, node: int) -> Path:
        """The directory of broker ``node``'s logs. Raises LabError when no lab runs."""
        return self._storage(len(self._need().brokers)) / str(node)

    def _storage(self, count: int) -> Path:
        return self.home / "kafka" / str(count)

    def down(self) -> bool:
        """Stop the lab, whoever uses it; False when there was nothing to stop."""
        if not self.home.is_dir():
            return False
        with homes.locked(self.home):
            running = self.state() is not None
            self._clear()
        return running

    def reset(self) -> list[Path]:
        """Stop the lab and remove its data, the learner's progress excepted; gives what was removed.

        Raises LabError when somebody else owns some of it.
        """
        if not self.home.is_dir():
            return []
        for beside in (self.home / "extra").glob("*"):
            Lab(beside).down()
        names = ("kafka", "postgres", "postgres.password", "registry", "logs", "extra", "sqlite")
        with homes.locked(self.home):
            self._clear()
            there = [self.home / name for name in names if (self.home / name).exists()]
            for path in there:
                try:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                except OSError as error:
                    raise homes.cannot_write(path, error) from error
        return there

    def _clear(self) -> None:
        """Stop all that this home's last lab started and forget it. The lock is held."""
        lab = state.read(self.home)
        if lab and lab.postgres:
            # PostgreSQL's word for: do not wait for clients to leave.
            lab.postgres.process.send(signal.SIGINT)
        processes.stop(lab.servers if lab else [], _STOP_SECONDS)
        self._stop_strays()
        if lab and lab.guard and lab.guard != processes.me():
            processes.stop([lab.guard], 0)  # nothing is left to guard, and whoever removes the home now meets nobody
        state.write(self.home, None)

    def _stop_strays(self) -> None:
        """Stop what the file does not name but the mark does: the file was lost, or its writer killed."""
        processes.stop(processes.marked(broker.mark_argument(self._mark), postgres.mark_argument(self._mark)), 0)

    # -- who uses it --------------------------------------------------------------------------------------------

    def _lease(self, lab: State) -> str:
        lease = uuid.uuid4().hex
        lab.leases = {name: holder for name, holder in lab.leases.items() if holder.alive}
        lab.leases[lease] = processes.me()
        state.write(self.home, lab)
        self._have_guard(lab)
        return lease

    def _have_guard(self, lab: State) -> None:
        if not lab.keep and not (lab.guard and lab.guard.working):
            # As a script: before a module of the package runs, all of the package is imported.
            words: list[str | Path] = [sys.executable, "-P", _GUARD, self.home, lab.token]
            lab.guard = processes.spawn(words, self.logs / "guard.log", cwd=self.home)
            state.write(self.home, lab)

    def watch(self) -> None:
        """Have a guard again, should somebody have killed it: for processes that are about to end."""
        lab = self.state()
        if lab and not (lab.guard and lab.guard.working):
            with homes.locked(self.home):
                if lab := state.read(self.home):
                    self._have_guard(lab)

    def _give_back(self, lab: State, lease: str) -> None:
        lab.leases.pop(lease, None)
        if lab.keep or lab.used:
            state.write(self.home, lab)
        else:
            self._clear()

    def release(self, lease: str) -> None:
        """Give a lease back; the lab stops when it was the last one and nobody asked to keep it."""
        if not self.home.is_dir():
            return  # somebody removed it: the guard stops what ran there
        with homes.locked(self.home):
            lab = state.read(self.home)
            if lab and lease in lab.leases:
                self._give_back(lab, lease)

    def stop_if_unused(self, token: str) -> bool:
        """What the guard asks for: stop the lab when no lease holder lives; True when it is over."""
        if not self.home.is_dir():
            self._stop_strays()
            return True
        lab = state.read(self.home)
        if lab and lab.token == token and lab.used and not lab.keep:
            return False
        with homes.locked(self.home):
            lab = state.read(self.home)
            if lab and (lab.token != token or lab.keep):
                return True
            if lab and lab.used:
                return False
            self._clear()
            return True

    # -- one broker ---------------------------------------------------------------------------------------------

    def kill(self, node: int) -> None:
        """``kill -9`` broker ``node`` and wait until it is gone."""
        self._signal(node, signal.SIGKILL, "dead")

    def pause(self, node: int) -> None:
        """Stop broker ``node``'s clock (SIGSTOP): to the others it looks like a very long garbage collection."""
        self._signal(node, signal.SIGSTOP, "paused")

    def resume(self, node: int) -> None:
        """Let a paused broker go on."""
        self._signal(node, signal.SIGCONT, "running")

    def restart(self, node: int) -> None:
        """Stop broker ``node`` if it runs and start it on the same ports, with the same data.

        Waits until it is ready, unless too few of the brokers run for any of them to get ready.
        """
        with homes.locked(self.home):
            lab = self._need()
            processes.stop([self._process(lab, node)], _STOP_SECONDS)
            self._revive(lab, [node])

    def _signal(self, node: int, number: int, wanted: str) -> None:
        process = self._process(self._need(), node)
        if not process.alive:
            raise LabError(f"Broker {node} is dead already. `eventlab broker restart {node}` starts it again.")
        process.send(number)
        end = time.monotonic() + _SIGNAL_SECONDS
        while process.state != wanted and time.monotonic() < end:
            time.sleep(_POLL_SECONDS)

    def _need(self) -> State:
        lab = self.state()
        if lab is None:
            raise LabError("No lab runs here. `eventlab up` starts one.")
        return lab

    def _process(self, lab: State, node: int) -> Process:
        if node not in lab.brokers:
            raise LabError(f"There is no broker {node}: the lab has {_count(len(lab.brokers))}.")
        return lab.brokers[node].process


def _layout(lab: State) -> Layout:
    return Layout({node: (running.port, running.controller) for node, running in lab.brokers.items()})


def _count(brokers: int) -> str:
    return "1 broker" if brokers == 1 else f"{brokers} brokers"
