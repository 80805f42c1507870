"""What was read of transactions that should be there as a whole or not at all."""

from eventlab.pitfalls.history import History, Sent
from eventlab.pitfalls.record import Fact, Record


def aborted_reads(history: History) -> list[Record]:
    """Records that were read, and that can only come from attempts which failed or whose transaction was aborted."""
    wrong: dict[Fact, Record] = {}
    for record in history.read:
        attempts = history.attempts.get(record.fact, ())
        possible = [attempt for attempt in attempts if attempt.place == record.place] or attempts
        if possible and all(attempt.status == "fail" for attempt in possible):
            wrong.setdefault(record.fact, record)
    return list(wrong.values())


def torn_transactions(history: History) -> list[Fact]:
    """Facts that nobody read, of transactions of which something else was read. Whatever became of the commit."""
    transactions: dict[str, list[Sent]] = {}
    for attempt in history.sent:
        if attempt.transaction:
            transactions.setdefault(attempt.transaction, []).append(attempt)
    wrong: dict[Fact, None] = {}
    for attempts in transactions.values():
        if any(_was_read(attempt, history) for attempt in attempts):
            missing = [each for each in attempts if history.passed(each) and not _may_have_been_read(each, history)]
            wrong.update(dict.fromkeys(each.fact for each in missing))
    return list(wrong)


def _may_have_been_read(attempt: Sent, history: History) -> bool:
    """Whether a record that was read can be this attempt's."""
    places = history.places.get(attempt.fact, set())
    if attempt.place is not None:
        return attempt.place in places
    return bool(places - {each.place for each in history.attempts[attempt.fact]})


def _was_read(attempt: Sent, history: History) -> bool:
    """Whether a record that was read can be no other's."""
    alone = attempt.place is not None or len(history.attempts[attempt.fact]) == 1
    return alone and _may_have_been_read(attempt, history)
