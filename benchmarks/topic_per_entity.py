"""What does a cluster keep for accounts that have a topic each, beside one topic for all, and an event store?

On a broker with nothing else on it; the store is on SQLite. The slope is that of a straight line through the
logarithms: 0 means that the number of accounts does not matter, 1 that the cost grows in step with it.
"""

from benchmarks.table import Row, main
from benchmarks.topics import one_broker
from eventlab.pitfalls.log.topic_per_entity import FILES, MEMORY, METADATA, OPEN, costs

ACCOUNTS = (10, 100, 1_000)
FLAT, IN_STEP = 0.15, 0.85  # of a slope: up to the one a cost does not grow, from the other on it grows in step
OPENING = "ms to open an account"


def measure(_: int) -> list[Row]:
    """Each size once, the topics for each account first: the broker's memory is still small then."""
    most = ACCOUNTS[-1]
    with one_broker() as kafka:
        curves = costs(kafka, ACCOUNTS)
    grown = list(curves.of("topic per account", MEMORY).values())
    rows = [Row(f"memory of the broker, {most:,} topics more", grown[-1], None, "MB", "shown", True, {"ours": grown})]
    for way in curves.ways:
        for cost in (FILES, OPEN, METADATA):
            slope, each = curves.slope(way, cost), way == "topic per account"
            met, target = (slope >= IN_STEP, f"≥ {IN_STEP}") if each else (slope <= FLAT, f"≤ {FLAT}")
            kept = {f"{size:,}": [float(value)] for size, value in curves.of(way, cost).items()}
            rows.append(Row(f"{cost}, {way}: slope", slope, None, "", target, met, kept))
    store, topics = (curves.of(way, OPENING) for way in ("event store", "topic per account"))
    rows.append(
        Row(f"opening one of {most:,} accounts", store[most], topics[most], "ms", "shown", True,
            {"ours": list(store.values()), "peer": list(topics.values())})
    )  # fmt: skip
    return rows


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=1)
