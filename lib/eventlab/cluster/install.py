"""What set-up brings beside the Python packages: Kafka's jars, a formatted storage to copy, a warm JVM cache.

``python -m eventlab.cluster.install`` does it with progress bars; a lab does it on its own when it is missing.
"""

import contextlib
import shutil
import sys
from collections.abc import Iterator

from eventlab.cluster import homes, jars, runtime, warmup
from eventlab.cluster.errors import LabError

# What a broker and Kafka's tools need. The logger is resolved alone: its POM would pin an older kafka-clients.
KAFKA = "4.3.1"
ROOTS = [f"org.apache.kafka:kafka_2.13:{KAFKA}", f"org.apache.kafka:kafka-tools:{KAFKA}"]
LOGGER = ["org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"]


def ensure(progress: jars.Progress = lambda what, done, total: None) -> None:
    """Bring what is missing. Raises LabError with the cure."""
    if not jars.missing() and runtime.ready():
        return
    directory = homes.prepare(jars.runtime_directory())
    with homes.locked(directory):  # two at once would put one's cache on top of the other's
        scratch = directory / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)  # what a set-up that was killed had in hand
        scratch.mkdir()
        jars.fetch(scratch, progress)
        warmup.ensure_cache(scratch, progress)
        shutil.rmtree(scratch)


@contextlib.contextmanager
def bars() -> Iterator[jars.Progress]:
    """Progress bars on what takes long, for as long as the block lasts; none for what is there already."""
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()) as shown:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=total)
            shown.update(tasks[what], completed=done)

        yield show
        shown.refresh()  # in Jupyter, rich would leave the bars as they last were


def main() -> int:
    """Bring everything, with progress bars."""
    try:
        with bars() as show:
            if sys.argv[1:] == ["--lock"]:
                jars.lock(ROOTS, LOGGER)
            ensure(show)
    except LabError as error:
        print(f"eventlab: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
