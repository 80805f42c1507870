"""A job that hands events over to a producer and ends: to be run by an actor."""

from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Producer

from eventlab.pitfalls.actors import Tell


def hand_over(
    tell: Tell, *, topic: str, config: Mapping[str, Any], events: Sequence[tuple[str, str]], flush: bool
) -> None:
    """Produce every event, given as key and value; then end, with or without waiting for what is still on its way."""
    producer = Producer(dict(config))
    for key, value in events:
        producer.produce(topic, value, key)
    tell("handed over", events=len(events))
    if flush:
        producer.flush()
