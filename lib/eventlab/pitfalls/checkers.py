"""What can be wrong with a history: each checker takes records in the order of reading and gives those that are wrong.

They ask nothing but what a reader saw. A record that never came is not out of order.
"""

from collections.abc import Callable, Sequence

from eventlab.pitfalls.record import Record

Checker = Callable[[Sequence[Record]], list[Record]]


def inversions(records: Sequence[Record]) -> list[Record]:
    """Records read after a later version of the same key."""
    latest: dict[str, int] = {}
    wrong = []
    for record in records:
        if record.version < latest.get(record.key, record.version):
            wrong.append(record)
        else:
            latest[record.key] = record.version
    return wrong


def causal_inversions(records: Sequence[Record]) -> list[Record]:
    """Effects read before their cause."""
    first: dict[str, int] = {}
    for place, record in enumerate(records):
        first.setdefault(record.id, place)
    return [record for place, record in enumerate(records) if first.get(record.cause, place) > place]


def strays(records: Sequence[Record]) -> list[Record]:
    """Records that lie on another partition than the first one of their key."""
    home: dict[str, int] = {}
    return [record for record in records if record.partition != home.setdefault(record.key, record.partition)]
