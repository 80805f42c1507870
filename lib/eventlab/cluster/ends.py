"""Where the partitions of a topic end."""

from typing import Any

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import OffsetSpec

from eventlab.cluster.kafka import Kafka

_PATIENCE_SECONDS = 20.0  # a broker that is alive answers within milliseconds


def ends(kafka: Kafka, topic: str, isolation: IsolationLevel) -> dict[int, int]:
    """Where each partition ends: its last stable offset (``READ_COMMITTED``) or its high watermark."""
    partitions = kafka.admin.list_topics(topic, _PATIENCE_SECONDS).topics[topic].partitions
    asked = {TopicPartition(topic, number): OffsetSpec.latest() for number in partitions}
    answers: dict[TopicPartition, Any] = kafka.admin.list_offsets(
        asked, isolation_level=isolation, request_timeout=_PATIENCE_SECONDS
    )
    return {where.partition: answer.result(_PATIENCE_SECONDS).offset for where, answer in answers.items()}
