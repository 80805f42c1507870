"""How fast is a store archived to Parquet and read back, beside plain pyarrow with the same columns in the same run?

The peer writes a table that is in memory already, without a store, checksums or a manifest, and reads it back as
columns: what is left over is the price of fetching, of Python objects and of safety. The archive's memory is bounded,
which is measured too: the most that a process takes for ten times the events.
"""

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.shops import Ours, databases, fresh
from benchmarks.table import Row, main, median, peak_memory
from eventlab.store import SqlEventStore
from eventlab.store.archive import Archive, archive, replay, restore

EVENTS = 200_000
STREAM_EVENTS = 100
BATCH = 100  # streams per append while filling
FEW = 20_000
# Arrow and Python keep some for later; a buffer that grew with the events would show as hundreds.
MEMORY_SLACK_MB = 60.0
LEAST_RATE = 10_000  # events/s: a hundred million in three hours


def seconds(work: Callable[[], Any]) -> float:
    """How long ``work`` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def fill(shop: Ours, events: int) -> None:
    """Have so many events in the store."""
    for _ in range(events // STREAM_EVENTS // BATCH):
        shop.save_all(shop.carts(BATCH, STREAM_EVENTS))


def peak(url: str, space: str | None, answer: Any) -> None:
    """In a process of its own: the most memory that an archive and its reading took, in MB."""
    store = SqlEventStore(url, schema=space)
    with tempfile.TemporaryDirectory() as scratch:
        for _ in archive(store, scratch).read_stored():
            pass
    answer.put(peak_memory())


def memory(url: str, space: str | None) -> float:
    """See :func:`peak`."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=peak, args=(url, space, answer))
    process.start()
    most: float = answer.get(timeout=600)
    process.join()
    return most


def on(database: str, url: str, runs: int) -> list[Row]:
    """The figures of one database."""
    space = fresh()
    shop, few = Ours(url, space), Ours(f"{url}.few" if database == "SQLite" else url, f"{space}_few")
    fill(shop, EVENTS)
    fill(few, FEW)
    names = ("written", "read", "checked", "replayed", "restored", "plain written", "plain read")
    found: dict[str, list[float]] = {name: [] for name in names}
    for run in range(runs):
        with tempfile.TemporaryDirectory() as scratch:
            place, plain = Path(scratch) / "archive", Path(scratch) / "plain.parquet"
            target = f"{url}.{run}" if database == "SQLite" else url
            empty = SqlEventStore(target, schema=None if database == "SQLite" else fresh())
            taken = {"written": seconds(lambda: archive(shop.store, place))}  # noqa: B023
            kept = Archive(place)
            taken["read"] = seconds(lambda: sum(1 for _ in kept.read_stored()))  # noqa: B023
            taken["checked"] = seconds(kept.check)
            taken["replayed"] = seconds(lambda: sum(1 for _ in replay(kept, shop.store)))  # noqa: B023
            taken["restored"] = seconds(lambda: restore(kept, empty))  # noqa: B023
            table = pa.concat_tables(
                pq.read_table(place / part.file, partitioning=None) for part in kept.manifest.parts
            )
            taken["plain written"] = seconds(lambda: pq.write_table(table, plain, compression="zstd"))  # noqa: B023
            taken["plain read"] = seconds(lambda: pq.read_table(plain))  # noqa: B023
            empty.close()
        for name, took in taken.items():
            found[name].append(round(EVENTS / took))
    schema = None if database == "SQLite" else space
    small = memory(f"{url}.few" if database == "SQLite" else url, schema and f"{space}_few")
    large = memory(url, schema)
    peers = {"written": "plain written", "read": "plain read", "checked": "plain read"}
    rows = [
        Row(f"{name}, {database}", median(found[name], 0), median(found[peers[name]], 0) if name in peers else None,
            "events/s", f"≥ {LEAST_RATE:,}", median(found[name], 0) >= LEAST_RATE,
            {"ours": found[name]} | ({"peer": found[peers[name]]} if name in peers else {}))
        for name in names[:5]
    ]  # fmt: skip
    bound = f"≤ {small:.0f} MB (of {FEW:,} events) + {MEMORY_SLACK_MB:g}"
    kept_readings = {str(FEW): [round(small, 1)], str(EVENTS): [round(large, 1)]}
    return [*rows, Row(f"memory of an archive of {EVENTS:,} events, {database}", round(large, 1), None, "MB", bound,
                       large <= small + MEMORY_SLACK_MB, kept_readings)]  # fmt: skip


def measure(runs: int) -> list[Row]:
    """Both databases."""
    with databases() as urls:
        return [row for database, url in urls.items() for row in on(database, url, runs)]


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=3)
