"""How much memory does the running lab take: three brokers and PostgreSQL, after a small life?

Resident memory of all processes that the lab started, summed (pages that they share counted each time).
"""

import os
import tempfile
from pathlib import Path

import psutil

from benchmarks.table import Row, main, median

BOUND_MB = 1600
RECORDS = 20_000


def once() -> float:
    """One lab: start it, let it work a little, add up."""
    from eventlab import cluster

    with tempfile.TemporaryDirectory() as scratch:
        os.environ["EVENTLAB_HOME"] = scratch
        lab = cluster.Lab(Path(scratch))
        lease = lab.up(3, with_postgres=True)
        try:
            kafka = cluster.connect()
            work(kafka)
            status = lab.status()
            pids = [broker["pid"] for broker in status["kafka"]["brokers"]] + [status["postgres"]["pid"]]
            servers = [psutil.Process(pid) for pid in pids]
            everyone = {process.pid: process for server in servers for process in [server, *server.children(True)]}
            return sum(process.memory_info().rss for process in everyone.values()) / 2**20
        finally:
            kafka.close()
            lab.release(lease)
            lab.down()


def work(kafka: object) -> None:
    """Some records through six replicated partitions, read by a group."""
    from confluent_kafka import Consumer, Producer

    topic = kafka.topic("work", partitions=6)  # type: ignore[attr-defined]
    producer = Producer(kafka.config(**{"acks": "all"}))  # type: ignore[attr-defined]
    for number in range(RECORDS):
        producer.produce(topic, key=str(number), value=b"x" * 100)
        producer.poll(0)
    producer.flush()
    group = {"group.id": kafka.name("work"), "auto.offset.reset": "earliest"}  # type: ignore[attr-defined]
    consumer = Consumer(kafka.config(**group))  # type: ignore[attr-defined]
    consumer.subscribe([topic])
    seen = 0
    while seen < RECORDS:
        seen += len(consumer.consume(500, timeout=10))
    consumer.close()


def measure(runs: int) -> list[Row]:
    """``runs`` labs, one after the other."""
    readings = [once() for _ in range(runs)]
    ours = median(readings, 0)
    kept = {"ours": [round(reading) for reading in readings]}
    return [Row("three brokers and PostgreSQL", ours, None, "MB", f"≤ {BOUND_MB} MB", ours <= BOUND_MB, kept)]


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=3)
