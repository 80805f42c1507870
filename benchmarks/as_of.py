"""How long do the state of all carts as of a moment, and a step of the slider over a long history, take?

All carts: a shop of a thousand carts, decided by the decider and read out of a store by the library, is repeated hour
after hour, under new names, until there are enough events. The timed part begins with the columns, in memory or in a
Parquet file (which is in the system's cache), and ends with one row per cart; the peer folds the same events, which
are in memory as objects, with the decider. Parquet is timed in a fresh process, whose peak memory is kept. Reading
the columns out of a store is a row of its own, beside a plain ``read_all``. The slider: the widget's own step in the
kernel, from a set version to the description that it sends to the browser, beside the fold up to that version.
"""

import multiprocessing
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from pyarrow.parquet import ParquetWriter

from benchmarks.table import Row, main, median, peak_memory, percentile
from eventlab.domain import account, cart
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, Position, Recorded, StreamId
from eventlab.history import population, steps
from eventlab.history.population import CARTS, Population
from eventlab.inputs.generate import demo_store
from eventlab.show import timeline
from eventlab.store import Append, MemoryEventStore, SqlEventStore

SEED = 7
CARTS_PER_HOUR = 1_000
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
PRODUCTS = ("trousers", "shirt", "socks", "belt", "jacket", "shoes", "scarf", "hat")
# Events of how many carts, and the bounds.
FEW, MANY = (1_000_000, 100_000), (10_000_000, 1_000_000)
MOST_SECONDS = {FEW: 1.0, MANY: 5.0}
MOST_MB = 1_024.0
# Ten times the events of the same carts may take this much more memory: the file, which is mapped, and what is read
# ahead. Their columns would be more than a gigabyte.
MEMORY_SLACK_MB = 400.0
STORED = 100_000  # events in the database from which columns are read
# Of the rate of read_all alone, which hands on what the driver gives it, where a frame has its columns to build.
LEAST_READ = 0.3
LONG, STEPS_TAKEN, MOST_STEP_MS = 100_000, 300, 50.0


def seconds(work: Callable[[], Any]) -> float:
    """How long ``work`` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def life(chance: random.Random, events: int) -> list[object]:
    """A cart with exactly so many events: pieces go in and out until it is bought or given up."""
    state, told = cart.decider.initial, list[object]()
    while len(told) < events:
        product, quantity = chance.choice(PRODUCTS), chance.randint(1, 3)
        commands: list[cart.Command] = [
            cart.AddItem(product, quantity, Money(chance.randint(1, 200) * 50, "EUR")),
            cart.RemoveItem(product, quantity),
            cart.ChangeQuantity(product, quantity),
        ]
        command = chance.choices(commands, (6, 2, 2))[0] if told else cart.CreateCart("ana", "EUR")
        if len(told) == events - 1:
            command = cart.CheckOut() if state.lines else cart.Abandon("nothing in it")
        try:
            new = cart.decider.decide(command, state)
        except Refused:
            continue
        told += new
        state = cart.decider.fold(new, state)
    return told


def hour(events: int) -> MemoryEventStore:
    """A store with one hour of the shop."""
    chance = random.Random(SEED)
    histories = {}
    for number in range(CARTS_PER_HOUR):
        times = sorted(BEGIN + timedelta(seconds=chance.uniform(0, 3600)) for _ in range(events))
        told = life(chance, events)
        histories[StreamId("cart", str(number))] = [NewEvent(e, valid_time=t) for e, t in zip(told, times, strict=True)]
    return demo_store(histories)


def hours(first: pl.DataFrame, count: int) -> Iterator[pl.DataFrame]:
    """The columns of the first hour, and of the others after it: the same under other names."""
    for number in range(count):
        later = timedelta(hours=number)
        yield first.with_columns(
            pl.col("entity") + number * CARTS_PER_HOUR,
            pl.format("{}-{}", "stream", pl.lit(number)).alias("stream"),
            pl.col("position") + number * first.height,
            pl.col("valid_time", "recorded_time") + later,
        )


def write(file: Path, events: int, carts: int) -> None:
    """A file of so many events."""
    first = population.read(hour(events // carts), CARTS).columns.collect()
    with ParquetWriter(file, first.to_arrow().schema) as writer:
        for some in hours(first, carts // CARTS_PER_HOUR):
            writer.write_table(some.to_arrow())


def moment(carts: int) -> datetime:
    """Two thirds into it."""
    return BEGIN + timedelta(hours=carts / CARTS_PER_HOUR * 2 / 3)


def scanned(file: Path) -> Population:
    """The population in a file."""
    return Population(CARTS, pl.scan_parquet(file), Position(2**62))


def alone(file: Path, carts: int, answer: Any) -> None:
    """In a process of its own: the time it takes, and the most memory that the process took, in MB."""
    took = seconds(lambda: scanned(file).as_of(time=moment(carts)))
    answer.put((took, peak_memory()))


def from_parquet(file: Path, carts: int) -> tuple[float, float]:
    """Seconds and peak memory in MB, of a fresh process."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=alone, args=(file, carts, answer))
    process.start()
    took: tuple[float, float] = answer.get(timeout=600)
    process.join()
    return took


