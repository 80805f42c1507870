"""How long from ``up`` (warm) to the first acknowledged and read record, with 1 and with 3 brokers?

Peer: the plain way (format, ``java … kafka.Kafka`` with default flags), same Java, same jars, same client, in turn.
"""

import subprocess
import sys
import time

from benchmarks.table import Row, main, median

# The bounds, in seconds, on a quiet machine with 2 cores; and how much faster one broker has to be.
BOUNDS = {1: 1.5, 3: 6.0}
LEAST_RATIO = {1: 2.0, 3: 1.0}


def once(way: str, brokers: int) -> float:
    """One reading in an interpreter of its own."""
    words = [sys.executable, "-m", "benchmarks.first_record", way, str(brokers), str(time.monotonic())]
    return float(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measure(runs: int) -> list[Row]:
    """Ours and plain in turn, ``runs`` times, after one of ours that warms the disk's cache."""
    rows = []
    for brokers, bound in BOUNDS.items():
        once("ours", brokers)
        pairs = [(once("ours", brokers), once("plain", brokers)) for _ in range(runs)]
        ours, plain = (median(readings) for readings in zip(*pairs, strict=True))
        name = f"up to first record, {brokers} broker{'s' if brokers > 1 else ''}"
        least = LEAST_RATIO[brokers]
        target = f"≤ {bound} s and ≥ {least:g}× faster"
        met = ours <= bound and plain / ours >= least
        readings = {"ours": [round(a, 3) for a, _ in pairs], "peer": [round(b, 3) for _, b in pairs]}
        rows.append(Row(name, ours, plain, "s", target, met, readings))
    return rows


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=5)
