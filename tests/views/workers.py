"""Projectors in processes of their own, to be killed."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from random import Random

from sqlalchemy import Connection, Engine, event

from eventlab.store import SqlEventStore
from eventlab.views import Projector, projector

from .shop import ALL, added, bought, cart, gone, removed

VIEWS = {view.name: view for view in ALL}


def serve(url: str, name: str, version: int, lanes: int) -> None:
    """Keep a view up to date for ever."""
    Projector(SqlEventStore(url), replace(VIEWS[name], version=version, lanes=lanes)).run()


def serve_and_die(url: str, name: str, seed: int, lanes: int) -> None:
    """Keep a view up to date, and be killed at a random statement, before or after it, or at a commit."""
    store = SqlEventStore(url)
    serving = Projector(store, replace(VIEWS[name], lanes=lanes))
    left = Random(seed).randint(1, 25)

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for moment in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(store.engine, moment, count)
    serving.run()


def hold_before_commit(url: str, name: str, pipe: object, stalled_ms: int | None = None) -> None:
    """Apply events up to the commit, say so, and wait there; then go on as if nothing had been."""
    if stalled_ms is not None:
        projector.STALLED_MS = stalled_ms
    store = SqlEventStore(url)
    serving = Projector(store, VIEWS[name])

    def stand(connection: Connection) -> None:
        pipe.send("about to commit")
        pipe.recv()

    event.listen(Engine, "commit", stand)
    serving.run()


def write(store: SqlEventStore, seed: int, appends: int) -> None:
    """A seeded history over a dozen carts."""
    random = Random(seed)
    for _ in range(appends):
        kinds = random.choices([added, removed, gone, bought], [6, 3, 1, 1], k=random.randint(1, 3))
        store.append(cart(random.randrange(12)), [kind() for kind in kinds])


@contextmanager
def process(target: object, *arguments: object) -> Iterator[BaseProcess]:
    """A process for the length of the block."""
    started = get_context("spawn").Process(target=target, args=arguments, daemon=True)
    started.start()
    try:
        yield started
    finally:
        started.kill()
        started.join()
