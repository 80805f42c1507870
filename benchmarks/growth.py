"""What do append, load, replay and rebuild cost as the store grows, from a thousand to a million events, and in memory?

The slope is that of a straight line through the logarithms: 0 means that size does not matter, 1 that the cost grows
in step with it. The chart is ``results/growth.svg``.
"""

import math
import multiprocessing
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from benchmarks.shops import Ours, databases, fresh
from benchmarks.table import Row, main, peak_memory
from benchmarks.view_latency import view
from eventlab.views import create, rebuild

SIZES = (1_000, 10_000, 100_000, 1_000_000)
STREAM_EVENTS = 100
BATCH = 100  # streams per append while filling
APPENDS = 200
# A replay of ten times the events may take this much more memory: noise of the allocator.
MEMORY_SLACK_MB = 8.0
# Seconds per event (replay, rebuild, load of one stream) or per append: none may grow faster than in step with a
# B-tree's depth, for which a tenth is generous; for work on all events the cost per event is what is fitted.
LEAST_FLAT = 0.15


def fill(shop: Ours, events: int, have: int) -> None:
    """Have ``events`` events in the store."""
    while have < events:
        streams = min(BATCH, (events - have) // STREAM_EVENTS)
        shop.save_all(shop.carts(streams, STREAM_EVENTS))
        have += streams * STREAM_EVENTS


def seconds(work: Any) -> float:
    """How long ``work`` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def replay(url: str, space: str, until: int, answer: Any) -> None:
    """In a process of its own: the most memory that it took, in MB."""
    for _ in Ours(url, space).store.read_all(until=until):  # type: ignore[arg-type]
        pass
    answer.put(peak_memory())


def memory(url: str, space: str, until: int) -> float:
    """Peak memory of a replay up to a position, in MB."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=replay, args=(url, space, until, answer))
    process.start()
    peak: float = answer.get(timeout=600)
    process.join()
    return peak


def slope(sizes: list[int], costs: list[float]) -> float:
    """The exponent with which ``costs`` grow with ``sizes``."""
    fit = statistics.linear_regression([math.log(size) for size in sizes], [math.log(cost) for cost in costs])
    return round(fit.slope, 2)


def curves(database: str, url: str) -> tuple[list[dict[str, Any]], list[Row]]:
    """Cost per event (per append) at each size."""
    space = fresh()
    shop = Ours(url, space)
    create(shop.store, view())
    points: list[dict[str, Any]] = []
    have = 0
    for version, size in enumerate(SIZES, start=2):
        fill(shop, size, have)
        have = size
        probe = shop.carts(1, STREAM_EVENTS)[0]
        shop.save(probe)
        carts = shop.carts(APPENDS, 1)
        costs = {
            "append": statistics.median(seconds(lambda c=cart: shop.save(c)) for cart in carts),
            "load of 100 events": statistics.median(seconds(lambda p=probe: shop.load(p)) for _ in range(50)),
            "replay, per event": seconds(lambda: sum(1 for _ in shop.store.read_all())) / size,
            "rebuild, per event": seconds(
                lambda v=version: rebuild(shop.store, replace(view(), version=v), lambda *_: None)
            )
            / size,
        }
        have += STREAM_EVENTS + APPENDS
        points += [
            {"database": database, "what": what, "events": size, "seconds": cost} for what, cost in costs.items()
        ]
    rows = []
    for what in dict.fromkeys(point["what"] for point in points):
        costs_of = [point["seconds"] for point in points if point["what"] == what]
        found = slope(list(SIZES), costs_of)
        kept = {str(size): [round(cost * 1e6, 2)] for size, cost in zip(SIZES, costs_of, strict=True)}
        rows.append(Row(f"{what}, {database}: slope", found, None, "", f"≤ {LEAST_FLAT}", found <= LEAST_FLAT, kept))
    few, many = memory(url, space, SIZES[-2]), memory(url, space, SIZES[-1])
    rows.append(
        Row(f"memory of a replay of {SIZES[-1]:,} events, {database}", round(many, 1), None, "MB",
            f"≤ {few:.0f} MB (of {SIZES[-2]:,} events) + {MEMORY_SLACK_MB:g}", many <= few + MEMORY_SLACK_MB,
            {str(SIZES[-2]): [round(few, 1)], str(SIZES[-1]): [round(many, 1)]})
    )  # fmt: skip
    return points, rows


def measure(_: int) -> list[Row]:
    """Both databases, once: a million events take their time."""
    with databases() as urls:
        found = [curves(database, url) for database, url in urls.items()]
    points = pd.DataFrame([point for some, _ in found for point in some])
    points["microseconds"] = points["seconds"] * 1e6
    chart = (
        alt.Chart(points, title="Cost against size", description="Microseconds against events, log scales: flat lines")
        .mark_line(point=True)
        .encode(
            x=alt.X("events:Q", scale=alt.Scale(type="log")),
            y=alt.Y("microseconds:Q", scale=alt.Scale(type="log")),
            color="what:N",
            strokeDash="database:N",
        )
    )
    chart.save(str(Path(__file__).parent / "results" / "growth.svg"))
    return [row for _, rows in found for row in rows]


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=1)
