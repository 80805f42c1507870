"""Any topic put to the question: whose events are missing, doubled or out of order, by the versions they carry.

What the checkers do with a history that fits into memory, for a topic that does not.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from confluent_kafka import Message

from eventlab.cluster.errors import LabError
from eventlab.cluster.scan import BATCH, Cluster, Scan
from eventlab.pitfalls.places import Take, Unreadable, taker

EXAMPLES = 10  # of each finding are kept
MOST_GAPS = 16  # of one entity are kept in mind
_SPLIT = -(10**18)  # what the table of states says of entities that are looked up elsewhere

Key = str | int | bytes
_Gap = tuple[int, int, bool]


@dataclass
class Finding:
    """One kind of anomaly: ``count`` records (of gaps: versions), of which ``entities``, and the first of them."""

    count: int = 0
    entities: set[Key] = field(default_factory=set)
    examples: list[dict[str, Any]] = field(default_factory=list)

    def add(self, key: Key, count: int = 1, **where: Any) -> None:
        """Count it, and keep it if it is among the first."""
        self.count += count
        self.entities.add(key)
        if len(self.examples) < EXAMPLES:
            self.examples.append({"key": shown(key), **where})

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"count": self.count, "keys": len(self.entities), "examples": self.examples}


def shown(key: Key) -> str:
    """A key as text: bytes that are no text keep their codes."""
    return key.decode(errors="backslashreplace") if isinstance(key, bytes) else str(key)


def audit(
    kafka: Cluster,
    topic: str,
    *,
    key: str,
    version: str,
    since: datetime | None = None,
    first: int = 1,
    progress: Callable[[int, int], None] = lambda done, expected: None,
) -> "Audit":
    """Read ``topic`` to its present end, or what of it is not older than ``since``, and look at every record.

    ``key`` and ``version``: the places of both in a record, see :mod:`eventlab.pitfalls.places`. ``progress`` is told
    how many offsets are behind, and of how many. Raises ValueError for a place that is none, LabError when the topic
    cannot be read, or when no record of it has both.
    """
    takes = taker(key, str | int), taker(version, int)
    scan = Scan(kafka, topic, since)
    looked = Audit(scan.partitions, *takes, first=first, from_middle=since is not None)
    for batch in scan:
        looked.look(batch)
        progress(scan.done, scan.expected)
        if looked.unreadable.count >= BATCH:
            _check_places(topic, looked)
    _check_places(topic, looked)
    looked.finish()
    return looked


def _check_places(topic: str, looked: "Audit") -> None:
    if looked.unreadable.count and not looked.keys:
        example = looked.unreadable.examples[0]
        raise LabError(
            f"No record of {topic} has both a key and a version where you say, for example "
            f"[{example['partition']}] offset {example['offset']}: {example['why']}."
        )


class Audit:
    """Looks at records of ``partitions`` partitions, batch by batch; what it finds is complete after ``finish``.

    - ``inversions``: records that come after a later version of their entity on the same partition, for the first time.
    - ``duplicates``: records whose version was there before.
    - ``gaps``: versions that never come although later ones do; a story begins at ``first``. With ``from_middle`` the
      topic is not looked at from its beginning, and what lies before the first record of an entity is no gap.
    - ``split``: entities with records on several partitions, between which there is no order.
    - ``unreadable``: records without key or version; what has no value at all (a tombstone) is only counted.

    Of an entity whose events come in order nothing is kept but its last version; of others up to ``MOST_GAPS`` gaps,
    and one version for each of its partitions. When an entity has more gaps at once, the oldest counts as never closed,
    and what closes it as a duplicate.
    """

    def __init__(self, partitions: int, key: Take, version: Take, first: int = 1, from_middle: bool = False) -> None:
        self._partitions, self._key, self._version = partitions, key, version
        self._first, self._from_middle = first, from_middle
        # The state of an entity is ``version * partitions + partition``: the next version on the same partition is
        # found by one addition.
        self._states: dict[Key, int] = {}
        self._lanes: dict[Key, dict[int, int]] = {}
        # First and last version, and whether they are missed for certain.
        self._missing: dict[Key, list[_Gap]] = {}
        self.records = self.tombstones = 0
        self.inversions, self.duplicates, self.gaps = Finding(), Finding(), Finding()
        self.split, self.unreadable = Finding(), Finding()

    @property
    def keys(self) -> int:
        """How many entities there are."""
        return len(self._states)

    @property
    def findings(self) -> dict[str, Finding]:
        """By name."""
        return {name: getattr(self, name) for name in ("inversions", "gaps", "duplicates", "split", "unreadable")}

    @property
    def clean(self) -> bool:
        """Whether there is no finding at all."""
        return not any(finding.count for finding in self.findings.values())

    def look(self, batch: Sequence[Message]) -> None:
        """At the next records of the topic: each partition in its order."""
        self.records += len(batch)
        if None in map(Message.value, batch):
            alive = [message for message in batch if message.value() is not None]
            self.tombstones += len(batch) - len(alive)
            batch = alive
        states, partitions = self._states, self._partitions
        for key, version, partition, offset in self._read(batch):
            before = states.get(key)
            state = version * partitions + partition
            if before is not None and before + partitions == state:
                states[key] = state
            else:
                self._look_closer(key, version, partition, offset, before)

    def _read(self, batch: Sequence[Message]) -> Iterable[tuple[Key, int, int, int]]:
        try:
            keys, versions = self._key(batch), self._version(batch)
        except Unreadable as error:
            if len(batch) == 1:
                self._cannot_read(batch[0].partition(), batch[0].offset(), str(error))
                return ()
        else:
            return zip(keys, versions, map(Message.partition, batch), map(Message.offset, batch), strict=True)
        middle = len(batch) // 2
        return chain(self._read(batch[:middle]), self._read(batch[middle:]))

    def _cannot_read(self, partition: int, offset: int, why: str) -> None:
        self.unreadable.count += 1
        if len(self.unreadable.examples) < EXAMPLES:
            self.unreadable.examples.append({"partition": partition, "offset": offset, "why": why})

    def _look_closer(self, key: Key, version: int, partition: int, offset: int, before: int | None) -> None:
        """At a record that is not just the next version of its entity on the same partition."""
        if version < self._first:
            why = f"its version, {version}, is before the first, {self._first}"
            return self._cannot_read(partition, offset, why)
        where = {"version": version, "partition": partition, "offset": offset}
        if before is None:
            self._states[key] = version * self._partitions + partition
            if version > self._first:
                self._miss(key, (self._first, version - 1, not self._from_middle))
            return None
        lanes = self._lanes_of(key, before, partition)
        latest, on_this_partition = max(lanes.values()), lanes.get(partition, version)
        if version > latest + 1:
            self._miss(key, (latest + 1, version - 1, True))
        if version <= latest and not self._found(key, version):
            self.duplicates.add(key, **where)
        elif version < on_this_partition:
            self.inversions.add(key, after=on_this_partition, **where)
        lanes[partition] = max(version, on_this_partition)
        if len(lanes) == 1:
            self._states[key] = lanes[partition] * self._partitions + partition
        return None

    def _lanes_of(self, key: Key, before: int, partition: int) -> dict[int, int]:
        """The last version of an entity on each of its partitions; kept only if there are several."""
        if before == _SPLIT:
            return self._lanes[key]
        latest, home = divmod(before, self._partitions)
        lanes = {home: latest}
        if partition != home:
            self._states[key], self._lanes[key] = _SPLIT, lanes
            self.split.add(key, partitions=[home, partition])
        return lanes

    def _miss(self, key: Key, gap: _Gap) -> None:
        gaps = self._missing.setdefault(key, [])
        gaps.append(gap)
        self._forget(key, gaps)

    def _found(self, key: Key, version: int) -> bool:
        """Whether this version was missing; then it is not any more."""
        gaps = self._missing.get(key, [])
        for place, (first, last, certain) in enumerate(gaps):
            if first <= version <= last:
                rest = [(first, version - 1, certain), (version + 1, last, certain)]
                gaps[place : place + 1] = [gap for gap in rest if gap[0] <= gap[1]]
                self._forget(key, gaps)
                return True
        return False

    def _forget(self, key: Key, gaps: list[_Gap]) -> None:
        """What need not be kept in mind, or cannot be."""
        if len(gaps) > MOST_GAPS:
            self._never_closed(key, gaps.pop(0))
        if not gaps:
            del self._missing[key]

    def _never_closed(self, key: Key, gap: _Gap) -> None:
        first, last, certain = gap
        if certain:
            self.gaps.add(key, last - first + 1, versions=[first, last])

    def finish(self) -> None:
        """Nothing comes any more: what is missing now stays missing."""
        for key, gaps in self._missing.items():
            for gap in gaps:
                self._never_closed(key, gap)
        self._missing.clear()
