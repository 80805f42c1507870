"""What do upcasters cost when a stream of 10,000 events is loaded?

Three streams with the same events, those of lesson 10, written in schema version 1 (two upcasters), 2 (one) and 3
(none: the newest). The peer is the newest version, loaded by a program that knows no upcasters at all.
"""

import time
from functools import partial

from benchmarks.shops import databases, fresh
from benchmarks.table import Row, main, median
from eventlab.course.changing import ItemPutInOf2023, ItemPutInOf2024, in_money, with_quantity
from eventlab.domain.cart import ItemAdded
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.events.registry import TypeRegistry
from eventlab.store import SqlEventStore

EVENTS = 10_000
# The newest version must not pay: within what two readings of the same load differ.
LEAST_NEWEST = 0.95
# An old one may, but a replay of old events must stay one of minutes: two upcasters and a check of the result.
LEAST_OLD = 0.2


WRITTEN = {
    1: ItemPutInOf2023("trousers", "49.90"),
    2: ItemPutInOf2024("trousers", 1, "49.90"),
    3: ItemAdded("trousers", 1, Money(4990, "EUR")),
}


def program(event: object, version: int) -> TypeRegistry:
    """The program that wrote this version, and knows no other."""
    registry = TypeRegistry()
    registry.register(type(event), "ItemAdded", version)
    return registry


def today() -> TypeRegistry:
    """The program that reads all three."""
    registry = TypeRegistry()
    registry.register(ItemAdded, schema_version=3, upcasters={1: with_quantity, 2: in_money})
    return registry


def rate(store: SqlEventStore, version: int) -> float:
    """Events per second of one load."""
    began = time.perf_counter()
    events, _ = store.load(StreamId("cart", str(version)))
    took = time.perf_counter() - began
    assert len(events) == EVENTS
    assert events[0] == WRITTEN[3]
    return EVENTS / took


def on(database: str, url: str, runs: int) -> list[Row]:
    """A row per version, in turn, so that a busy moment meets all of them."""
    opened = partial(SqlEventStore, url, schema=None if url.startswith("sqlite") else fresh())
    for version, event in WRITTEN.items():
        writer = opened(program(event, version))
        writer.append(StreamId("cart", str(version)), [NewEvent(event) for _ in range(EVENTS)])
        writer.close()
    plain, reader = opened(program(WRITTEN[3], 3)), opened(today())
    readings: dict[int, list[float]] = {version: [] for version in WRITTEN}
    without: list[float] = []
    for _ in range(runs):
        without.append(rate(plain, 3))
        for version, found in readings.items():
            found.append(rate(reader, version))
    peer = median(without, 0)
    rows = []
    for version, found in readings.items():
        ours, least = median(found, 0), LEAST_NEWEST if version == 3 else LEAST_OLD
        kept = {"ours": [round(each) for each in found], "peer": [round(each) for each in without]}
        name = f"load from version {version} of 3, {database}"
        rows.append(Row(name, ours, peer, "events/s", f"≥ {least:g} of the newest", ours / peer >= least, kept))
    return rows


def measure(runs: int) -> list[Row]:
    """Both databases."""
    with databases() as urls:
        return [row for database, url in urls.items() for row in on(database, url, runs)]


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=15)
