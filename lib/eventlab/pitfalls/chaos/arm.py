"""One arm of the chaos: a configuration under full load, while a plan of faults strikes its brokers."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, Literal, NamedTuple

from confluent_kafka import IsolationLevel, KafkaException

from eventlab import settings
from eventlab.cluster import Kafka, LabError
from eventlab.cluster.ends import ends
from eventlab.cluster.health import healthy
from eventlab.cluster.proxy import FaultProxy
from eventlab.pitfalls.actors import Actor
from eventlab.pitfalls.chaos import copies, view, writers
from eventlab.pitfalls.chaos.plan import Fault, Kind
from eventlab.pitfalls.chaos.strikes import make_whole, struck
from eventlab.pitfalls.checkers import ALL
from eventlab.pitfalls.history import History, Sent
from eventlab.pitfalls.topics import read

Configuration = Literal["cured", "broken"]
Progress = Callable[[str], None]

_WRITERS = 8
_REPLICAS = 3
_PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.05


class _Work(NamedTuple):
    """What a configuration consists of: the settings of its topics, who writes, who passes on and who reads."""

    topic: Mapping[str, Any]
    write: writers.Writer
    copy: copies.Copyist
    reader: view.Reader


_WORK: Mapping[Configuration, _Work] = {
    "cured": _Work(settings.topic(_REPLICAS), writers.careful, copies.copy_carefully, view.CAREFUL),
    "broken": _Work({}, writers.careless, copies.copy_carelessly, view.CARELESS),
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

    ``copies``: what was in the log, and what a fresh reader found in the topic of the copies, where places are others.
    ``seconds`` is how long the load lasted.
    """

    configuration: Configuration
    seed: int
    strikes: tuple[Strike, ...]
    log: History
    view: History
    copies: History
    seconds: float

    @cached_property
    def anomalies(self) -> Mapping[str, Mapping[str, int]]:
        """How many facts each checker finds wrong, and where; those that find none are left out."""
        judged = {"log": self.log, "view": self.view, "copies": self.copies}
        return {name: _found(history) for name, history in judged.items()}

    @property
    def clean(self) -> bool:
        """Whether no checker found anything."""
        return not any(self.anomalies.values())

    @property
    def has_what_must_be_found(self) -> bool:
        """Whether the checkers found at least what the faults that struck make certain in the broken configuration."""
        log, view, copies = self.anomalies["log"], self.anomalies["view"], self.anomalies["copies"]
        shown: dict[Kind, bool] = {
            # What one broker acknowledged, and had alone.
            "kill alone": "lost_writes" in log,
            # What was written, and sent again since nobody heard of it.
            "cut answers": "duplicates" in log,
            # What was handled, and handled again since nobody noted it: more than is in the log twice.
            "kill readers": "nonmonotonic_polls" in view and copies.get("duplicates", 0) > log.get("duplicates", 0),
        }
        return all(shown.get(strike.fault.kind, True) for strike in self.strikes)

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
            "copied": len(self.copies.read),
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
    work = _WORK[configuration]
    with ExitStack() as stack:
        stack.enter_context(healthy(kafka))
        topic, target = (kafka.topic(what, writers.PARTITIONS, _REPLICAS, **work.topic) for what in ("chaos", "copies"))
        make_whole(kafka, topic)
        path = Path(stack.enter_context(TemporaryDirectory(prefix="eventlab-chaos-"))) / "view.db"
        proxy = stack.enter_context(FaultProxy(kafka))
        config = proxy.config()
        readers = [
            Actor(work.reader.work, config=config, topic=topic, group=kafka.group("view"), path=str(path)),
            Actor(work.copy, config=config, source=topic, target=target, group=kafka.group("copies")),
        ]
        for reader in readers:
            stack.enter_context(reader)
        stop, began = Event(), time.monotonic()
        pool = stack.enter_context(ThreadPoolExecutor(_WRITERS))
        stack.callback(stop.set)
        working = [pool.submit(work.write, proxy, topic, number, seed, stop) for number in range(1, _WRITERS + 1)]
        strikes = []
        for fault in faults:
            _wait(fault.after, working)
            _await_work(lambda: _done(kafka, topic, target, path))
            at = time.monotonic() - began
            if at > seconds:
                break
            with struck(kafka, proxy, readers, fault):
                progress(f"{at:4.0f} s  {fault}")
                _wait(fault.lasts, working)
            make_whole(kafka, topic)
            strikes.append(Strike(fault, round(at, 1), round(time.monotonic() - began, 1)))
        stop.set()
        lasted = time.monotonic() - began
        progress(f"{lasted:4.0f} s  the writers stop, the readers catch up")
        sent = [attempt for each in working for attempt in each.result()]
        work.reader.await_end(kafka, topic, path, ends(kafka, topic, IsolationLevel.READ_COMMITTED))
        records = read(kafka, topic)
        copies.await_copied(kafka, target, records)
        seen, copied = view.applied(path), read(kafka, target)
    there = tuple(Sent(record.fact, "ok", record.partition, record.offset) for record in records)
    passed_on = History(copied, tuple(Sent(record.fact, "ok") for record in records))
    histories = History(records, tuple(sent)), History(seen, there), passed_on
    return Outcome(configuration, seed, tuple(strikes), *histories, lasted)


def _wait(seconds: float, working: Sequence["Future[Sequence[Sent]]"]) -> None:
    """So long, unless a writer fails: what it raised is raised at once."""
    done, _ = futures.wait(working, seconds, futures.FIRST_EXCEPTION)
    for each in done:
        each.result()


def _done(kafka: Kafka, topic: str, target: str, path: Path) -> Sequence[int]:
    """How far all have got: the partitions of the log, the copies and the view."""
    log, copied = (ends(kafka, which, IsolationLevel.READ_COMMITTED).values() for which in (topic, target))
    return *log, sum(copied), view.count(path)


def _await_work(done: Callable[[], Sequence[int]]) -> None:
    """Wait until all are at work: a fault that strikes nobody shows nothing. Raises LabError if somebody is not."""
    before: Sequence[int] = ()
    after, deadline = before, time.monotonic() + _PATIENCE_SECONDS
    while not before or not all(now > then for now, then in zip(after, before, strict=True)):
        if time.monotonic() > deadline:
            raise LabError(f"Not all were at work within {_PATIENCE_SECONDS:g} s: from {before} they came to {after}.")
        time.sleep(_LOOK_SECONDS)
        with suppress(KafkaException):  # a new leader may not know yet how far all have got
            after = done()
            before = before or after
