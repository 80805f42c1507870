"""For clients whose errors are raised, or are what a lesson is about: no word of them on the terminal beside."""

import contextlib
import logging
import warnings

from confluent_kafka import KafkaException, Producer

QUIET = logging.getLogger(__name__)  # librdkafka logs what is fatal at every level
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False


def abandon(producer: Producer) -> None:
    """Close a transactional producer, whatever became of it: what is open it aborts as far as it can.

    Another one with its name may have fenced it meanwhile, and whoever has the name next ends what stays open.
    """
    with contextlib.suppress(KafkaException), warnings.catch_warnings(action="ignore"):
        producer.close()
