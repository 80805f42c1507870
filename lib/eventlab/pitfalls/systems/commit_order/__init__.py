"""P35: a position is given before its transaction commits, so a reader that remembers the last one skips events.

On PostgreSQL, in plain SQL, with a table of its own. The arms differ in one argument, the ``cure``: "none" is the
broken one, :data:`CURES` are the five known ones (the advisory lock in two forms), :data:`TRAPS` are cures applied
wrongly. ``url`` is SQLAlchemy's. What is made is removed again.

Others met it: events lost under concurrent appends (https://github.com/JasperFx/marten/issues/1629); a timer that gave
gaps up before a slow commit (https://github.com/JasperFx/marten/issues/3122 and
https://github.com/AxonIQ/AxonFramework/issues/2958); a page whose end lay beyond a gap
(https://github.com/JasperFx/marten/issues/4964).
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from threading import Barrier, Event

from sqlalchemy import Connection, text

from eventlab import cluster
from eventlab.cluster import Kafka
from eventlab.pitfalls.experiment import Pitfall
from eventlab.pitfalls.systems.commit_order.cures import ARMS, CURES, NONE, SHORT_SECONDS, TRAPS, Cure
from eventlab.pitfalls.systems.commit_order.log import Log, append, backend, fresh, is_blocked, take_number
from eventlab.pitfalls.systems.commit_order.reading import Reader
from eventlab.pitfalls.systems.commit_order.result import LOST, Comparison, Result, Step

__all__ = [
    "CURES",
    "NONE",
    "PITFALL",
    "TRAPS",
    "Comparison",
    "Cure",
    "Result",
    "Step",
    "beside",
    "compare",
    "in_the_lab",
    "load",
    "run",
]

_QUIET_SECONDS = 2 * SHORT_SECONDS  # a reader that got nothing new for so long has given up what it gives up
_POLL_SECONDS = 0.002  # between two empty looks: what LISTEN/NOTIFY would bring a little sooner
_CATEGORIES = ("account", "cart")
_REFUSED = 20  # every 20th append of a writer is rolled back, as after a conflict: its number stays a gap for ever


def run(url: str, *, cure: str | Cure = NONE, crossed: bool = False) -> Result:
    """Two transactions append, the first commits last: it goes on when the second has committed, or waits for a lock.

    A subscriber reads all it can before the first commits, and again after. ``crossed``: the second transaction has its
    number before the first one begins, and draws its position after. ``cure`` is a name, or one of your own. Raises
    ValueError for a name that there is not, and as :func:`~eventlab.pitfalls.systems.commit_order.log.fresh`.
    """
    with _arm(url, cure) as (arm, log), log.writer() as first, log.writer() as second, ThreadPoolExecutor(1) as pool:
        follower = _Follower(log, arm.reader())
        pid = backend(second)
        if crossed:
            take_number(second)
        with first.begin():
            arm.lock(first, _CATEGORIES[0])
            follower.steps.append(Step("first", "draws", (append(first, f"{_CATEGORIES[0]}-1", 1),)))
            later = pool.submit(_append, second, arm, f"{_CATEGORIES[1]}-1", follower.steps)
            log.wait(lambda observer: later.done() or is_blocked(observer, pid))
            if not later.done():
                follower.steps.append(Step("second", "waits"))
            follower.catch_up()
            follower.steps.append(Step("first", "commits"))
        later.result()
        log.settle()
        follower.catch_up()
        return follower.result(cure if isinstance(cure, str) else "your own", arm)


def beside(url: str, *, cure: str = "pg_snapshot_xmin", gap: bool = False) -> Result:
    """A transaction that has nothing to do with events stays open while one event is appended, and committed.

    Counted is what the subscriber does not get until the other one ends. ``gap``: an append before it was rolled back.
    Raises ValueError as :func:`run`.
    """
    with _arm(url, cure) as (arm, log), log.writer() as other, log.writer() as writer:
        follower = _Follower(log, arm.reader())
        with other.begin():
            other.execute(text("INSERT INTO views (stream, events) VALUES ('report-1', 0)"))
            if gap:
                with writer.begin() as refused:
                    arm.lock(writer, _CATEGORIES[0])
                    append(writer, f"{_CATEGORIES[0]}-1", 1)
                    refused.rollback()
            _append(writer, arm, f"{_CATEGORIES[1]}-1", follower.steps)
            follower.catch_up()
            waiting = follower.result(cure, arm)
        return replace(waiting, unit="events wait for a transaction that has nothing to do with them")


def load(url: str, *, cure: str = NONE, writers: int = 8, appends: int = 60) -> Result:
    """Each of ``writers`` threads makes ``appends`` transactions of one event, while a subscriber follows.

    Every 20th is rolled back. Raises ValueError as :func:`run`, or for numbers below 1.
    """
    if writers < 1 or appends < 1:
        raise ValueError(f"{writers} writers with {appends} appends each write nothing; give 1 or more of both")
    with _arm(url, cure) as (arm, log), ExitStack() as stack, ThreadPoolExecutor(writers + 1) as pool:
        connections = [stack.enter_context(log.writer()) for _ in range(writers)]
        ready, done = Barrier(writers + 1), Event()
        committed: dict[int, float] = {}
        follower = _Follower(log, arm.reader())
        following = pool.submit(follower.follow, done)
        running = [
            pool.submit(_write, connection, arm, number, appends, ready, committed)
            for number, connection in enumerate(connections)
        ]
        ready.wait()
        began = time.monotonic()
        wait(running)
        seconds = time.monotonic() - began
        done.set()
        for each in [*running, following]:
            each.result()
        delays = tuple(max(0.0, at - committed[position]) for position, at in follower.seen.items())
        return replace(follower.result(cure, arm), seconds=seconds, delays=delays)


def compare(url: str, *, cures: Sequence[str] = (NONE, *CURES), writers: int = 8, appends: int = 60) -> Comparison:
    """The same load with each of ``cures``."""
    return Comparison([load(url, cure=cure, writers=writers, appends=appends) for cure in cures])


def in_the_lab(_: Kafka, *, cure: str = NONE, seed: int = 7) -> Result:
    """The race on the lab's PostgreSQL; no broker has a part in it. With every second ``seed`` it is the crossed one.

    Raises ValueError as :func:`run`: also when ``EVENTLAB_SQL`` names another kind of database.
    """
    return run(cluster.database(postgres=True), cure=cure, crossed=seed % 2 == 1)


@contextmanager
def _arm(url: str, cure: str | Cure) -> Iterator[tuple[Cure, Log]]:
    if isinstance(cure, str) and cure not in ARMS:
        raise ValueError(f"there is no cure {cure!r}; there are: {', '.join(ARMS)}")
    with fresh(url) as log:
        yield ARMS[cure] if isinstance(cure, str) else cure, log


def _append(connection: Connection, arm: Cure, stream: str, steps: list[Step]) -> None:
    arm.lock(connection, stream.split("-")[0])
    steps.append(Step("second", "draws", (append(connection, stream, 1),)))
    connection.commit()
    steps.append(Step("second", "commits"))


def _write(
    connection: Connection, arm: Cure, number: int, appends: int, ready: Barrier, committed: dict[int, float]
) -> None:
    category = _CATEGORIES[number % len(_CATEGORIES)]
    ready.wait()
    for version in range(1, appends + 1):
        with connection.begin() as transaction:
            arm.lock(connection, category)
            position = append(connection, f"{category}-{number}", version)
            if version % _REFUSED == 0:
                transaction.rollback()
        if version % _REFUSED:
            committed[position] = time.monotonic()


class _Follower:
    """A subscriber, and when it got what."""

    def __init__(self, log: Log, reader: Reader) -> None:
        self._log, self._reader = log, reader
        self.seen: dict[int, float] = {}
        self.steps: list[Step] = []

    def catch_up(self) -> None:
        """Read until nothing new has come for a while."""
        before = len(self.seen)
        with self._log.reader() as connection:
            self._until_quiet(connection)
        new = tuple(self.seen)[before:]
        self.steps.append(Step("reader", "reads" if new else "finds nothing", new))

    def follow(self, done: Event) -> None:
        """Read until ``done``, and then to the end."""
        with self._log.reader() as connection:
            while not done.is_set():
                if not self._poll(connection):
                    time.sleep(_POLL_SECONDS)
            self._log.settle()
            self._until_quiet(connection)

    def _until_quiet(self, connection: Connection) -> None:
        """Asks at least once more after the quiet time, so that a slow machine cannot cut a timer short."""
        last = None
        while True:
            began = time.monotonic()
            if self._poll(connection) or last is None:
                last = time.monotonic()
            elif began - last > _QUIET_SECONDS:
                return
            time.sleep(_POLL_SECONDS)

    def _poll(self, connection: Connection) -> bool:
        found = self._reader.poll(connection)
        at = time.monotonic()
        self.seen |= {event.position: at for event in found}
        return bool(found)

    def result(self, cure: str, arm: Cure) -> Result:
        """What it got, against what is there, and against what a subscriber gets that begins now."""
        again = _Follower(self._log, arm.reader())
        again.catch_up()
        return Result(cure, self._log.written(), tuple(self.seen), tuple(again.seen), steps=tuple(self.steps))


PITFALL = Pitfall(
    id="P35",
    hypothesis="A reader who remembers the last position that it saw never gets an event that commits late.",
    workload="two transactions append an event each, and the one with the lower position commits last",
    metric=None,
    unit=LOST,
    run=in_the_lab,
    broken={"cure": NONE},
    cured={"cure": "high-water mark"},  # as the event store does it
    seed=7,
    budget=5,
    brokers=1,
    sources=(
        "https://github.com/JasperFx/marten/issues/1629",
        "https://github.com/JasperFx/marten/issues/3122",
        "https://github.com/JasperFx/marten/issues/4964",
        "https://github.com/AxonIQ/AxonFramework/issues/2958",
    ),
)
