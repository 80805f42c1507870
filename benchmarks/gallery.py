"""The nightly run: does every pitfall show in its broken arm and vanish in its cured one, ten times out of ten?

``make gallery`` tries all of them, ``python -m benchmarks.gallery P5 P6`` these; what was known of the others stays.
It keeps the figures in ``benchmarks/results/gallery.json`` and writes ``docs/gallery.md``; ``--page`` only writes that.
"""

import argparse
import json
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.table import machine
from eventlab import cluster
from eventlab.pitfalls import gallery
from eventlab.pitfalls.experiment import Pitfall

REPEAT = 10
MOST_SECONDS = 30  # of an arm
MOST_MINUTES = 12  # of all pitfalls, once
RESULTS = Path(__file__).parent / "results" / "gallery.json"
PAGE = Path(__file__).parents[1] / "docs" / "gallery.md"


def tried(pitfall: Pitfall) -> dict[str, Any]:
    """What came of ten trials, each with a seed of its own."""
    trials = list(gallery.repeat(cluster.connect(pitfall.brokers), pitfall.id, REPEAT))
    return {
        **gallery.summary(trials),
        "of": trials[0].broken.of,
        "median seconds": round(statistics.median(trial.seconds for trial in trials), 1),
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": machine(),
    }


def page(known: dict[str, Any]) -> str:
    """The table, and what it adds up to."""
    there = {id_: pitfall for id_, pitfall in gallery.gallery().items() if id_ in known}
    minutes = sum(known[id_]["median seconds"] for id_ in there) / 60
    machines = sorted({known[id_]["machine"] for id_ in there})
    dates = sorted(known[id_]["date"] for id_ in there)
    lines = [
        "# The gallery",
        "",
        "Every pitfall, tried on live local brokers: the broken arm and the cured one are the same workload and "
        f"differ in one argument. Each was tried {REPEAT} times, with {REPEAT} seeds; *broken* is the least that any "
        "trial showed, *cured* the most. Seconds are those of both arms together, median of the trials.",
        "",
        f"Measured {dates[0]} to {dates[-1]} on {'; '.join(machines)}. All of them once take {minutes:.1f} minutes. "
        "This page is written by `make gallery`; `eventlab pitfall run P5 --repeat 10` tries one on your machine.",
        "",
        "| | what goes wrong | the one difference | counted | broken | cured | shown | seconds | others met it |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_row(pitfall, known[id_]) for id_, pitfall in there.items()),
        "",
    ]
    return "\n".join(lines)


def _row(pitfall: Pitfall, known: dict[str, Any]) -> str:
    sources = " ".join(f"[{number}]({source})" for number, source in enumerate(pitfall.sources, start=1))
    brokers = "" if pitfall.brokers == 1 else f" ({pitfall.brokers} brokers)"
    cells = [
        pitfall.id,
        f"{pitfall.hypothesis} *{pitfall.workload}{brokers}.*",
        f"{gallery.told(pitfall.broken)} → {gallery.told(pitfall.cured)}",
        pitfall.unit,
        f"{known['broken']} of {known['of']}",
        str(known["cured"]),
        f"{known['repeated']} of {known['repeat']}",
        f"{known['median seconds']:.1f}",
        sources,
    ]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def known_figures() -> dict[str, Any]:
    """What was measured so far, by id."""
    known: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return known


def main() -> int:
    """Try what the command line names; 1 when one does not repeat or takes too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ids", nargs="*", help="which pitfalls (default: all)")
    parser.add_argument("--page", action="store_true", help="write the page from the figures that are there")
    options = parser.parse_args()
    known, well = known_figures(), True
    chosen = [gallery.pitfall(id_) for id_ in options.ids] or list(gallery.gallery().values())
    for pitfall in [] if options.page else chosen:
        found = known[pitfall.id] = tried(pitfall)
        well &= found["repeated"] == REPEAT and found["median seconds"] <= 2 * MOST_SECONDS
        print(
            f"{pitfall.id}: {found['repeated']} of {REPEAT}, broken {found['broken']}, cured {found['cured']}, ", end=""
        )
        print(f"{found['median seconds']} s", flush=True)
        known = {id_: known[id_] for id_ in gallery.gallery() if id_ in known}
        RESULTS.write_text(json.dumps(known, indent=1) + "\n")
        PAGE.write_text(page(known))
    PAGE.write_text(page(known))
    seconds = sum(each["median seconds"] for each in known.values())
    print(f"All that are known take {seconds / 60:.1f} minutes once (at most {MOST_MINUTES}).")
    return int(not well or seconds > MOST_MINUTES * 60)


if __name__ == "__main__":
    sys.exit(main())
