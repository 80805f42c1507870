"""Lost updates: several writers read the same balance, and each writes back what it made of it.

The arms differ in one argument, the ``way`` of locking (:data:`eventlab.locks.WAYS`): "no lock" is the broken one, and
under :func:`paused` it is "Redis lock". Counted are the deposits that were acknowledged and that a fresh reader misses.
``url`` is always SQLAlchemy's, of PostgreSQL, or of SQLite for the ways that work there; what is made is removed again.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Barrier, BrokenBarrierError
from typing import Any

from sqlalchemy import make_url

from eventlab import cluster
from eventlab.cluster import redis
from eventlab.locks import WAYS, Teller
from eventlab.locks.meeting import Meeting
from eventlab.locks.steps import Log, Tell, Told, nobody
from eventlab.locks.stopping import stopping_writer
from eventlab.pitfalls.deposits import Comparison, Result

AMOUNT = 100  # cents of every deposit
# When this is over, a paused writer has lost the lock; the second writer waits for that.
LEASE_SECONDS = 0.2
_LONGEST_PREFIX = 50  # PostgreSQL cuts names at 63 bytes


def run(url: str, *, way: str = "no lock", writers: int = 4, rounds: int = 5) -> Result:
    """All writers deposit once in each round, and nobody writes before all have read, or wait for a lock.

    That makes certain what is a race otherwise. Raises ValueError for a way that there is not, or not on this database.
    """
    with _bank(url, way, writers) as bank:
        meeting = Meeting(writers, bank.tellers[0].waiting)

        def writer(number: int) -> int:
            with meeting.writer():
                return sum(bank.deposit(number, meeting.round(each, number)) for each in range(1, rounds + 1))

        retries, seconds = _at_once(writer, writers)
        return bank.result(writers * rounds, retries, seconds, meeting.log)


def load(url: str, *, way: str = "no lock", writers: int = 4, updates: int = 120) -> Result:
    """``updates`` deposits, shared out among the writers, each as fast as it can. Raises ValueError as :func:`run`."""
    if updates % writers:
        raise ValueError(f"{updates} updates cannot be shared out evenly among {writers} writers")
    with _bank(url, way, writers) as bank:

        def writer(number: int) -> int:
            return sum(bank.deposit(number, nobody) for _ in range(updates // writers))

        retries, seconds = _at_once(writer, writers)
        return bank.result(updates, retries, seconds)


def compare(url: str, *, ways: Sequence[str] = tuple(WAYS), writers: Sequence[int] = (1, 2, 4, 8)) -> Comparison:
    """The same load in each of ``ways``, by each number of ``writers``. Raises LabError without a Redis for a way."""
    if any(WAYS[way].needs_redis for way in ways if way in WAYS):
        redis.url()  # rather now than after half of the work
    return Comparison([load(url, way=way, writers=number) for way in ways for number in writers])


def paused(url: str, *, way: str = "Redis lock", rounds: int = 5) -> Result:
    """Writer 1 stops with the lock in hand (SIGSTOP), until the lease is over and writer 2 has paid in; then goes on.

    Raises ValueError for a way without a lease: there writer 2 would wait for ever.
    """
    leased = [name for name, each in WAYS.items() if each.needs_redis]
    if way not in leased:
        raise ValueError(f"{way!r} has no lease that could end; these have: {', '.join(leased)}")
    log = Log()
    with _bank(url, way, 2, LEASE_SECONDS) as bank, stopping_writer(**bank.options, way=way) as first:
        retries, began = 0, time.monotonic()
        for number in range(1, rounds + 1):
            first.start(AMOUNT, _into(log, number, 1))
            retries += bank.deposit(2, _into(log, number, 2))
            retries += first.finish(_into(log, number, 1))
        return bank.result(2 * rounds, retries, time.monotonic() - began, log)


def _into(log: Log, round: int, writer: int) -> Tell:  # noqa: A002 (the word of the lesson)
    return lambda step, balance: log.tell(Told(round, writer, step, balance))


class _Bank:
    """One account for one experiment, with a teller for each writer."""

    def __init__(self, name: str, writers: int, options: dict[str, Any]) -> None:
        self.options = options
        self._name, self._way = name, WAYS[name]
        self.tellers = [Teller(**options) for _ in range(writers)]

    def deposit(self, writer: int, tell: Tell) -> int:
        """``writer`` (from 1) pays in; gives how many attempts were in vain."""
        return self._way.deposit(self.tellers[writer - 1], AMOUNT, tell)

    def open(self) -> None:
        """Make the account; every teller connects."""
        self._way.open(self.tellers[0])
        for teller in self.tellers:
            self._way.balance(teller)

    def result(self, updates: int, retries: int, seconds: float, log: Log | None = None) -> Result:
        """What a fresh reader finds."""
        reader = Teller(**self.options)
        try:
            stored = self._way.balance(reader) // AMOUNT
        finally:
            reader.close()
        return Result(self._name, len(self.tellers), updates, stored, retries, seconds, tuple(log.told if log else ()))

    def close(self) -> None:
        """Remove the account."""
        for teller in self.tellers[1:]:
            teller.close()
        self.tellers[0].remove()


@contextmanager
def _bank(url: str, name: str, writers: int, lease: float | None = None) -> Iterator[_Bank]:
    if name not in WAYS:
        raise ValueError(f"there is no way of locking {name!r}; there are: {', '.join(WAYS)}")
    if writers < 1:
        raise ValueError(f"{writers} writers write nothing; give 1 or more")
    postgres = make_url(url).get_backend_name() == "postgresql"
    if WAYS[name].needs_postgres and not postgres:
        raise ValueError(
            f"{name!r} needs PostgreSQL: eventlab.cluster.database(postgres=True). SQLite has no such lock"
        )
    account = f"two-at-once-{uuid.uuid4().hex[:8]}"
    options: dict[str, Any] = {"url": url, "name": account}
    if postgres:
        options["schema"] = f"{(cluster.schema() or 'eventlab')[:_LONGEST_PREFIX]}-{account[-8:]}"
    if WAYS[name].needs_redis:
        options["redis_url"] = redis.url()
    if lease is not None:
        options["lease"] = lease
    bank = _Bank(name, writers, options)
    try:
        bank.open()
        yield bank
    finally:
        bank.close()


def _at_once(writer: Callable[[int], int], writers: int) -> tuple[int, float]:
    """Run ``writer`` in a thread for each number from 1; gives the sum of what they return, and the seconds."""
    ready = Barrier(writers + 1)

    def begin(number: int) -> int:
        ready.wait()
        return writer(number)

    with ThreadPoolExecutor(writers) as pool:
        running = [pool.submit(begin, number) for number in range(1, writers + 1)]
        ready.wait()
        began = time.monotonic()
        wait(running)
        seconds = time.monotonic() - began
    failed = [error for each in running if (error := each.exception())]
    for error in sorted(failed, key=lambda error: isinstance(error, BrokenBarrierError)):
        raise error  # the cause; the others only stopped waiting for it
    return sum(each.result() for each in running), seconds
