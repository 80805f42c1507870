"""What was sent, stored or read in another order than it should have been.

Several readers are looked at one by one: between two of them there is no order.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict

from eventlab.pitfalls.history import History
from eventlab.pitfalls.record import Fact, Record


def inversions(history: History) -> list[Record]:
    """Records read after a later version of the same key."""
    latest: dict[tuple[str, str], int] = {}
    wrong = []
    for record in history.read:
        who = (record.reader, record.key)
        if record.version < latest.get(who, record.version):
            wrong.append(record)
        else:
            latest[who] = record.version
    return wrong


def causal_inversions(history: History) -> list[Record]:
    """Effects read before their cause. A cause that was never read is not out of order."""
    first: dict[tuple[str, str], int] = {}
    for place, record in enumerate(history.read):
        first.setdefault((record.reader, record.id), place)
    return [
        record for place, record in enumerate(history.read) if first.get((record.reader, record.cause), place) > place
    ]


def strays(history: History) -> list[Record]:
    """Records that lie on another partition than the first one of their key."""
    home: dict[str, int] = {}
    return [record for record in history.read if record.partition != home.setdefault(record.key, record.partition)]


def poll_skips(history: History) -> list[Fact]:
    """Facts that a reader jumped over: it read before and behind them in one go, and they are known to lie between.

    Known are the records that others read, or the same reader at another time, and those that were acknowledged. What
    lies before the first record of a reader was not jumped over.
    """
    known: dict[int, dict[int, Fact]] = defaultdict(dict)
    for attempt in history.sent:
        if attempt.status == "ok" and attempt.place is not None:
            known[attempt.place[0]][attempt.place[1]] = attempt.fact
    for record in history.read:
        known[record.partition][record.offset] = record.fact
    offsets = {partition: sorted(facts) for partition, facts in known.items()}
    at: dict[tuple[str, int], int] = {}
    wrong = {}
    for record in history.read:
        there, partition = offsets[record.partition], record.partition
        before = at.get((record.reader, partition))
        if before is not None:
            for offset in there[bisect_right(there, before) : bisect_left(there, record.offset)]:
                wrong[partition, offset] = known[partition][offset]
        at[record.reader, partition] = record.offset
    return list(wrong.values())


def nonmonotonic_polls(history: History) -> list[Record]:
    """Records that a reader got after it had got them already, or a later one of their partition."""
    furthest: dict[tuple[str, int], int] = {}
    wrong = []
    for record in history.read:
        who = (record.reader, record.partition)
        if record.offset <= furthest.get(who, -1):
            wrong.append(record)
        else:
            furthest[who] = record.offset
    return wrong


def nonmonotonic_sends(history: History) -> list[Fact]:
    """Facts that lie before an earlier one of the same producer, by what was acknowledged."""
    furthest: dict[tuple[str, int], tuple[int, Fact]] = {}
    wrong: dict[Fact, None] = {}
    for attempt in history.sent:
        if attempt.place is None:
            continue
        partition, offset = attempt.place
        before, fact = furthest.get((attempt.fact.producer, partition), (-1, attempt.fact))
        if offset > before:
            furthest[attempt.fact.producer, partition] = (offset, attempt.fact)
        elif (offset, attempt.fact) != (before, fact):  # an idempotent producer that repeats itself is told this twice
            wrong[attempt.fact] = None
    return list(wrong)
