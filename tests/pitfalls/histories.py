"""Histories as a reader may see them, made without a broker."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import strategies as st

from eventlab.pitfalls.history import History, Sent
from eventlab.pitfalls.record import Fact, Place, Record

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PARTITIONS = 3


def history(*entries: tuple) -> History:
    """Records read in this order, each given as key, version and perhaps partition and milliseconds after noon."""
    return History(tuple(_record(order, *entry) for order, entry in enumerate(entries)))


def _record(order: int, key: str, version: int, partition: int = 0, ms: int = 0, cause: str = "") -> Record:
    at = NOON + timedelta(milliseconds=ms)
    return read(fact(key, version, cause=cause), (partition, order), order=order, timestamp=at)


def fact(key: str, version: int, producer: str = "shop", cause: str = "", label: str = "added") -> Fact:
    return Fact(key, version, "ItemAdded", label, producer, cause)


def read(fact: Fact, place: Place, reader: str = "", **more: object) -> Record:
    """``fact`` as it is read at ``place``."""
    return Record(
        **{name: getattr(fact, name) for name in ("key", "version", "type", "label", "producer", "cause")},
        partition=place[0],
        offset=place[1],
        reader=reader,
        **{"order": 0, "timestamp": NOON, **more},
    )


def reread(records: Iterable[Record]) -> History:
    """The same records in the order given."""
    return history(*((record.key, record.version, record.partition, 0, record.cause) for record in records))


def plant(clean: History, *records: Record, sent: Iterable[Sent] = ()) -> History:
    """``clean``, with more sent and more read at its end."""
    return replace(clean, read=(*clean.read, *records), sent=(*clean.sent, *sent)).reread((*clean.read, *records))


def without(clean: History, fact: Fact) -> History:
    """``clean``, as if nobody had read ``fact``."""
    return clean.reread(tuple(record for record in clean.read if record.fact != fact))


def end(clean: History, partition: int) -> Place:
    """A place that nothing of ``clean`` has, behind all that was sent to or read from ``partition``."""
    taken = [attempt.place for attempt in clean.sent if attempt.place] + [record.place for record in clean.read]
    return partition, 1 + max((offset for other, offset in taken if other == partition), default=0)


@dataclass
class _Log:
    """A cluster that does what it promises: what producers are told is true, and readers get what was committed."""

    ends: list[int] = field(default_factory=lambda: [0] * PARTITIONS)
    visible: dict[Place, Fact] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    names: "count[int]" = field(default_factory=lambda: count(1))

    def write(self, facts: list[Fact], transactional: bool, status: str, there: bool, told: bool) -> None:
        """``facts`` get offsets; they are visible if they are ``there``; ``told``: the producer knows the offsets."""
        transaction = f"transaction-{next(self.names)}" if transactional else ""
        for each in facts:
            partition = home(each.key)
            place = (partition, self.ends[partition])
            appended = there or transactional  # what is aborted has its offsets, and nobody sees it
            if appended:
                self.ends[partition] += 1
            if there:
                self.visible[place] = each
            known = place if appended and told else (None, None)
            self.sent.append(Sent(each, status, *known, transaction, seen=each.version - 1))
        if transactional:
            for partition in {home(each.key) for each in facts}:
                self.ends[partition] += 1  # the mark of the commit or abort


def home(key: str) -> int:
    """The partition of an entity."""
    return int(key.rpartition("-")[2]) % PARTITIONS


@st.composite
def clean_histories(draw: st.DrawFn, readers: int | None = None, to_end: bool = True) -> History:
    """Several producers write several entities, alone or in transactions, and one or two readers read along.

    Each entity is on one partition and in the order of its versions; each version but the first has the one before it
    as its cause. Attempts succeed, or fail and are made again, or it is unknown what became of them: then nothing
    more is written to their entities. ``to_end``: every reader gets to the end; else each stops where it likes.
    """
    log = _Log()
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    turns = draw(st.permutations([number for number, length in enumerate(lengths) for _ in range(length)]))
    versions, stopped = [0] * len(lengths), set()
    while turns:
        size = draw(st.integers(1, 3))
        unit, turns = turns[:size], turns[size:]
        transactional = draw(st.booleans())
        for asked in [unit] if transactional else [[number] for number in unit]:
            together = [number for number in asked if number not in stopped]
            producer = draw(st.sampled_from(["shop", "app"]))
            facts = []
            for number in together:
                key = f"cart-{number}"
                cause = f"{key}/{versions[number]}" if versions[number] else ""
                versions[number] += 1
                facts.append(fact(key, versions[number], producer, cause))
            fate = draw(st.sampled_from(["ok", "ok", "fail", "there", "not there"]))
            told = draw(st.booleans())
            if fate == "fail":
                log.write(facts, transactional, "fail", there=False, told=told)
            if fate in ("there", "not there"):
                log.write(facts, transactional, "unknown", there=fate == "there", told=told)
                stopped.update(together)
            else:
                log.write(facts, transactional, "ok", there=True, told=draw(st.booleans()))
    readings = [
        _reading(draw, log, f"reader-{number}", to_end)
        for number in range(readers if readers is not None else draw(st.integers(1, 2)))
    ]
    whose = draw(st.permutations([reading for reading in readings for _ in reading]))
    records = tuple(reading.pop(0) for reading in whose)
    return History(records, tuple(log.sent), to_end).reread(records)


def _reading(draw: st.DrawFn, log: _Log, reader: str, to_end: bool) -> list[Record]:
    """What one reader reads: each partition in its order, all of them at the same time."""
    lanes = [
        [read(what, place, reader) for place, what in log.visible.items() if place[0] == partition]
        for partition in range(PARTITIONS)
    ]
    if not to_end:
        lanes = [lane[: draw(st.integers(0, len(lane)))] for lane in lanes]
    transaction = draw(st.sampled_from(["", f"{reader}-transaction"]))
    which = draw(st.permutations([number for number, lane in enumerate(lanes) for _ in lane]))
    return [replace(lanes[number].pop(0), transaction=transaction) for number in which]
