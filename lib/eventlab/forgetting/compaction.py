"""The other way to forget, on Kafka: a compacted topic keyed by subject, and a tombstone; and what that costs.

Compaction keeps the last record of each key (https://kafka.apache.org/documentation/#compaction). It leaves the active
segment alone, and works when a cleaner thread finds a log dirty enough. So forgetting takes as long as the settings
say, and it takes the history of everybody who is not forgotten as well.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import pandas as pd
from confluent_kafka import Producer
from confluent_kafka.admin import ConfigResource, ResourceType

from eventlab.cluster import Kafka, LabError
from eventlab.forgetting.leaks import Words
from eventlab.forgetting.places import Files, messages

# What lets a lesson wait for it. Kafka's own values: defaults().
SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "cleanup.policy": "compact",
        "segment.bytes": str(1 << 20),  # the least that Kafka 4 takes
        "segment.ms": "200",  # a record that comes later begins a new segment; only then is the old one cleaned
        "min.cleanable.dirty.ratio": "0.01",
        "max.compaction.lag.ms": "200",
        "file.delete.delay.ms": "1",
    }
)
_UNITS = {"d": 86_400_000, "h": 3_600_000, "min": 60_000, "s": 1000, "ms": 1}  # in milliseconds
CHOSEN, NAME = "customer-17", "Wilhelmina Achterberg"
_PATIENCE_SECONDS = 60  # the cleaner of a broker that is not told otherwise looks every 15 s
_HEARTBEAT_SECONDS = 0.1  # a topic in use gets records all the time
_CONFIG_SECONDS = 10
_NO_LIMIT = 1000 * 86_400_000  # Kafka writes a number of 63 bits; more days than this mean the same


@dataclass(frozen=True, slots=True)
class Compacted:
    """What one tombstone did.

    ``seconds``: from the tombstone until no segment held the name. ``rewritten``: bytes of segments that were written
    again meanwhile, of ``size`` bytes that the topic had. Of the ``before`` records of people who had not asked for
    anything, ``after`` were left.
    """

    seconds: float
    size: int
    rewritten: int
    before: int
    after: int

    def __repr__(self) -> str:
        return (
            f"gone after {self.seconds:.1f} s; {self.rewritten:,} bytes written again ({self.size:,} there were); "
            f"of {self.before:,} records of the other customers {self.after:,} are left"
        )


def run(kafka: Kafka, customers: int = 2_000, changes: int = 5) -> Compacted:
    """Customers change their addresses, one is forgotten by a tombstone; waits until the disk has forgotten, too.

    Raises NeedsEmbeddedLab on a cluster whose files are not here, and LabError when it takes too long.
    """
    settings: dict[str, Any] = {name.replace(".", "_"): value for name, value in SETTINGS.items()}
    topic = kafka.topic("customers", **settings)
    folder = kafka.brokers[0].data / f"{topic}-0"
    words = Words([NAME])
    producer = Producer(kafka.config(**{"acks": "all", "linger.ms": 5, "log_level": 3}))
    try:
        for change in range(changes):
            for number in range(customers):
                key = f"customer-{number}"
                name = NAME if key == CHOSEN else f"Customer {number}"
                street = f"{number * change % 997} Main Street, staircase B, third floor on the left"
                record = {"name": name, "street": street, "change": change}
                producer.produce(topic, msgspec.json.encode(record), key)
            _flush(producer)
        before = _others(kafka, topic)
        producer.produce(topic, None, CHOSEN)
        _flush(producer)
        began = time.monotonic()
        disk = _Disk(folder)
        size = disk.size
        while disk.holds(words):
            if time.monotonic() - began > _PATIENCE_SECONDS:
                raise LabError(f"After {_PATIENCE_SECONDS} s the name is still in {folder}. Is the broker busy?")
            producer.produce(topic, b"{}", "heartbeat")
            _flush(producer)
            time.sleep(_HEARTBEAT_SECONDS)
        seconds = time.monotonic() - began
    finally:
        producer.close()
    return Compacted(seconds, size, disk.rewritten, before, _others(kafka, topic))


def defaults(kafka: Kafka) -> pd.DataFrame:
    """The settings above, beside what a topic of this cluster has when nobody sets anything."""
    resource = ConfigResource(ResourceType.TOPIC, kafka.topic("as-it-comes"))
    found = kafka.admin.describe_configs([resource], request_timeout=_CONFIG_SECONDS)[resource].result(_CONFIG_SECONDS)
    rows = [(name, _words(name, value), _words(name, found[name].value)) for name, value in SETTINGS.items()]
    return pd.DataFrame(rows, columns=["setting", "here", "by default"])


def _words(setting: str, value: str) -> str:
    if setting.endswith(".bytes"):
        return f"{int(value) / 2**20:g} MiB"
    if not setting.endswith(".ms"):
        return value
    milliseconds = int(value)
    if milliseconds > _NO_LIMIT:
        return "no limit"
    unit, size = next(((unit, size) for unit, size in _UNITS.items() if milliseconds >= size), ("ms", 1))
    return f"{milliseconds / size:g} {unit}"


class _Disk:
    """The segments of a partition, and how much of them was written again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = dict(self._segments())
        self.size = sum(size for _, size in self._seen.values())
        self.rewritten = 0

    def holds(self, words: Words) -> bool:
        """Whether a segment still has them; those that are to be deleted count."""
        for name, (inode, size) in self._segments():
            before, length = self._seen.get(name, (inode, size))
            # The cleaner puts a new file in the old one's place. After two such changes the number may be the old
            # one's; but segments only grow.
            if inode != before or size < length:
                self.rewritten += size
            self._seen[name] = inode, size
        return any(any(Files(path).search(words)) for path in self._folder.glob("*.log*") if path.exists())

    def _segments(self) -> Iterator[tuple[str, tuple[int, int]]]:
        for path in self._folder.glob("*.log"):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                yield path.name, (status.st_ino, status.st_size)


def _others(kafka: Kafka, topic: str) -> int:
    """The records of all customers but the chosen one, as a consumer gets them."""
    mine = {CHOSEN.encode(), b"heartbeat"}
    return sum(message.key() not in mine for message in messages(kafka, topic))


def _flush(producer: Producer) -> None:
    if producer.flush(_PATIENCE_SECONDS):
        raise LabError("The broker did not acknowledge the records of this experiment. `eventlab status` says more.")
