"""What every benchmark prints: a table, or with ``--json`` one object per row."""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Row:
    """One answer: ours and the peer's figure (medians), in ``unit``; ``target`` in words; ``runs`` are the readings."""

    name: str
    ours: float
    peer: float | None
    unit: str
    target: str
    met: bool
    runs: dict[str, list[float]]

    @property
    def ratio(self) -> float | None:
        """How many times better we are: the peer's time or memory over ours, our rate over the peer's."""
        if self.peer is None:
            return None
        return round(self.ours / self.peer if self.unit.endswith("/s") else self.peer / self.ours, 2)

    def as_dict(self) -> dict[str, object]:
        """The row as it is printed with ``--json``."""
        row = asdict(self)
        return {**{key: row[key] for key in ("name", "ours", "peer", "unit")}, "ratio": self.ratio} | {
            key: row[key] for key in ("target", "met", "runs")
        }


def percentile(readings: Sequence[float], percent: int) -> float:
    """The reading below which so many percent of the readings lie."""
    ordered = sorted(readings)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def median(readings: Sequence[float], digits: int = 3) -> float:
    """The middle of the readings: what a busy moment does not move."""
    return round(statistics.median(readings), digits)


def peak_memory() -> float:
    """The most memory that this process took, in MB. (``ru_maxrss`` would count what its parent took, too.)"""
    told = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(told["VmHWM"].split()[0]) / 1024


def machine() -> str:
    """What the figures were measured on."""
    cpu = platform.processor() or platform.machine()
    names = Path("/proc/cpuinfo")
    if names.exists():
        found = [
            line.split(":", 1)[1].strip() for line in names.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = found[0] if found else cpu
    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores {cpu}, {memory:.0f} GB, {platform.system()} {platform.release()}"


def main(question: str, measure: Callable[[int], list[Row]], runs: int) -> None:
    """The command line of a benchmark script: ``[--json] [--runs N]``."""
    parser = argparse.ArgumentParser(description=question)
    parser.add_argument("--json", action="store_true", help="one JSON object per row")
    parser.add_argument("--runs", type=int, default=runs, help=f"readings of each figure (default {runs})")
    options = parser.parse_args()
    rows = measure(options.runs)
    if options.json:
        for row in rows:
            print(json.dumps(row.as_dict()))
        return
    print(f"{question}\n{machine()}; median of {options.runs}")
    print(f"{'':44} {'ours':>10} {'peer':>10} {'ratio':>6}  target")
    for row in rows:
        peer = "–" if row.peer is None else f"{row.peer:.2f}"
        ratio = "–" if row.ratio is None else f"{row.ratio:.1f}×"
        verdict = "met" if row.met else "MISSED"
        print(f"{row.name:44} {row.ours:>8.2f} {row.unit} {peer:>9} {ratio:>6}  {row.target}: {verdict}")
