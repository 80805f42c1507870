"""What does it cost to load one account from a topic, or to give each account a topic, beside an event store?

The same events and the same accounts in both, on a broker with nothing else on it; the store is on SQLite. A topic is
read at full speed, from its beginning to its end. The slope is that of a straight line through the logarithms.
"""

from benchmarks.table import Row, main, median
from benchmarks.topics import one_broker
from eventlab.pitfalls.curves import Curves
from eventlab.pitfalls.log import scan_to_load, topic_per_entity
from eventlab.pitfalls.log.topic_per_entity import FILES, MEMORY, METADATA, OPEN

EVENTS = (10_000, 100_000, 1_000_000)
ACCOUNTS = (10, 100, 1_000)
FLAT, IN_STEP = 0.15, 0.85  # of a slope: up to the one nothing grows, from the other on it grows in step
LEAST = 10.0
_DIGITS = 2


def loads(curves: Curves) -> list[Row]:
    """One account's events out of those of all."""
    rows = []
    for events in EVENTS:
        store, topic = (curves.of(way, "ms")[events] for way in ("event store", "topic"))
        rows.append(
            Row(f"load one account of {events:,} events", round(store, 3), round(topic, 1), "ms",
                f"≥ {LEAST:g}×", topic / store >= LEAST, {"ours": [round(store, 3)], "peer": [round(topic, 1)]})
        )  # fmt: skip
    for cost in ("bytes read", "ms"):
        store, topic = (curves.slope(way, cost) for way in ("event store", "topic"))
        kept = {way: [round(each, _DIGITS) for each in curves.of(way, cost).values()] for way in curves.ways}
        met = store <= FLAT and topic >= IN_STEP
        rows.append(Row(f"{cost} of a load: slope", store, topic, "", f"≤ {FLAT} (topic ≥ {IN_STEP})", met, kept))
    return rows


def homes(curves: Curves, runs: dict[str, list[float]]) -> list[Row]:
    """What is kept for accounts that have a topic each."""
    most = ACCOUNTS[-1]
    rows = []
    for cost in (FILES, OPEN, METADATA):
        store, topics = curves.of("event store", cost), curves.of("topic per account", cost)
        slope = curves.slope("topic per account", cost)
        kept = {way: [round(each) for each in curves.of(way, cost).values()] for way in curves.ways}
        rows.append(
            Row(f"{cost} for {most:,} accounts", store[most], topics[most], "", f"topics: slope ≥ {IN_STEP}",
                slope >= IN_STEP, kept)
        )  # fmt: skip
    store, topics = (curves.of(way, "ms to open an account") for way in ("event store", "topic per account"))
    rows.append(
        Row(f"opening one of {most:,} accounts", store[most], topics[most], "ms", "shown", True,
            {"ours": list(store.values()), "peer": list(topics.values())})
    )  # fmt: skip
    grown = {home: median(found, 1) for home, found in runs.items()}
    rows.append(
        Row(f"memory of the broker, more with {most:,} topics", grown["one topic"], grown["topic per account"], "MB",
            "shown", True, runs)
    )  # fmt: skip
    return rows


def measure(runs: int) -> list[Row]:
    """First the broker's memory, while it is fresh; then the curves."""
    memory: dict[str, list[float]] = {"one topic": [], "topic per account": []}
    for _ in range(runs):
        for home, found in memory.items():
            with one_broker() as kafka:
                kept = topic_per_entity.run(kafka, home=home, accounts=ACCOUNTS[-1])  # type: ignore[arg-type]
                found.append(kept.beside[MEMORY])
    with one_broker() as kafka:
        kept_for = topic_per_entity.costs(kafka, ACCOUNTS)
        loaded = scan_to_load.costs(kafka, EVENTS)
    return loads(loaded) + homes(kept_for, memory)


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=1)
