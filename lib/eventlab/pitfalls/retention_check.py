"""When a broker looks for what it may delete: not at once, but every ``log.retention.check.interval.ms``."""

import time
from datetime import UTC, datetime, timedelta

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import ConfigResource, OffsetSpec

from eventlab.cluster import Kafka, LabError

DAY_MS = 24 * 60 * 60 * 1000
WEEK_MS = 7 * DAY_MS
"""How long Kafka keeps a topic's records when nobody says anything (``log.retention.hours``)."""

_INTERVAL = "log.retention.check.interval.ms"
_LONGEST_SECONDS = 15.0  # between two looks: a cluster that is not the lab's waits for five minutes, as Kafka does
_PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.05
_LONG_AGO = timedelta(days=30)
# The first look that shows may have begun before; the third that shows says that the second one is over.
_LOOKS = 3


def await_retention(kafka: Kafka) -> None:
    """Wait until every broker has looked at all its topics, from beginning to end, after this was called.

    A topic of its own says so, with a record that may be deleted at once: when that is gone, the broker was there.
    Raises LabError on a cluster that looks too rarely to wait for, and when a broker does not come to it.
    """
    if (interval := _interval_seconds(kafka)) > _LONGEST_SECONDS:
        raise LabError(
            f"This cluster looks every {interval:g} s for what it may delete ({_INTERVAL}), and this experiment waits "
            "for that three times over. The lab's own brokers look twice a second: unset EVENTLAB_KAFKA."
        )
    brokers = len(kafka.admin.list_topics(timeout=_PATIENCE_SECONDS).brokers)
    topic = kafka.topic("retention-check", partitions=brokers, message_timestamp_type="CreateTime", retention_ms=1)
    producer = Producer(kafka.config(**{"linger.ms": 0, "log_level": 3}))
    try:
        for look in range(1, _LOOKS + 1):
            for partition in range(brokers):
                stamp = round((datetime.now(UTC) - _LONG_AGO).timestamp() * 1000)
                producer.produce(topic, b"old", partition=partition, timestamp=stamp)
            if producer.flush(_PATIENCE_SECONDS):
                raise LabError("The cluster did not acknowledge a record. `eventlab status` says whether it runs.")
            _await_begin(kafka, topic, brokers, look)
    finally:
        producer.close()


def _await_begin(kafka: Kafka, topic: str, partitions: int, offset: int) -> None:
    """Wait until each partition begins at ``offset``."""
    asked = {TopicPartition(topic, number): OffsetSpec.earliest() for number in range(partitions)}
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        answers = kafka.admin.list_offsets(asked, request_timeout=_PATIENCE_SECONDS)
        if all(answer.result(_PATIENCE_SECONDS).offset >= offset for answer in answers.values()):
            return
        if time.monotonic() > deadline:
            raise LabError(f"No broker looked for what it may delete within {_PATIENCE_SECONDS:g} s. Are they busy?")
        time.sleep(_POLL_SECONDS)


def _interval_seconds(kafka: Kafka) -> float:
    one, *_ = kafka.admin.list_topics(timeout=_PATIENCE_SECONDS).brokers
    resource = ConfigResource(ConfigResource.Type.BROKER, str(one))
    settings = kafka.admin.describe_configs([resource])[resource].result(_PATIENCE_SECONDS)
    return int(settings[_INTERVAL].value) / 1000
