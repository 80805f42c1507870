"""What a topic has that no reader is given: transaction markers, last stable offset, high watermark."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from confluent_kafka import IsolationLevel

from eventlab.cluster import Kafka, NeedsEmbeddedLab
from eventlab.cluster import ends as offsets

_PATIENCE_SECONDS = 10.0
# https://kafka.apache.org/documentation/#recordbatch: base offset, length; leader epoch, magic, checksum, attributes …
_BATCH = struct.Struct(">qiibIh")
_OVERHEAD = 12  # bytes before what the length counts
_CONTROL = 1 << 5  # of the attributes
_HEADER = 61  # bytes of a batch before its records
# … and the one record of a control batch: five lengths and deltas of a byte each, then its key, version and type.
_MARKER = struct.Struct(">5x2h")

Kind = Literal["commit", "abort", "last stable offset", "high watermark"]
_TYPES: dict[int, Kind] = {0: "abort", 1: "commit"}


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at an offset of a partition that is not a record.

    The offset of an end is the first behind it: not stable, or not written.
    """

    partition: int
    offset: int
    kind: Kind


def ends(kafka: Kafka, topic: str) -> tuple[Mark, ...]:
    """Last stable offset and high watermark of each partition, as the brokers say now, on any cluster.

    Up to the first of them go readers of committed records, up to the second all others.
    """
    stable = offsets.ends(kafka, topic, IsolationLevel.READ_COMMITTED)
    high = offsets.ends(kafka, topic, IsolationLevel.READ_UNCOMMITTED)
    return tuple(
        mark
        for partition in sorted(high)
        for mark in (
            Mark(partition, stable[partition], "last stable offset"),
            Mark(partition, high[partition], "high watermark"),
        )
    )


def markers(kafka: Kafka, topic: str) -> tuple[Mark, ...]:
    """The transaction markers of ``topic``, out of its leaders' own files: no client is given them.

    A commit or abort is acknowledged a moment before its markers are written.
    Raises NeedsEmbeddedLab on a cluster that the lab did not start.
    """
    homes = {broker.id: broker.data for broker in kafka.brokers}
    partitions: dict[int, Any] = kafka.admin.list_topics(topic, timeout=_PATIENCE_SECONDS).topics[topic].partitions
    return tuple(
        Mark(number, offset, kind)
        for number, partition in sorted(partitions.items())
        for segment in sorted((homes[partition.leader] / f"{topic}-{number}").glob("*.log"))
        for offset, kind in _markers(segment)
    )


def _markers(segment: Path) -> Iterator[tuple[int, Kind]]:
    with segment.open("rb") as log:
        at = 0
        # The broker may be writing: of a batch that is not whole, nothing is read.
        while len(head := log.read(_HEADER + _MARKER.size)) >= _HEADER:
            offset, length, _, _, _, attributes = _BATCH.unpack_from(head)
            if attributes & _CONTROL and len(head) == _HEADER + _MARKER.size:
                yield offset, _TYPES[_MARKER.unpack_from(head, _HEADER)[1]]
            at += _OVERHEAD + length
            log.seek(at)


def marks(kafka: Kafka, topic: str) -> tuple[Mark, ...]:
    """All of these; on a cluster that the lab did not start, the ends alone."""
    try:
        inside = markers(kafka, topic)
    except NeedsEmbeddedLab:
        inside = ()
    return inside + ends(kafka, topic)
