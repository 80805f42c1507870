"""From which length of a stream on does a snapshot pay, its writing included, and what does closing the books cost?

The account's own fold, on SQLite and on PostgreSQL. A load with a snapshot is measured with the tail that it has on
average, half of what the policy allows.
"""

import time
from collections.abc import Callable
from math import ceil
from statistics import linear_regression
from typing import Any

from benchmarks.shops import databases, fresh
from benchmarks.table import Row, main, median
from eventlab.domain import account
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.inputs.generate import demo_account
from eventlab.store import SqlEventStore, SqlSnapshots, state
from eventlab.store.snapshots import EVERY

LENGTHS = (20, 50, 100, 200, 400, 800)
LONG = 7_000  # events: an account of nine years
PERIOD = 64  # events of a month in it
READINGS = 25
# A snapshot that only pays for streams longer than this would be one that hardly any stream needs.
BREAK_EVEN_EVENTS = 200
LEAST_GAIN = 10.0


def seconds(work: Callable[[], Any]) -> float:
    """The middle of several readings."""
    readings = []
    for _ in range(READINGS):
        began = time.perf_counter()
        work()
        readings.append(time.perf_counter() - began)
    return median(readings, 9)


def stream_of(store: SqlEventStore, events: int) -> StreamId:
    """A new stream with the first events of a long life."""
    stream = StreamId("account", f"{events}-{fresh()}")
    store.append(stream, [NewEvent(new.event) for new in demo_account(4, 120)[:events]])
    return stream


def on(database: str, url: str, runs: int) -> list[Row]:
    """The figures of one database."""
    store = SqlEventStore(url, schema=None if database == "SQLite" else fresh())
    kept = SqlSnapshots(store, every=10 * LONG)  # none is kept unasked
    evens, writes, fulls, tails, shorts = [], [], [], [], []
    for _ in range(runs):
        points, loads = [], []
        for length in LENGTHS:
            stream = stream_of(store, length)
            points.append((length, seconds(lambda: state(store, account.decider, stream))))  # noqa: B023
            snapshot = kept.take(store, account.decider, stream)
            loads.append(seconds(lambda: kept.load(store, account.decider, stream)))  # noqa: B023
        writes.append(seconds(lambda: kept.put(snapshot)) * 1e6)  # noqa: B023
        slope, rest = linear_regression(*zip(*points, strict=True))
        evens.append(max(0.0, (median(loads, 9) - rest) / slope))
        whole, short = stream_of(store, LONG), stream_of(store, PERIOD)
        fulls.append(seconds(lambda: state(store, account.decider, whole)) * 1e3)  # noqa: B023
        kept.take(store, account.decider, whole)
        store.append(whole, [NewEvent(new.event) for new in demo_account(4, 120)[: EVERY // 2]])
        tails.append(seconds(lambda: kept.load(store, account.decider, whole)) * 1e3)  # noqa: B023
        shorts.append(seconds(lambda: state(store, account.decider, short)) * 1e3)  # noqa: B023
    store.close()
    even, write, full = ceil(median(evens)), median(writes, 0), median(fulls)
    gains = {"snapshot and tail": tails, "a stream of its period": shorts}
    return [
        Row(f"break-even of a snapshot, {database}", even, None, "events", f"≤ {BREAK_EVEN_EVENTS}",
            even <= BREAK_EVEN_EVENTS, {"ours": [round(each) for each in evens]}),
        Row(f"writing a snapshot, {database}", write, None, "µs", f"≤ one load of {LONG:,} events",
            write <= full * 1e3, {"ours": [round(each) for each in writes]}),
        *(Row(f"{way} instead of {LONG:,} events, {database}", median(found), full, "ms", f"≥ {LEAST_GAIN:g}×",
              full / median(found) >= LEAST_GAIN,
              {"ours": [round(each, 3) for each in found], "peer": [round(each, 2) for each in fulls]})
          for way, found in gains.items()),
    ]  # fmt: skip


def measure(runs: int) -> list[Row]:
    """Both databases."""
    with databases() as urls:
        return [row for database, url in urls.items() for row in on(database, url, runs)]


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=3)
