"""A lab: brokers and, if asked for, PostgreSQL in one directory, with those who use them.

A lab lives as long as somebody uses it: each process that does holds a lease in the state file, and a guard process
(:mod:`eventlab.cluster.guard`) stops the lab when the last of them is gone. ``eventlab up`` sets ``keep``:
the lab lives until ``eventlab down``.
"""

import shutil
import signal
import sys
import uuid
from pathlib import Path
from typing import Any

from eventlab.cluster import broker, homes, postgres, processes
from eventlab.cluster.broker import Layout, PortTaken
from eventlab.cluster.errors import LabError
from eventlab.cluster.processes import Process

BROKER_COUNTS = (1, 3)
_START_SECONDS = 90
# A polite stop of three brokers hangs once the quorum is gone; Kafka recovers from what a kill leaves.
_STOP_SECONDS = 10
_TRIES = 3

State = dict[str, Any]


class Lab:
    """The lab in the directory ``home``. Every change is made under the directory's lock."""

    def __init__(self, directory: Path | None = None) -> None:
        self.home = directory or homes.home()
        self._mark = homes.mark(self.home)

    # -- what is there ------------------------------------------------------------------------------------------

    def state(self) -> State | None:
        """The state of the lab that runs; None when none does (whatever a crash or reboot left in the file)."""
        state = homes.read_state(self.home)
        return state if state and any(process.alive for process in _processes(state)) else None

    def status(self) -> dict[str, Any]:
        """``{"kafka": {"bootstrap", "brokers": [{"id", "pid", "port", "state"}]} | None, "postgres": {…} | None}``."""
        state = self.state()
        if state is None:
            return {"kafka": None, "postgres": None}
        brokers = [
            {"id": entry["id"], "pid": entry["pid"], "port": entry["port"], "state": Process.load(entry).state}
            for entry in state["brokers"]
        ]
        database = state["postgres"] and {
            "url": postgres.url(state["postgres"]["port"], state["postgres"]["password"]),
            "pid": state["postgres"]["pid"],
            "state": Process.load(state["postgres"]).state,
        }
        return {"kafka": {"bootstrap": _layout(state).bootstrap, "brokers": brokers}, "postgres": database}

    @property
    def logs(self) -> Path:
        """Where brokers and PostgreSQL write."""
        return self.home / "logs"

    # -- start and stop -----------------------------------------------------------------------------------------

    def up(self, brokers: int | None = None, with_postgres: bool = False, keep: bool = False) -> str:
        """Have the lab run, and give a lease on it for this process.

        A lab that runs is used, and what was killed or paused in it is started again. ``brokers``: 1 or 3; None takes
        those that run, else 1. Raises LabError when another number of brokers runs, or the start fails.
        """
        if brokers is not None and brokers not in BROKER_COUNTS:
            raise LabError(f"A lab has 1 or 3 brokers, not {brokers}.")
        homes.prepare(self.home)
        with homes.locked(self.home):
            state = self.state()
            if state is None:
                self._clear()
                state = {"token": uuid.uuid4().hex, "keep": False, "leases": {}, "brokers": [], "postgres": None}
            elif brokers is not None and brokers != len(state["brokers"]):
                raise LabError(
                    f"A lab with {_count(len(state['brokers']))} runs already. `eventlab down` stops it; then "
                    f"`eventlab up --brokers {brokers}` starts another (each keeps its own data)."
                )
            lease = self._lease(state)
            try:
                self._start(state, brokers or len(state["brokers"]) or 1, with_postgres)
            except BaseException:
                self._unlease(state, lease)
                raise
            state["keep"] = state["keep"] or keep
            homes.write_state(self.home, state)
            return lease

    def _start(self, state: State, count: int, with_postgres: bool) -> None:
        from eventlab.cluster import install  # here, since set-up runs this module as a program

        install.ensure()
        if not state["brokers"]:
            self._start_brokers(state, count)
        for entry in state["brokers"]:
            self._resume(state, entry)
        database = state["postgres"]
        if (with_postgres and database is None) or (database and not Process.load(database).alive):
            state["postgres"] = postgres.start(self.home / "postgres", self.logs, self._mark, database)
            homes.write_state(self.home, state)

    def _start_brokers(self, state: State, count: int) -> None:
        storage = self.home / "kafka" / str(count)
        storage.mkdir(parents=True, exist_ok=True)
        identity = storage / "cluster.id"
        if not identity.exists():
            homes.write_atomically(identity, broker.random_id())
        for node in range(1, count + 1):
            broker.format_storage(storage / str(node), node, identity.read_text())
        for last_try in [False] * (_TRIES - 1) + [True]:
            layout = Layout.choose(count)
            running: dict[int, Process] = {}
            try:
                for node in layout.nodes:
                    running[node] = broker.start(node, layout, storage, self.logs, self._mark)
                    state["brokers"].append(_entry(node, layout, running[node]))
                    homes.write_state(self.home, state)
                broker.wait_until_ready(running, layout, self.logs, _START_SECONDS)
                return
            except BaseException as error:
                processes.stop(running.values(), 0)
                state["brokers"].clear()
                if last_try or not isinstance(error, PortTaken):
                    raise

    def _resume(self, state: State, entry: dict[str, Any]) -> None:
        """Have one broker run, whatever was done to it."""
        process = Process.load(entry)
        if process.state == "paused":
            process.send(signal.SIGCONT)
        elif process.state == "dead":
            layout = _layout(state)
            storage = self.home / "kafka" / str(len(state["brokers"]))
            process = broker.start(entry["id"], layout, storage, self.logs, self._mark)
            entry.update(process.save())
            homes.write_state(self.home, state)
            broker.wait_until_ready({entry["id"]: process}, layout, self.logs, _START_SECONDS)

    def down(self) -> bool:
        """Stop the lab, whoever uses it; False when there was nothing to stop."""
        if not self.home.is_dir():
            return False
        with homes.locked(self.home):
            running = self.state() is not None
            self._clear()
        return running

    def reset(self) -> list[Path]:
        """Stop the lab and remove its data, the learner's progress excepted; gives what was removed."""
        self.down()
        for extra in self._extras():
            extra.down()
        names = ("kafka", "postgres", "postgres.password", "logs", "extra", "sqlite")
        there = [self.home / name for name in names if (self.home / name).exists()]
        for path in there:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return there

    def _extras(self) -> list["Lab"]:
        return [Lab(path) for path in (self.home / "extra").glob("*") if path.is_dir()]

    def _clear(self) -> None:
        """Stop all that this home's last lab started and forget it. The lock is held."""
        state = homes.read_state(self.home)
        if state and state["postgres"]:
            # PostgreSQL's word for: do not wait for clients to leave.
            Process.load(state["postgres"]).send(signal.SIGINT)
        processes.stop(_processes(state) if state else [], _STOP_SECONDS)
        self._stop_strays()
        homes.write_state(self.home, None)

    def _stop_strays(self) -> None:
        """Stop what the file does not name but the mark does: the file was lost, or its writer killed."""
        marks = (broker.mark_argument(self._mark), postgres.mark_argument(self._mark))
        processes.stop([process for mark in marks for process in processes.marked(mark)], 0)

    # -- who uses it --------------------------------------------------------------------------------------------

    def _lease(self, state: State) -> str:
        lease = uuid.uuid4().hex
        state["leases"][lease] = processes.me().save()
        homes.write_state(self.home, state)
        if not state["keep"] and not ("guard" in state and Process.load(state["guard"]).alive):
            words = [sys.executable, "-m", "eventlab.cluster.guard", str(self.home), state["token"]]
            state["guard"] = processes.spawn(words, self.logs / "guard.log", cwd=self.home).save()
            homes.write_state(self.home, state)
        return lease

    def _unlease(self, state: State, lease: str) -> None:
        state["leases"].pop(lease, None)
        homes.write_state(self.home, state)
        if not state["keep"] and not _used(state):
            self._clear()

    def release(self, lease: str) -> None:
        """Give a lease back; the lab stops when it was the last one and nobody asked to keep it."""
        with homes.locked(self.home):
            if (state := homes.read_state(self.home)) and lease in state["leases"]:
                self._unlease(state, lease)

    def stop_if_unused(self, token: str) -> bool:
        """What the guard asks for: stop the lab when no lease holder lives; True when it is over."""
        if (state := homes.read_state(self.home)) and _used(state):
            return False
        if not self.home.exists():
            self._stop_strays()
            return True
        with homes.locked(self.home):
            state = homes.read_state(self.home)
            if state and (state["token"] != token or state["keep"]):
                return True
            if state and _used(state):
                return False
            self._clear()
            return True

    # -- one broker ---------------------------------------------------------------------------------------------

    def kill(self, node: int) -> None:
        """``kill -9`` broker ``node`` and wait until it is gone."""
        process = self._running(node)
        process.send(signal.SIGKILL)
        processes.wait_until_dead([process], _STOP_SECONDS)

    def pause(self, node: int) -> None:
        """Stop broker ``node``'s clock (SIGSTOP): to the others it looks like a very long garbage collection."""
        self._running(node).send(signal.SIGSTOP)

    def resume(self, node: int) -> None:
        """Let a paused broker go on."""
        self._running(node).send(signal.SIGCONT)

    def restart(self, node: int) -> None:
        """Stop broker ``node`` if it runs and start it on the same ports, with the same data."""
        with homes.locked(self.home):
            state = self._need()
            entry = self._entry(state, node)
            processes.stop([Process.load(entry)], _STOP_SECONDS)
            self._resume(state, entry)

    def _running(self, node: int) -> Process:
        process = Process.load(self._entry(self._need(), node))
        if not process.alive:
            raise LabError(f"Broker {node} is dead already. `eventlab broker restart {node}` starts it again.")
        return process

    def _need(self) -> State:
        state = self.state()
        if state is None:
            raise LabError("No lab runs here. `eventlab up` starts one.")
        return state

    def _entry(self, state: State, node: int) -> dict[str, Any]:
        for entry in state["brokers"]:
            if entry["id"] == node:
                found: dict[str, Any] = entry
                return found
        raise LabError(f"There is no broker {node}: the lab has {_count(len(state['brokers']))}.")


def _processes(state: State) -> list[Process]:
    entries = [*state["brokers"], *([state["postgres"]] if state["postgres"] else [])]
    return [Process.load(entry) for entry in entries]


def _used(state: State) -> bool:
    return any(Process.load(lease).alive for lease in state["leases"].values())


def _layout(state: State) -> Layout:
    return Layout({entry["id"]: (entry["port"], entry["controller"]) for entry in state["brokers"]})


def _entry(node: int, layout: Layout, process: Process) -> dict[str, Any]:
    port, controller = layout.nodes[node]
    return {"id": node, "port": port, "controller": controller, **process.save()}


def _count(brokers: int) -> str:
    return "1 broker" if brokers == 1 else f"{brokers} brokers"
