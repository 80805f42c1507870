"""Records that a view could not take, set aside with all that have the same key: seen, and applied later in order."""

from typing import NamedTuple

from eventlab.topics.projector import TopicProjector


class Parked(NamedTuple):
    """A record set aside, and why: what was wrong with it, or which offset of its key it waits for."""

    partition: int
    offset: int
    key: bytes
    error: str


def parked(projector: TopicProjector) -> list[Parked]:
    """The parked records of the view, by partition and offset."""
    _, found = projector.sink.state()
    return [Parked(record.partition, record.offset, record.key or b"", error) for record, error in found]


def retry_parked(projector: TopicProjector) -> int:
    """Apply the parked records in order, key by key, and return how many were applied.

    Each key is a transaction. Where a record fails again, it and those behind it stay parked, with the new error.
    """
    keys = dict.fromkeys((each.partition, each.key) for each in parked(projector))
    return sum(projector.sink.retry(partition, key) for partition, key in keys)
