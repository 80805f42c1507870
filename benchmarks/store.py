"""How fast is the event store, side by side with ``eventsourcing`` on the same database with the same durability?

Both start from domain objects that are made beforehand; in turn, in one run. Rates are medians of the runs; the 50th,
95th and 99th percentiles of single appends stand in ``runs``.
"""

import time
from collections.abc import Callable
from typing import Any

from benchmarks.shops import databases, fresh, side, together
from benchmarks.table import Row, main, median, percentile

LONG = 10_000  # events of the stream that is loaded
APPENDS = 500  # new streams per run, one writer
WARM_UP = 1_000  # as many pages as SQLite's log has before it is copied into the file
WRITERS, EACH = 8, 200
BULK, BULK_EVENTS = 300, 100  # streams and events of each
SIDES = {"SQLite": ["ours", "peer"], "PostgreSQL": ["ours", "peer", "peer with functions"]}
LEAST_LOAD, LEAST_BULK, LEAST_TOGETHER = 10.0, 2.0, 3.0
LEAST_APPEND = {"SQLite": 1.2, "PostgreSQL": 1.5}


def seconds(work: Callable[[], Any]) -> float:
    """How long ``work`` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def row(name: str, readings: dict[str, list[float]], unit: str, least: float, **more: list[float]) -> Row:
    """Ours against the peer with its defaults: the one that keeps the order of its events as ours does."""
    ours, peer = median(readings["ours"], 0), median(readings["peer"], 0)
    return Row(name, ours, peer, unit, f"≥ {least:g}×", ours / peer >= least, {**readings, **more})


def rounded(readings: list[float]) -> list[float]:
    """For the record."""
    return [round(reading, 1) for reading in readings]


def on(database: str, url: str, runs: int) -> list[Row]:
    """The figures with one writer."""
    shops = {name: side(name, url, fresh()) for name in SIDES[database]}
    loads: dict[str, list[float]] = {name: [] for name in shops}
    appends: dict[str, list[float]] = {name: [] for name in shops}
    bulks: dict[str, list[float]] = {name: [] for name in shops}
    single: dict[str, list[float]] = {name: [] for name in shops}
    longs = {name: shop.carts(1, LONG)[0] for name, shop in shops.items()}
    for name, shop in shops.items():
        shop.save(longs[name])
    # One figure after the other: after an import the server is busy with it for a while.
    for _ in range(runs):
        for name, shop in shops.items():
            loads[name].append(LONG / seconds(lambda: shop.load(longs[name])))  # noqa: B023
    for shop in shops.values():
        for cart in shop.carts(WARM_UP, 3):  # while the log's file still grows, a commit takes longer
            shop.save(cart)
    for _ in range(runs):
        for name, shop in shops.items():
            times = [seconds(lambda: shop.save(cart)) for cart in shop.carts(APPENDS, 3)]  # noqa: B023
            appends[name].append(APPENDS / sum(times))
            single[name] += times
    for _ in range(runs):
        for name, shop in shops.items():
            carts = shop.carts(BULK, BULK_EVENTS)
            bulks[name].append(BULK * BULK_EVENTS / seconds(lambda: shop.save_all(carts)))  # noqa: B023
    spread = {
        f"{name}, ms at 50/95/99 %": [round(percentile(times, at) * 1e3, 2) for at in (50, 95, 99)]
        for name, times in single.items()
    }
    kept = {what: {name: rounded(r) for name, r in found.items()} for what, found in
            {"load": loads, "append": appends, "bulk": bulks}.items()}  # fmt: skip
    return [
        row(f"load and fold {LONG:,} events, {database}", kept["load"], "events/s", LEAST_LOAD),
        row(f"append 3 events, {database}", kept["append"], "appends/s", LEAST_APPEND[database], **spread),
        row(f"bulk import, {database}", kept["bulk"], "events/s", LEAST_BULK),
    ]


def many(url: str, runs: int) -> Row:
    """Eight writing processes on PostgreSQL, with a subscriber."""
    readings: dict[str, list[float]] = {name: [] for name in SIDES["PostgreSQL"]}
    missed: dict[str, list[float]] = {f"{name}, events missed": [] for name in readings}
    for _ in range(runs):
        for name, found in readings.items():
            rate, lost = together(name, url, WRITERS, EACH)
            found.append(round(rate, 1))
            missed[f"{name}, events missed"].append(lost)
    found = row(f"append 3 events, {WRITERS} processes", readings, "appends/s", LEAST_TOGETHER, **missed)
    nothing = not any(missed["ours, events missed"])
    return Row(found.name, found.ours, found.peer, found.unit, f"{found.target}, none missed", found.met and nothing,
               found.runs)  # fmt: skip


def measure(runs: int) -> list[Row]:
    """Everything, on both databases."""
    with databases() as urls:
        rows = [each for database, url in urls.items() for each in on(database, url, runs)]
        return [*rows, many(urls["PostgreSQL"], runs)]


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=7)
