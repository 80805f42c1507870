"""P3: two clients put the same key on different partitions."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Literal

from eventlab import cluster
from eventlab.cluster import Kafka, LabError
from eventlab.cluster.elsewhere import java_properties
from eventlab.pitfalls.checkers import strays
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.topics import Writer, read

CUSTOMERS = 400
_JVM_SECONDS = 25.0
_LONGEST_LOG = 500  # characters of a tool's log that fit an error message

Partitioner = Literal["consistent_random", "murmur2_random"]


def run(kafka: Kafka, *, partitioner: Partitioner = "consistent_random", partitions: int = 6, seed: int = 7) -> Result:
    """A Java service registers customers, a Python service moves them; both key by customer.

    ``partitioner``: librdkafka's own (CRC32 of the key) or the one that computes what Java computes (murmur2).
    """
    topic = kafka.topic("customers", partitions=partitions)
    numbers = Random(seed).sample(range(10**6), CUSTOMERS)  # noqa: S311 customers that repeat, not secrets
    customers = [f"customer-{number:06}" for number in numbers]
    _send_from_java(kafka, topic, [Fact(customer, 1, "Registered", "registered", "java") for customer in customers])
    with Writer(kafka, partitioner=partitioner) as python:
        for customer in customers:
            python.send(topic, Fact(customer, 2, "Moved", "moved", "python"), customer)
    return PITFALL.result(read(kafka, topic))


def _send_from_java(kafka: Kafka, topic: str, facts: Sequence[Fact]) -> None:
    """Send ``facts`` through Kafka's own producer, as its console producer drives it, keyed by entity."""
    lines = "".join(f"{fact.key}\t{fact.encode().decode()}\n" for fact in facts)
    with tempfile.TemporaryDirectory() as scratch:
        login = Path(scratch) / "client.properties"
        login.touch(mode=0o600)
        login.write_text(java_properties(kafka.config()))
        try:
            done = cluster.java(
                "org.apache.kafka.tools.ConsoleProducer",
                *("--bootstrap-server", kafka.bootstrap, "--topic", topic, "--command-config", login),
                *("--reader-property", "parse.key=true"),
                **{"input": lines, "capture_output": True, "timeout": _JVM_SECONDS},
            )
        except subprocess.TimeoutExpired as error:
            raise LabError(f"Kafka's console producer was not done within {_JVM_SECONDS:g} s.") from error
    # The tool does no more than log what the broker refuses.
    if done.returncode or "ERROR" in done.stderr:
        raise LabError(f"Kafka's console producer failed: {done.stderr.strip()[:_LONGEST_LOG]}")


PITFALL = Pitfall(
    id="P3",
    hypothesis="Two clients that key by the same customer use different partitions for it.",
    workload=f"{CUSTOMERS} customers, one event of each from Kafka's Java producer and one from librdkafka's",
    metric=strays,
    unit="customers lie on two partitions",
    run=run,
    broken={"partitioner": "consistent_random"},
    cured={"partitioner": "murmur2_random"},
    seed=7,
    budget=15,
    brokers=1,
    sources=(
        "https://github.com/tulios/kafkajs/issues/1154",
        "https://github.com/segmentio/kafka-go/pull/142",
        "https://github.com/confluentinc/librdkafka/issues/4510",
    ),
)
