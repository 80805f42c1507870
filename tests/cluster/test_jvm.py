"""Kafka's own Java clients, in a JVM of this process."""

import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import jpype
import pytest

from eventlab.cluster import jars, jvm

PATIENCE_SECONDS = 20
READY = "print('ready', flush=True)"


def test_what_the_java_producer_sends_the_java_consumer_reads(kafka):
    topic = kafka.topic("java", partitions=3, retention_ms=-1)  # what is sent has an old time
    producer = jvm.producer(kafka.config())
    key, value, when = "Größe".encode(), bytes(range(256)), 1_780_000_000_000
    where = producer.send(jvm.record(topic, value, key, partition=2, timestamp=when)).get()
    producer.send(jvm.record(topic, b"")).get()
    producer.close()
    consumer = jvm.consumer(kafka.config(**{"enable.auto.commit": False}))
    place = jvm.partition(topic, 2)
    consumer.assign([place])
    consumer.seekToBeginning([place])
    records = []
    end = time.monotonic() + PATIENCE_SECONDS
    while not records and time.monotonic() < end:
        records += consumer.poll(jvm.duration(0.1))
    consumer.close()
    assert (where.partition(), where.offset()) == (2, 0)
    assert [(bytes(each.key()), bytes(each.value()), each.timestamp()) for each in records] == [(key, value, when)]


def test_the_clients_are_those_of_the_lab_and_the_defaults_are_javas(kafka):
    jvm.start()
    version = jpype.JClass("org.apache.kafka.common.utils.AppInfoParser").getVersion()
    assert version == jars.kafka_version()
    producer = jvm.producer(kafka.config(**{"linger.ms": 7, "enable.idempotence": False}))
    config = jpype.JClass("org.apache.kafka.clients.producer.KafkaProducer").class_.getDeclaredField("producerConfig")
    config.setAccessible(True)
    settings = config.get(producer).values()
    producer.close()
    assert int(settings["linger.ms"]) == 7
    assert not settings["enable.idempotence"]
    assert int(settings["max.in.flight.requests.per.connection"]) == 5


def test_what_java_refuses_is_a_java_exception(kafka):
    with pytest.raises(jpype.JException, match="Must set acks to all"):
        jvm.producer(kafka.config(**{"acks": "1", "enable.idempotence": True}))


@pytest.mark.parametrize("work", ["time.sleep(60)", "[jpype.java.lang.Thread.sleep(50) for _ in range(1000)]"])
def test_ctrl_c_reaches_python_also_between_two_calls_of_java(work):
    with _started(f"try:\n    {READY}; {work}\nexcept KeyboardInterrupt:\n    print('stopped')\n") as child:
        child.send_signal(signal.SIGINT)
        assert child.communicate(timeout=PATIENCE_SECONDS) == ("stopped\n", None)
        assert child.returncode == 0


def test_it_starts_wherever_the_jars_are(tmp_path):
    """JPype has another way for paths with other than ASCII letters, and the JVM's cache does not go with it."""
    elsewhere = tmp_path / "Bücher"
    elsewhere.symlink_to(jars.runtime_directory() / "jars")
    program = f"""
from pathlib import Path
from eventlab.cluster import jars, jvm
names = [path.name for path in jars.class_path()]
jars.class_path = lambda: [Path({str(elsewhere)!r}) / name for name in names]
jvm.producer({{"bootstrap.servers": "127.0.0.1:9"}}).close()
print("made")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("made\n", "")


def test_a_process_with_a_jvm_ends_when_it_is_told_to():
    with _started(f"{READY}; time.sleep(60)") as child:
        child.send_signal(signal.SIGTERM)
        assert child.communicate(timeout=PATIENCE_SECONDS) == ("", None)
        assert child.returncode == -signal.SIGTERM


@contextmanager
def _started(program):
    """A process that starts its JVM and says ``READY``, with standard error on its standard output."""
    begin = "import time, jpype\nfrom eventlab.cluster import jvm\njvm.start()\n"
    words = [sys.executable, "-c", begin + program]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        try:
            assert child.stdout.readline() == "ready\n"
            yield child
        finally:
            child.kill()
