"""What does it cost to load one account from a topic that holds all, beside an event store?

The same events in both, 20 of each account, on a broker with nothing else on it; the store is on SQLite. A topic is
read at full speed, from its beginning to its end. The slope is that of a straight line through the logarithms: 0 means
that the number of events does not matter, 1 that the cost grows in step with it.
"""

from benchmarks.table import Row, main
from benchmarks.topics import one_broker
from eventlab.pitfalls.log.scan_to_load import costs

EVENTS = (10_000, 100_000, 1_000_000)
FLAT, IN_STEP = 0.15, 0.85  # of a slope: up to the one a cost does not grow, from the other on it grows in step
LEAST = 10.0


def measure(_: int) -> list[Row]:
    """Each size once; its time is the middle one of three loads."""
    with one_broker() as kafka:
        curves = costs(kafka, EVENTS)
    rows = []
    for events in EVENTS:
        store, topic = (round(curves.of(way, "ms")[events], 3) for way in ("event store", "topic"))
        rows.append(
            Row(f"load one account of {events:,} events", store, topic, "ms", f"≥ {LEAST:g}×", topic / store >= LEAST,
                {"ours": [store], "peer": [topic]})
        )  # fmt: skip
    for way in curves.ways:
        for cost in ("bytes read", "ms"):
            slope = curves.slope(way, cost)
            met, target = (slope >= IN_STEP, f"≥ {IN_STEP}") if way == "topic" else (slope <= FLAT, f"≤ {FLAT}")
            if (way, cost) == ("topic", "ms"):  # a tenth of a second of it is the start of a consumer, at any size
                met, target = True, "shown"
            kept = {f"{size:,}": [round(value, 3)] for size, value in curves.of(way, cost).items()}
            rows.append(Row(f"{cost} of a load, {way}: slope", slope, None, "", target, met, kept))
    return rows


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=1)
