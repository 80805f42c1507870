"""What can be wrong with a history: each checker gives the facts that are wrong, those that were read first.

Most ask nothing but what a reader saw. A record that never came is not out of order.
"""

from collections.abc import Callable, Sequence

from eventlab.pitfalls.history import History
from eventlab.pitfalls.record import Fact, Record

Checker = Callable[[History], Sequence[Fact]]


def inversions(history: History) -> list[Record]:
    """Records read after a later version of the same key."""
    latest: dict[str, int] = {}
    wrong = []
    for record in history.read:
        if record.version < latest.get(record.key, record.version):
            wrong.append(record)
        else:
            latest[record.key] = record.version
    return wrong


def causal_inversions(history: History) -> list[Record]:
    """Effects read before their cause."""
    first: dict[str, int] = {}
    for place, record in enumerate(history.read):
        first.setdefault(record.id, place)
    return [record for place, record in enumerate(history.read) if first.get(record.cause, place) > place]


def strays(history: History) -> list[Record]:
    """Records that lie on another partition than the first one of their key."""
    home: dict[str, int] = {}
    return [record for record in history.read if record.partition != home.setdefault(record.key, record.partition)]
