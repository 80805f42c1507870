"""What a call of ``consume`` gave, sorted: records by partition, how far they go, and what the client says besides."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, Message

from eventlab.store.kafka_records import Record

BATCH = 500  # records in one call, and at most in one transaction of a partition
_GONE = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._LOG_TRUNCATION}
# The application was too slow, so the group went on without it: it comes back with the next poll.
_LEFT_BEHIND = KafkaError._MAX_POLL_EXCEEDED


@dataclass
class Batch:
    """What came of one partition: records, and up to which offset that is all."""

    records: list[Record] = field(default_factory=list)
    end: int = 0


def by_partition(messages: Iterable[Message]) -> tuple[dict[int, Batch], Message | None]:
    """What came, up to the first complaint of the client, and that."""
    batches: dict[int, Batch] = defaultdict(Batch)
    for message in messages:
        error = message.error()
        if error is None:
            batch = batches[message.partition()]
            batch.records.append(Record.of(message))
            batch.end = message.offset() + 1
        elif error.code() == KafkaError._PARTITION_EOF:
            batches[message.partition()].end = message.offset()  # behind marks of transactions, too
        elif error.code() != _LEFT_BEHIND:
            return batches, message
    return batches, None


def gone(complaint: Message) -> bool:
    """Whether the record that is to be read next is not in the topic."""
    return complaint.error().code() in _GONE


def fatal(complaint: Message) -> bool:
    """Whether the client has stopped for good: another member has its name. Its error says no ``fatal()``."""
    return bool(complaint.error().fatal() or complaint.error().code() == KafkaError._FATAL)