def objects(events: int, carts: int) -> dict[str, list[tuple[datetime, object]]]:
    """The same events as objects, by stream. The hours share them, which spares memory."""
    streams: dict[str, list[tuple[datetime, object]]] = {}
    first = list(hour(events // carts).read_all())
    for number in range(carts // CARTS_PER_HOUR):
        later = timedelta(hours=number)
        for recorded in first:
            event = (recorded.valid_time + later, recorded.event)
            streams.setdefault(f"{recorded.stream}-{number}", []).append(event)
    return streams


def folded(streams: dict[str, list[tuple[datetime, object]]], time: datetime) -> list[dict[str, object]]:
    """The peer: every cart, one after the other, folded by the decider."""
    found = []
    for stream, events in streams.items():
        known: list[Any] = [event for at, event in events if at <= time]
        if known:
            found.append({"stream": stream, **CARTS.row(cart.decider.fold(known)), "events": len(known)})
    return found


def few(runs: int, file: Path) -> list[Row]:
    """A million events: in memory and in Parquet, beside the deciders; all three give the same."""
    events, carts = FEW
    columns, streams, time = pl.read_parquet(file), objects(events, carts), moment(carts)
    held = lambda: Population(CARTS, columns.lazy(), Position(2**62)).as_of(time=time)  # noqa: E731
    same = held().sort("stream").equals(pl.DataFrame(folded(streams, time), schema=held().schema).sort("stream"))
    readings: dict[str, list[float]] = {"memory": [], "Parquet": [], "peer": []}
    for _ in range(runs):
        readings["memory"].append(round(seconds(held), 3))
        readings["Parquet"].append(round(from_parquet(file, carts)[0], 3))
        readings["peer"].append(round(seconds(lambda: folded(streams, time)), 3))
    peer, most = median(readings["peer"]), MOST_SECONDS[FEW]
    return [
        Row(f"all carts as of a moment, {events:,} events, {where}", median(readings[where]), peer, "s",
            f"≤ {most:g} s, as the deciders fold", same and median(readings[where]) <= most,
            {"ours": readings[where], "peer": readings["peer"]})
        for where in ("memory", "Parquet")
    ]  # fmt: skip


def many(runs: int, scratch: Path, small: Path) -> list[Row]:
    """Ten million events in Parquet: of a million carts, and of the hundred thousand that the small file has."""
    large, long = scratch / "large.parquet", scratch / "long.parquet"
    write(large, *MANY)
    write(long, MANY[0], FEW[1])
    taken = [from_parquet(large, MANY[1]) for _ in range(runs)]
    least, grown = from_parquet(small, FEW[1])[1], from_parquet(long, FEW[1])[1]
    took, peak = median([each[0] for each in taken]), round(max(each[1] for each in taken))
    bound, most = round(least + MEMORY_SLACK_MB), MOST_SECONDS[MANY]
    return [
        Row(f"all carts as of a moment, {MANY[0]:,} events of {MANY[1]:,} carts, Parquet", took, None, "s",
            f"≤ {most:g} s", took <= most, {"ours": [round(each[0], 3) for each in taken]}),
        Row("peak memory of that process", peak, None, "MB", f"≤ {MOST_MB:g} MB", peak <= MOST_MB,
            {"ours": [round(each[1]) for each in taken]}),
        Row(f"peak memory, {MANY[0]:,} events of {FEW[1]:,} carts", round(grown), None, "MB",
            f"≤ {least:.0f} MB (of {FEW[0]:,} events) + {MEMORY_SLACK_MB:g}", grown <= bound,
            {"ours": [round(grown)]}),
    ]  # fmt: skip


def reading(runs: int, scratch: Path) -> list[Row]:
    """From a database to columns in a file: done once."""
    chance = random.Random(SEED)
    store = SqlEventStore(f"sqlite:///{scratch / 'shop.db'}")
    for first in range(0, STORED // 10, 1_000):
        names = [StreamId("cart", str(number)) for number in range(first, first + 1_000)]
        store.append_all([Append(name, [NewEvent(event) for event in life(chance, 10)]) for name in names])
    readings: dict[str, list[float]] = {"ours": [], "peer": []}
    for _ in range(runs):
        file = scratch / "read.parquet"
        readings["ours"].append(round(STORED / seconds(lambda: population.read(store, CARTS, file))))  # noqa: B023
        readings["peer"].append(round(STORED / seconds(lambda: sum(1 for _ in store.read_all()))))
    store.close()
    ours, peer = median(readings["ours"], 0), median(readings["peer"], 0)
    return [
        Row(f"read {STORED:,} events out of SQLite into Parquet, beside read_all", ours, peer, "events/s",
            f"≥ {LEAST_READ:g}×", ours / peer >= LEAST_READ, readings)
    ]  # fmt: skip


def slider() -> list[Row]:
    """Steps to random versions, as they come when someone drags the slider."""
    chance, stream = random.Random(SEED), StreamId("account", "ana")
    day = BEGIN.date()
    store = MemoryEventStore()
    store.append(stream, [NewEvent(account.AccountOpened("ana", "EUR", Money(0, "EUR"), day))])
    bookings = [account.Deposited(Money(chance.randint(1, 9_000), "EUR"), day) for _ in range(LONG - 1)]
    store.append(stream, [NewEvent(booking) for booking in bookings])
    began = time.perf_counter()
    shown = timeline(steps(store, account.decider, stream), "balance")
    opened = time.perf_counter() - began
    versions = [chance.randint(1, LONG) for _ in range(STEPS_TAKEN)]
    took = [seconds(lambda: setattr(shown, "version", version)) * 1e3 for version in versions]  # noqa: B023
    events: list[Recorded] = list(store.read(stream))

    def fold(version: int) -> account.Account:
        return account.decider.fold(recorded.event for recorded in events[:version])  # type: ignore[misc]

    peer = [seconds(lambda: fold(version)) * 1e3 for version in versions[:30]]  # noqa: B023
    p99 = round(percentile(took, 99), 2)
    spread = {f"{at} %": [round(percentile(took, at), 2)] for at in (50, 90, 99, 100)}
    return [
        Row(f"a step of the slider, {LONG:,} events, 99th percentile", p99, round(percentile(peer, 50), 2), "ms",
            f"≤ {MOST_STEP_MS:g} ms", p99 <= MOST_STEP_MS, {**spread, "opening, s": [round(opened, 2)]})
    ]  # fmt: skip


def measure(runs: int) -> list[Row]:
    """Everything."""
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        small = scratch / "small.parquet"
        write(small, *FEW)
        return [*few(runs, small), *many(runs, scratch, small), *reading(runs, scratch), *slider()]


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=3)
