"""P3: two clients put the same key on different partitions."""

from random import Random
from typing import Literal

from eventlab.cluster import Kafka
from eventlab.pitfalls.checkers import strays
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.java import JavaWriter
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.topics import Writer, read

CUSTOMERS = 400

Partitioner = Literal["consistent_random", "murmur2_random"]


def run(kafka: Kafka, *, partitioner: Partitioner = "consistent_random", partitions: int = 6, seed: int = 7) -> Result:
    """A Java service registers customers, a Python service moves them; both key by customer.

    ``partitioner``: librdkafka's own (CRC32 of the key) or the one that computes what Java computes (murmur2).
    """
    topic = kafka.topic("customers", partitions=partitions)
    numbers = Random(seed).sample(range(10**6), CUSTOMERS)  # noqa: S311 customers that repeat, not secrets
    customers = [f"customer-{number:06}" for number in numbers]
    with JavaWriter(kafka) as java:
        for customer in customers:
            java.send(topic, Fact(customer, 1, "Registered", "registered", "java"), customer)
    with Writer(kafka, partitioner=partitioner) as python:
        for customer in customers:
            python.send(topic, Fact(customer, 2, "Moved", "moved", "python"), customer)
    return PITFALL.result(read(kafka, topic))


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
    budget=5,
    brokers=1,
    sources=(
        "https://github.com/tulios/kafkajs/issues/1154",
        "https://github.com/segmentio/kafka-go/pull/142",
        "https://github.com/confluentinc/librdkafka/issues/4510",
    ),
)
