"""Labs of their own for tests that break them, and other processes that use them."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka import Consumer, Producer

from eventlab.cluster import Kafka, Lab, broker, guard, homes, processes
from eventlab.cluster.processes import Process

DEADLINE = 30.0  # for a machine that is busy; nothing here takes more than a few seconds
_POLL = 0.1
STAY = "import signal; signal.pause()"


def eventually(condition: Callable[[], Any], seconds: float = DEADLINE) -> None:
    """Wait until ``condition`` holds; fails with its name when it does not."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {condition.__name__}"
        time.sleep(_POLL)


def servers(home: Path) -> list[Process]:
    """The brokers of ``home`` that live, found by what they were started with, not by the state file."""
    return processes.marked(broker.mark_argument(homes.mark(home)))


def guards(home: Path) -> list[psutil.Process]:
    """The guards that watch ``home``."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if {guard.__file__, str(home)} <= set(process.info["cmdline"] or [])
    ]


def nothing_runs(home: Path) -> bool:
    """Whether neither broker nor guard of ``home`` is left."""
    return not servers(home) and not guards(home)


# Tests started in the background of a script (nohup, &) ignore these signals, and so would what they start.
AS_TYPED = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
"""


class User:
    """Another process that uses the lab in ``home``: it runs ``code``, prints a line when it is done, and stays."""

    def __init__(self, home: Path, code: str, **environment: str) -> None:
        words = [sys.executable, "-c", f"{AS_TYPED}\nfrom eventlab import cluster\n{code}\n{STAY}"]
        settings = {**os.environ, "EVENTLAB_HOME": str(home), "PYTHONUNBUFFERED": "1", **environment}
        # In a process group of its own, as a shell starts what one types.
        self.process = subprocess.Popen(
            words, env=settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0
        )

    def line(self) -> str:
        """What it prints next."""
        assert self.process.stdout
        text = self.process.stdout.readline()
        assert text, f"ended with exit code {self.process.wait()}"
        return text.strip()

    def tell(self, text: str) -> None:
        """A line for its standard input."""
        assert self.process.stdin
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def end(self, number: signal.Signals) -> int:
        """Send a signal to its process group and wait; gives the exit code."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        return self.process.wait(DEADLINE)

    def __enter__(self) -> "User":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.end(signal.SIGKILL)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream
            stream.close()


CONNECT = "k = cluster.connect(); print(k.bootstrap, *[b.pid for b in k.brokers])"


@contextlib.contextmanager
def lab_in(home: Path) -> Iterator[Lab]:
    """The lab in ``home``; whatever the test did to it, nothing of it is left."""
    lab = Lab(home)
    try:
        yield lab
    finally:
        if home.is_dir():
            lab.down()
        processes.stop(servers(home), 0)
        eventually(lambda: not guards(home))


def handle(lab: Lab) -> Kafka:
    """What a notebook would hold."""
    return Kafka({"bootstrap.servers": lab.status()["kafka"]["bootstrap"]}, lab)


def write(config: dict[str, Any], topic: str, values: Sequence[str]) -> None:
    """Write ``values`` with acks=all; fails when one of them is not acknowledged."""
    reports: list[Any] = []
    producer = Producer({**config, "acks": "all", "log_level": 0})
    for value in values:
        producer.produce(topic, value.encode(), on_delivery=lambda error, _: reports.append(error))
    producer.flush(DEADLINE)
    assert reports == [None] * len(values)


def read(config: dict[str, Any], topic: str, count: int, **overrides: Any) -> list[str]:
    """The first ``count`` values of ``topic``, read from the beginning."""
    settings = {"group.id": f"{topic}.reader", "auto.offset.reset": "earliest", "log_level": 0, **overrides}
    consumer = Consumer({**config, **settings})
    consumer.subscribe([topic])
    values: list[str] = []
    end = time.monotonic() + DEADLINE
    try:
        while len(values) < count and time.monotonic() < end:
            message = consumer.poll(0.2)
            if message and not message.error():
                values.append(message.value().decode())
    finally:
        consumer.close()
    return values
