"""P21: a reader goes on where it was by the records' times, and the producers' clocks do not agree."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from eventlab.cluster import Kafka
from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.record import Fact, Record
from eventlab.pitfalls.shoppers import interleaved, stories
from eventlab.pitfalls.topics import Writer, read

SHOPPERS = 20
FAST, SLOW = timedelta(minutes=10), timedelta(hours=1)
"""By how much one phone is ahead of the true time, and another one behind: a wrong time zone does the latter."""

_BETWEEN = timedelta(minutes=1)  # from one event to the next, by a true clock
_NEAR = timedelta(
    days=1
)  # how far before the time that it looks for a reader by versions begins: no clock is that wrong

Events = list[tuple[datetime, Fact]]


def run(
    kafka: Kafka,
    *,
    by: Literal["time", "version"] = "time",
    timestamp: Literal["CreateTime", "LogAppendTime"] = "CreateTime",
    fast: timedelta = FAST,
    seed: int = 7,
) -> Result:
    """Shoppers fill their carts on their phones, an event per minute. A report reads at noon, and again at night.

    ``by``: how the second reading tells what is new, by records that are younger than the youngest it has read, or by
    versions that it does not have. ``timestamp``: whose clock counts, the phone's or the broker's. ``fast``: by how
    much one phone is ahead. Raises LabError when the broker refuses a record because of its time.
    """
    topic = kafka.topic("carts", message_timestamp_type=timestamp)
    events = day(seed, fast)
    noon = len(events) // 2
    _write(kafka, topic, events[:noon])
    first = read(kafka, topic)
    _write(kafka, topic, events[noon:])
    new = _younger(kafka, topic, first) if by == "time" else _unknown(kafka, topic, first)
    taken = [replace(record, order=order) for order, record in enumerate([*first, *new])]
    return PITFALL.result(taken, [Sent(fact, "ok") for _, fact in events])


def day(seed: int = 7, fast: timedelta = FAST) -> Events:
    """What the phones send, in the true order, each with the time on the phone's clock."""
    facts = interleaved(stories(SHOPPERS), seed)
    noon = len(facts) // 2
    ahead = facts[noon - 1].key  # the last one before noon, so that the report sees its clock
    behind = next(fact.key for fact in reversed(facts) if fact.key != ahead)
    skew = {ahead: fast, behind: -SLOW}
    begin = datetime.now(UTC) - len(facts) * _BETWEEN
    return [(begin + place * _BETWEEN + skew.get(fact.key, timedelta(0)), fact) for place, fact in enumerate(facts)]


def _write(kafka: Kafka, topic: str, events: Iterable[tuple[datetime, Fact]]) -> None:
    with Writer(kafka) as phones:
        for at, fact in events:
            phones.send(topic, fact, fact.key, at)
            phones.flush()  # a minute lies between two events, so each is a request of its own


def _younger(kafka: Kafka, topic: str, known: Sequence[Record]) -> list[Record]:
    """From the first record that is younger than all ``known``: those that are."""
    latest = max(record.timestamp for record in known)
    return [record for record in read(kafka, topic, since=latest) if record.timestamp > latest]


def _unknown(kafka: Kafka, topic: str, known: Sequence[Record]) -> list[Record]:
    """From somewhere before the youngest of ``known``: the events whose version is higher than what is known."""
    latest = max(record.timestamp for record in known)
    have: dict[str, int] = {}
    for record in known:
        have[record.key] = max(record.version, have.get(record.key, 0))
    return [record for record in read(kafka, topic, since=latest - _NEAR) if record.version > have.get(record.key, 0)]


PITFALL = Pitfall(
    id="P21",
    hypothesis="A reader that goes on from the youngest time it has seen jumps over events of clocks that are behind.",
    workload=f"{SHOPPERS} shoppers with a phone each, two of which tell the wrong time; a report that reads twice",
    metric=lost_writes,
    unit="carts have events that the report never got",
    run=run,
    broken={"by": "time"},
    cured={"by": "version"},
    seed=7,
    budget=5,
    brokers=1,
    sources=(
        "https://github.com/laminardb/laminardb/pull/388",
        "https://github.com/redpanda-data/redpanda/issues/4035",
        "https://github.com/apache/kafka/pull/13709",
    ),
)
