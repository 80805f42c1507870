"""Does the library's own Kafka code hold while brokers are killed, paused, cut off and restarted? (``make chaos``)

Both configurations under full load and the same faults, with every checker. Exit code 0 when nothing is found in the
cured one, and in the broken one what has to be.
"""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.table import machine
from eventlab import cluster
from eventlab.pitfalls.chaos import chaos

SECONDS, SEED = 300, 7
BROKERS = 3
RESULTS = Path(__file__).parent / "results" / "chaos.json"


def main() -> int:
    """Run both configurations, print a line for each fault and each configuration, keep all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED, help="the same seed, the same faults (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="each configuration (default %(default)s)")
    parser.add_argument("--faults", type=int, help="no more than these: to have an earlier run again")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the figures go (default %(default)s)")
    options = parser.parse_args()
    with cluster.up(brokers=BROKERS) as kafka:
        limits = {"seconds": options.seconds, "faults": options.faults}
        outcomes = chaos(kafka, seed=options.seed, **limits, progress=lambda told: print(told, flush=True))
    rows = [outcome.summary() for outcome in outcomes.values()]
    told = {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "machine": machine(), "seed": options.seed, "rows": rows}
    options.results.write_text(json.dumps(told, indent=1) + "\n")
    for row in rows:
        print(", ".join(f"{name} {value}" for name, value in row.items() if name != "faults"))
    return 0 if outcomes["cured"].clean and outcomes["broken"].has_what_must_be_found else 1


if __name__ == "__main__":
    sys.exit(main())
