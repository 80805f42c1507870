"""One arm of the chaos: a configuration under full load, while a plan of faults strikes its brokers."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, Literal

from confluent_kafka import IsolationLevel

from eventlab.cluster import Kafka
from eventlab.cluster.ends import ends
from eventlab.cluster.health import healthy
from eventlab.cluster.proxy import FaultProxy
from eventlab.pitfalls.actors import Actor
from eventlab.pitfalls.chaos import view, writers
from eventlab.pitfalls.chaos.plan import Fault
from eventlab.pitfalls.chaos.strikes import make_whole, struck
from eventlab.pitfalls.checkers import ALL
from eventlab.pitfalls.history import History, Sent
from eventlab.pitfalls.topics import read

Configuration = Literal["cured", "broken"]
Progress = Callable[[str], None]

_WRITERS = 8
_REPLICAS = 3
_WORK: Mapping[Configuration, tuple[writers.Writer, view.Reader]] = {
    "cured": (writers.careful, view.CAREFUL),
    "broken": (writers.careless, view.CARELESS),
}


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault as it was: when it began and when the cluster was whole again, in seconds after the load began."""

    fault: Fault
    began: float
    whole: float


@dataclass(frozen=True)
class Outcome:
    """What an arm comes to. ``log``: what was sent, and what a fresh reader found; ``view``: that, and what it applied.

    ``seconds`` is how long the load lasted.
    """

    configuration: Configuration
    seed: int
    strikes: tuple[Strike, ...]
    log: History
    view: History
    seconds: float

    @cached_property
    def anomalies(self) -> Mapping[str, Mapping[str, int]]:
        """How many facts each checker finds wrong, in the log and in the view; those that find none are left out."""
        return {name: _found(history) for name, history in (("log", self.log), ("view", self.view))}

    @property
    def clean(self) -> bool:
        """Whether no checker found anything."""
        return not any(self.anomalies.values())

    def summary(self) -> dict[str, Any]:
        """As one JSON object."""
        statuses = [attempt.status for attempt in self.log.sent]
        return {
            "configuration": self.configuration,
            "seconds": round(self.seconds, 1),
            "sent": len(statuses),
            "acknowledged": statuses.count("ok"),
            "unknown": statuses.count("unknown"),
            "read": len(self.log.read),
            "applied": len(self.view.read),
            "anomalies": {name: dict(found) for name, found in self.anomalies.items()},
            "faults": [{**asdict(each.fault), "began": each.began, "whole": each.whole} for each in self.strikes],
        }


def _found(history: History) -> dict[str, int]:
    counts = {checker.__name__: len(checker(history)) for checker in ALL}
    return {name: count for name, count in counts.items() if count}


def run(
    kafka: Kafka,
    configuration: Configuration,
    faults: Iterable[Fault],
    *,
    seed: int,
    seconds: float,
    progress: Progress = lambda _: None,
) -> Outcome:
    """Write at full load while ``faults`` strike, each once the cluster is whole after the one before.

    After so many seconds no more of them begins, and when it is whole the load ends. ``kafka`` has three brokers.
    However this ends, every fault does, all brokers run and no process stays. ``progress`` hears what is done.
    Raises LabError when the cluster does not recover, NeedsEmbeddedLab where its brokers are not the lab's.
    """
    write, reader = _WORK[configuration]
    with ExitStack() as stack:
        stack.enter_context(healthy(kafka))
        topic = kafka.topic("chaos", partitions=writers.PARTITIONS, replication=_REPLICAS)
        make_whole(kafka, topic)
        path = Path(stack.enter_context(TemporaryDirectory(prefix="eventlab-chaos-"))) / "view.db"
        proxy = stack.enter_context(FaultProxy(kafka))
        reads = {"config": proxy.config(), "topic": topic, "group": kafka.name("chaos"), "path": str(path)}
        actor = stack.enter_context(Actor(reader.work, **reads))
        stop, began = Event(), time.monotonic()
        pool = stack.enter_context(ThreadPoolExecutor(_WRITERS))
        stack.callback(stop.set)
        working = [pool.submit(write, proxy, topic, number, seed, stop) for number in range(1, _WRITERS + 1)]
        strikes = []
        for fault in faults:
            _wait(fault.after, working)
            at = time.monotonic() - began
            if at > seconds:
                break
            with struck(kafka, proxy, actor, fault):
                progress(f"{at:4.0f} s  {fault}")
                _wait(fault.lasts, working)
            make_whole(kafka, topic)
            strikes.append(Strike(fault, round(at, 1), round(time.monotonic() - began, 1)))
        stop.set()
        lasted = time.monotonic() - began
        progress(f"{lasted:4.0f} s  the writers stop, the view catches up")
        sent = [attempt for each in working for attempt in each.result()]
        reader.await_end(kafka, topic, path, ends(kafka, topic, IsolationLevel.READ_COMMITTED))
        records, seen = read(kafka, topic), view.applied(path)
    there = tuple(Sent(record.fact, "ok", record.partition, record.offset) for record in records)
    return Outcome(configuration, seed, tuple(strikes), History(records, tuple(sent)), History(seen, there), lasted)


def _wait(seconds: float, working: Sequence["Future[Sequence[Sent]]"]) -> None:
    """So long, unless a writer fails: what it raised is raised at once."""
    done, _ = futures.wait(working, seconds, futures.FIRST_EXCEPTION)
    for each in done:
        each.result()
