"""How long from an append until an asynchronous view shows it, on PostgreSQL?

The projector runs in a process of its own; the reader looks at the view's table until the row is there. Appends come
after seeded pauses from none to more than a second, so that busy and sleeping subscribers are both met.
"""

import multiprocessing
import random
import time
import uuid
from typing import Any

from sqlalchemy import Column, MetaData, Table, Text, create_engine, text

from benchmarks.shops import databases, fresh
from benchmarks.table import Row, main, percentile
from eventlab.domain.cart import CartCreated
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.store import SqlEventStore
from eventlab.views import Projector, View, create, row_per_event

BOUND_MS = 10.0
SAMPLES = 300
SEED = 7
PAUSES = (0.0, 0.005, 0.02, 0.1, 0.4)
LONG_PAUSE, LONG_EVERY = 1.3, 60
WARM_UP = 20
_PATIENCE_SECONDS = 10.0


def view() -> View:
    """A row per cart."""
    carts = Table("carts", MetaData(), Column("stream", Text, primary_key=True), Column("customer", Text))
    of = {CartCreated: lambda recorded: {"stream": str(recorded.stream), "customer": recorded.event.customer}}
    return View("carts", (carts,), row_per_event(carts, of))


def project(url: str, schema: str, ready: Any) -> None:
    """The projector's process; ends when it is killed."""
    projector = Projector(SqlEventStore(url, schema=schema), view())
    ready.set()
    projector.run()


def sample(url: str, schema: str, count: int) -> list[float]:
    """Milliseconds from before the append to the row, ``count`` times."""
    store = SqlEventStore(url, schema=schema)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    chance = random.Random(SEED)
    found = []
    with engine.connect() as connection:
        query = text(f"SELECT 1 FROM {schema}.carts WHERE stream = :stream")
        for n in range(count):
            time.sleep(LONG_PAUSE if n % LONG_EVERY == LONG_EVERY - 1 else chance.choice(PAUSES))
            stream = StreamId("cart", str(uuid.uuid4()))
            began = time.perf_counter()
            store.append(stream, [NewEvent(CartCreated("ana", "EUR"))])
            while connection.scalar(query, {"stream": str(stream)}) is None:
                if time.perf_counter() - began > _PATIENCE_SECONDS:
                    raise TimeoutError("the view does not come")
            found.append((time.perf_counter() - began) * 1e3)
    return found[WARM_UP:]


def measure(runs: int) -> list[Row]:
    """All samples of ``runs`` runs together."""
    context = multiprocessing.get_context("spawn")
    readings: list[float] = []
    with databases() as urls:
        for _ in range(runs):
            url, schema = urls["PostgreSQL"], fresh()
            create(SqlEventStore(url, schema=schema), view())
            ready = context.Event()
            process = context.Process(target=project, args=(url, schema, ready))
            process.start()
            try:
                ready.wait(_PATIENCE_SECONDS)
                readings += sample(url, schema, SAMPLES)
            finally:
                process.kill()
                process.join()
    p99 = round(percentile(readings, 99), 2)
    spread = {f"{at} %": [round(percentile(readings, at), 2)] for at in (50, 90, 95, 99, 100)}
    return [Row("append to view, 99th percentile", p99, None, "ms", f"≤ {BOUND_MS:g} ms", p99 <= BOUND_MS, spread)]


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=1)
