"""What is missing from a log, is there twice, or contradicts itself."""

from eventlab.pitfalls.history import History
from eventlab.pitfalls.record import Fact, Place, Record


def lost_writes(history: History) -> list[Fact]:
    """Facts that were acknowledged and that nobody read, although readers went past their place."""
    return _missing(history, passed=True)


def unseen(history: History) -> list[Fact]:
    """Facts that were acknowledged and that nobody read yet: they may still come, since no reader got that far."""
    lost = set(lost_writes(history))
    return [fact for fact in _missing(history, passed=False) if fact not in lost]


def _missing(history: History, passed: bool) -> list[Fact]:
    found = {
        attempt.fact: None
        for attempt in history.sent
        if attempt.status == "ok" and attempt.fact not in history.places and history.passed(attempt) == passed
    }
    return list(found)


def duplicates(history: History) -> list[Record]:
    """Records that hold the very fact which another one held before: same version, same words, same producer.

    The same record read again is no duplicate, see ``nonmonotonic_polls``; the same version with other contents is not
    either, see ``conflicting_versions``.
    """
    known: dict[Fact, set[Place]] = {}
    wrong = []
    for record in history.read:
        places = known.setdefault(record.fact, set())
        if places and record.place not in places:
            wrong.append(record)
        places.add(record.place)
    return wrong


def repeats(history: History) -> list[Record]:
    """Records that a reader took although it had taken the same fact before: delivered again, or there twice.

    For a reader that keeps what it took, such as a view, each of them counts once too often.
    """
    taken: set[tuple[str, Fact]] = set()
    wrong = []
    for record in history.read:
        who = (record.reader, record.fact)
        if who in taken:
            wrong.append(record)
        taken.add(who)
    return wrong


def inconsistent_offsets(history: History) -> list[Fact]:
    """Facts at a place of which an acknowledgement or an earlier reader said that it holds another one."""
    said: dict[Place, Fact] = {}
    wrong: dict[tuple[Place, Fact], None] = {}
    acknowledged = [(attempt.place, attempt.fact) for attempt in history.sent if attempt.place is not None]
    for place, fact in acknowledged + [(record.place, record.fact) for record in history.read]:
        if said.setdefault(place, fact) != fact:
            wrong[place, fact] = None
    return [fact for _, fact in wrong]


def conflicting_versions(history: History) -> list[Record]:
    """Records that give a version of an entity to another fact than the one which was read first with it."""
    first: dict[str, Fact] = {}
    wrong: dict[Fact, Record] = {}
    for record in history.read:
        if first.setdefault(record.id, record.fact) != record.fact:
            wrong.setdefault(record.fact, record)
    return list(wrong.values())


def version_gaps(history: History) -> list[Record]:
    """Records whose entity's version before theirs nobody read. A story begins at version 1; its end is open."""
    read = {(record.key, record.version) for record in history.read}
    wrong: dict[str, Record] = {}
    for record in history.read:
        if record.version > 1 and (record.key, record.version - 1) not in read:
            wrong.setdefault(record.id, record)
    return list(wrong.values())
