"""Processes that are made to be killed, and what they write: the same each time it is asked, ids and all."""

import time
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from random import Random
from uuid import UUID

from tests.contracts.backends import Backend
from tests.views.shop import carts

from eventlab.domain.cart import ItemAdded
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.store import SqlEventStore
from eventlab.store.contract import Append
from eventlab.views import Projector

from .waiting import PATIENCE_SECONDS

# Hundreds of processes: forked from one that has imported the library, each is there in a tenth of the time.
_context = get_context("forkserver")
_context.set_forkserver_preload(["eventlab.store", "eventlab.views"])

SHARED = StreamId("cart", "shared")  # every writer's
_OWN = 3
_MOST = 4  # events in one append


def planned(writer: int, number: int) -> tuple[StreamId, list[NewEvent]]:
    """What ``writer`` appends as its ``number``-th."""
    random = Random(f"{writer} {number}")
    stream = random.choice([SHARED, StreamId("cart", f"{writer}.{random.randrange(_OWN)}")])
    return stream, [
        NewEvent(ItemAdded(f"{writer}", 1, Money(100, "EUR")), UUID(int=random.getrandbits(128)))
        for _ in range(random.randint(1, _MOST))
    ]


def write(url: str, writer: int, number: int, told: Connection) -> None:
    """Append for ever, from ``number`` on, and tell the positions of each append once it is acknowledged."""
    store = SqlEventStore(url)
    while True:
        told.send(store.append(*planned(writer, number)).positions)
        number += 1


def project(url: str) -> None:
    """Keep a view up to date for ever."""
    Projector(SqlEventStore(url), carts).run()


def append_once(store: Backend, appends: Sequence[Append], pipe: Connection) -> None:
    """Say when all is ready, append when told to, and wait for the end."""
    opened = store.open()
    list(opened.read_all())  # whatever is made at first use is there
    pipe.send("ready")
    pipe.recv()
    opened.append_all(appends)
    pipe.recv()


def killed_while_it_appends(store: Backend, appends: Sequence[Append], delay: float) -> None:
    """A process of its own appends, and is killed ``delay`` seconds after it began."""
    here, there = _context.Pipe()
    process = started(append_once, store, appends, there)
    assert here.poll(PATIENCE_SECONDS)
    here.recv()
    here.send("go")
    time.sleep(delay)
    process.kill()
    process.join()
    assert process.exitcode == -9
    here.close()
    there.close()


class Writer:
    """A writer that is killed and started again, and then repeats the append of which it does not know the fate."""

    def __init__(self, url: str, number: int) -> None:
        self.url, self.number = url, number
        self.acknowledged: list[tuple[int, ...]] = []
        self.start()

    def start(self) -> None:
        self._told, tell = _context.Pipe(duplex=False)
        self.process = started(write, self.url, self.number, len(self.acknowledged), tell)
        tell.close()

    def listen(self) -> None:
        """Take note of what was acknowledged by now."""
        while self._told.poll():
            self.acknowledged.append(self._told.recv())

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        assert self.process.exitcode == -9, "the writer ended by itself"
        try:
            while True:
                self.acknowledged.append(self._told.recv())
        except EOFError:  # the rest of a word that it was speaking is gone with it
            self._told.close()


def started(target: object, *arguments: object) -> BaseProcess:
    """A process of its own."""
    process = _context.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process
