"""What was decided on too little, and what is its own cause."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from eventlab.pitfalls.history import History
from eventlab.pitfalls.record import Fact, Record

_Writer = tuple[str, str]
"""``transaction`` and its name, or ``fact`` and its id."""


def stale_decisions(history: History) -> list[Record]:
    """Facts before which the log holds one of their entity that their producer had not seen when it decided.

    Asks for :attr:`Sent.seen <eventlab.pitfalls.history.Sent.seen>`. An event store refuses such a write.
    """
    seen = {attempt.fact: attempt.seen for attempt in history.sent if attempt.seen is not None}
    before: dict[tuple[str, str], set[int]] = defaultdict(set)
    met: set[tuple[str, Fact]] = set()
    wrong: dict[Fact, Record] = {}
    for record in history.read:
        fact = record.fact
        if (record.reader, fact) in met:
            continue
        met.add((record.reader, fact))
        known = before[record.reader, record.key]
        if fact in seen and any(version in known for version in range(seen[fact] + 1, record.version + 1)):
            wrong.setdefault(fact, record)
        known.add(record.version)
    return list(wrong.values())


def cycles(history: History) -> list[Fact]:
    """Facts of transactions that saw each other's writes, directly or through others: each would have to come first.

    What a transaction saw are the records that were read in it and the causes of what it wrote. A fact outside a
    transaction stands for itself.
    """
    facts = dict.fromkeys([attempt.fact for attempt in history.sent] + [record.fact for record in history.read])
    writer = _writers(history, facts)
    circular = _circular(list(_write_read_edges(history, facts, writer)))
    return [fact for fact in facts if writer[fact.id] in circular or fact.cause == fact.id]


def _circular(edges: Sequence[tuple[_Writer, _Writer]]) -> set[_Writer]:
    """Those who can be reached from themselves, by way of another one."""
    if not edges:
        return set()
    import networkx  # takes its time, and only this checker needs it

    groups = networkx.strongly_connected_components(networkx.DiGraph(edges))
    return set().union(*(group for group in groups if len(group) > 1))


def _writers(history: History, facts: Iterable[Fact]) -> dict[str, _Writer]:
    """Who wrote what: of several attempts, the transaction that did not fail."""
    found: dict[str, _Writer] = {fact.id: ("fact", fact.id) for fact in facts}
    for attempt in sorted(history.sent, key=lambda attempt: attempt.status != "fail"):
        if attempt.transaction:
            found[attempt.fact.id] = ("transaction", attempt.transaction)
    return found


def _write_read_edges(
    history: History, facts: Iterable[Fact], writer: Mapping[str, _Writer]
) -> Iterator[tuple[_Writer, _Writer]]:
    """From who wrote something to who saw it."""
    for fact in facts:
        if fact.cause in writer:
            yield writer[fact.cause], writer[fact.id]
    for record in history.read:
        if record.transaction:
            yield writer[record.id], ("transaction", record.transaction)
