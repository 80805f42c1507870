"""What the library tells every Kafka client and every topic of events, each with its reason and what proves it.

``docs/decisions/kafka-defaults.md`` is made of this.
"""

from eventlab.settings.kafka import (
    ANSWER_SECONDS,
    CONSUMER,
    MEASURED,
    MEMBER,
    PRODUCER,
    TOPIC,
    TRANSACTIONS,
    Default,
    consumer,
    member,
    producer,
    topic,
    transactions,
)

__all__ = [
    "ANSWER_SECONDS",
    "CONSUMER",
    "MEASURED",
    "MEMBER",
    "PRODUCER",
    "TOPIC",
    "TRANSACTIONS",
    "Default",
    "consumer",
    "member",
    "producer",
    "topic",
    "transactions",
]
