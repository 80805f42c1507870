"""How fast does ``eventlab check`` audit a topic, and how much memory does it need per entity?

Beside going through the same topic without looking at the records at all. Every reading in a process of its own.
"""

import time
from collections.abc import Iterator
from typing import Any

from benchmarks.table import Row, main, median, peak_memory
from benchmarks.topics import At, Event, alone, carts, fill, one_broker

EVENTS = 1_000_000
ENTITIES, FEW = 200_000, 1_000
DISORDERLY, GAPS = 20_000, 20  # more gaps at once than are kept in mind
LEAST_SHARE = 0.4  # of the speed of going through the topic
MOST_BYTES, MOST_BYTES_DISORDERLY = 256, 4096


def look(config: dict[str, Any], topic: str, key: str) -> tuple[float, float, int]:
    """Seconds for an audit, the most memory in MB, and how many entities it saw."""
    from eventlab.pitfalls.audit import audit

    began = time.perf_counter()
    found = audit(At(config), topic, key=key, version="$.version")
    return time.perf_counter() - began, peak_memory(), found.keys


def go_through(config: dict[str, Any], topic: str) -> float:
    """Seconds for the same records, unseen."""
    from eventlab.cluster.scan import Scan

    began = time.perf_counter()
    assert sum(map(len, Scan(At(config), topic))) == EVENTS
    return time.perf_counter() - began


def disorderly() -> Iterator[Event]:
    """Entities of which every second version is missing."""
    return ((f"cart-{number:09}", 2 * (gap + 1)) for gap in range(GAPS) for number in range(DISORDERLY))


def few() -> Iterator[Event]:
    """As many records as of the disorderly ones, and all is well."""
    return carts(DISORDERLY * GAPS, each=DISORDERLY * GAPS // FEW)


def bytes_each(many: list[float], none: list[float], entities: int) -> float:
    """What one entity adds, in bytes, by the medians of peaks in MB."""
    return round((median(many, 1) - median(none, 1)) * 2**20 / entities)


def measure(runs: int) -> list[Row]:
    """Speed by the record's key and by a field of its value; memory of the orderly and of the disorderly."""
    with one_broker() as kafka:
        config = kafka.config()
        topic, calm = fill(kafka, carts(EVENTS)), fill(kafka, carts(EVENTS, each=EVENTS // FEW))
        wild, tame = fill(kafka, disorderly()), fill(kafka, few())
        speed: dict[str, list[float]] = {"key": [], "$.cart": [], "going through": []}
        peaks: dict[str, list[float]] = {"orderly": [], "few": [], "disorderly": [], "few, as many records": []}
        for _ in range(runs):
            for place in ("key", "$.cart"):
                took, peak, entities = alone(look, config, topic, place)
                assert entities == ENTITIES
                speed[place].append(round(EVENTS / took))
            speed["going through"].append(round(EVENTS / alone(go_through, config, topic)))
            peaks["orderly"].append(round(peak, 1))
            for name, where in (("few", calm), ("disorderly", wild), ("few, as many records", tame)):
                peaks[name].append(round(alone(look, config, where, "$.cart")[1], 1))
    through = median(speed["going through"], 0)
    rows = []
    for place in ("key", "$.cart"):
        ours = median(speed[place], 0)
        rows.append(
            Row(f"{EVENTS:,} records by {place}, beside going through", ours, through, "records/s",
                f"≥ {LEAST_SHARE:g}×", ours / through >= LEAST_SHARE, speed)
        )  # fmt: skip
    calm_bytes = bytes_each(peaks["orderly"], peaks["few"], ENTITIES - FEW)
    wild_bytes = bytes_each(peaks["disorderly"], peaks["few, as many records"], DISORDERLY - FEW)
    for name, found, most in (("orderly", calm_bytes, MOST_BYTES), ("disorderly", wild_bytes, MOST_BYTES_DISORDERLY)):
        rows.append(Row(f"memory of an entity, {name}", found, None, "bytes", f"≤ {most}", found <= most, peaks))
    return rows


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=3)
