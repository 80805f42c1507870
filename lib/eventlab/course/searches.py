"""The searches of lesson 12: what a shop's customers type into its search field, a record each."""

from random import Random

import pandas as pd
from confluent_kafka import KafkaError, Message, Producer

from eventlab import settings
from eventlab.cluster import Kafka, LabError
from eventlab.cluster.scan import Scan

PARTITIONS = 3
CUSTOMERS = 20
SEARCHES = 600
_PATIENCE_SECONDS = 20.0
_LOOKS = ("red", "blue", "green", "warm", "wool", "long")
_THINGS = ("trousers", "socks", "shirt", "coat", "hat")


def day(kafka: Kafka, seed: int = 12) -> str:
    """A day of 600 searches, two words each, by 20 customers; gives the name of the topic, which has 3 partitions.

    The key of each record is the customer. Raises LabError when a search was not acknowledged.
    """
    topic = kafka.topic("searches", PARTITIONS)
    rng = Random(seed)  # noqa: S311 searches that repeat, not secrets
    acknowledged = 0

    def hear(error: KafkaError | None, _: Message) -> None:
        nonlocal acknowledged
        acknowledged += error is None

    producer = Producer(kafka.config(**settings.producer()))
    try:
        for _ in range(SEARCHES):
            # The first in each list is what people look for most.
            look, thing = (rng.choices(words, range(len(words), 0, -1))[0] for words in (_LOOKS, _THINGS))
            producer.produce(topic, f"{look} {thing}", f"customer-{rng.randint(1, CUSTOMERS)}", on_delivery=hear)
        producer.flush(_PATIENCE_SECONDS)
    finally:
        producer.close()
    if missing := SEARCHES - acknowledged:
        raise LabError(f"The cluster did not acknowledge {missing} searches: `eventlab status` says whether it runs.")
    return topic


def read(kafka: Kafka, topic: str) -> pd.DataFrame:
    """All searches as a fresh reader gets them, one partition after the other, ready for the lanes.

    ``version`` says which search of its customer (``key``) it is. Raises LabError when the topic cannot be read.
    """
    found = [message for batch in Scan(kafka, topic) for message in batch]
    found.sort(key=lambda message: (message.partition(), message.offset()))
    frame = pd.DataFrame(
        {
            "order": range(len(found)),
            "partition": [message.partition() for message in found],
            "offset": [message.offset() for message in found],
            "key": [message.key().decode() for message in found],
            "label": [message.value().decode() for message in found],
            "timestamp": [message.timestamp()[1] for message in found],
        }
    )
    return frame.assign(version=frame.groupby("key").cumcount() + 1)
