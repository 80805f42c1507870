"""``make bench``: run every benchmark and keep its rows, with date and machine, in ``benchmarks/results/``."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.table import machine

HERE = Path(__file__).parent
NOT_A_QUESTION = {"__init__", "__main__", "table", "first_record", "shops", "topics", "chaos", "gallery"}


def main() -> int:
    """Run all (or those named on the command line); 1 when one fails or misses its target."""
    names = sys.argv[1:] or sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_A_QUESTION)
    failed = False
    for name in names:
        print(f"== {name}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", "--json"], stdout=subprocess.PIPE, text=True)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        for row in rows:
            print(
                f"{row['name']}: {row['ours']} {row['unit']} (peer {row['peer']}, ratio {row['ratio']}) {row['target']}"
            )
        if done.returncode or not rows:
            failed = True
            continue
        failed |= not all(row["met"] for row in rows)
        kept = {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "machine": machine(), "rows": rows}
        (HERE / "results" / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
