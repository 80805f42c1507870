"""How consumers of the experiments take a topic of one partition: as members of a group, in batches, to its end."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Message, TopicPartition

from eventlab.cluster import Kafka

Protocol = Literal["classic", "consumer"]
"""How a group shares out partitions: by its members, or since Kafka 4.0 by the broker (KIP-848), if they ask for it."""

_PATIENCE_SECONDS = 20.0
_LOOK_SECONDS = 0.1
_CONSUMER = {
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "fetch.wait.max.ms": 10,  # a few hundred records, not a stream: nothing is gained by waiting for more
    "log_level": 0,  # librdkafka would tell of every fault that an experiment makes; what matters raises
}
# A member with a name of its own takes its partitions back at once when it is started again. Without, they would stay
# with the killed one until the group has missed its heartbeat for 45 s.
NAMED = {"group.instance.id": "bank"}


def member(config: Mapping[str, Any], group: str, **settings: Any) -> Consumer:
    """A consumer of ``group``; ``settings`` are librdkafka's, over those that the experiments share."""
    return Consumer({**_CONSUMER, **config, "group.id": group, **settings})


def batches(
    consumer: Consumer,
    topic: str,
    size: int,
    begin: Callable[[], int] | None = None,
    protocol: Protocol = "classic",
    on_revoke: Callable[[Consumer, list[TopicPartition]], None] | None = None,
) -> Iterator[list[Message]]:
    """What lies between the group's place and the end that there is now, ``size`` records at a time, the rest at last.

    ``begin`` is called whenever the group gives the partition to ``consumer``, and says where to go on; without, what
    the group has committed does. ``protocol`` is the group's. ``on_revoke`` is called when the group takes
    the partition, before another member is given it, if that is still possible.
    """
    where = TopicPartition(topic, 0)
    _, end = consumer.get_watermark_offsets(where, _PATIENCE_SECONDS)
    at: list[int] = []  # the offset of the next batch, once the partition is ours
    batch: list[Message] = []
    take = consumer.assign if protocol == "classic" else consumer.incremental_assign

    def go_on(_: Consumer, partitions: list[TopicPartition]) -> None:
        batch.clear()
        for place in partitions:
            place.offset = begin() if begin else max(consumer.committed([where], _PATIENCE_SECONDS)[0].offset, 0)
            at[:] = [place.offset]
        take(partitions)

    consumer.subscribe([topic], on_assign=go_on, **({"on_revoke": on_revoke} if on_revoke else {}))
    while not at or at[0] < end:
        batch += _records(consumer.consume(size - len(batch), _LOOK_SECONDS))
        if batch and at and len(batch) >= min(size, end - at[0]):
            at[:] = [batch[-1].offset() + 1]
            yield batch.copy()
            batch.clear()


def _records(messages: list[Message]) -> list[Message]:
    found = []
    for message in messages:
        error = message.error()
        if error is None:
            found.append(message)
        elif error.code() != KafkaError._MAX_POLL_EXCEEDED:  # by itself, the client joins its group again
            raise KafkaException(error)
    return found


def committed(kafka: Kafka, topic: str, group: str) -> int:
    """Up to where ``group`` has committed, by the brokers: the offset that comes next; 0 before the first commit."""
    asked = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0)])
    told = kafka.admin.list_consumer_group_offsets([asked], request_timeout=_PATIENCE_SECONDS)[group].result()
    return max(int(told.topic_partitions[0].offset), 0)
