"""From statement entries to account events, each with an id that the same entry gets in every file that has it."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from uuid import UUID, uuid5

from eventlab.domain.account import (
    BalanceBroughtForward,
    Corrected,
    Deposited,
    FeeCharged,
    InterestCredited,
    TransferReceived,
    TransferSent,
    Withdrawn,
)
from eventlab.domain.account import Booking as BookingEvent
from eventlab.events.envelope import NewEvent
from eventlab.inputs.statement_file import Balance, Entry

# The namespace of all ids made here, so that they are the same on every machine.
NAMESPACE = UUID("6b1f0f0e-2c1a-5d3e-9a59-5f2f4f6a6d21")

Key = tuple[str, ...]


def booking(entry: Entry) -> BookingEvent:
    """The event that the entry stands for."""
    amount, on, text, value = entry.amount, entry.booked, entry.text, entry.value_date
    size = amount if amount.minor > 0 else -amount
    incoming = amount.minor > 0
    whole = ": ".join(part for part in (entry.counterparty, text) if part)
    match entry.kind:
        case "correction":
            return Corrected(amount, on, whole or "reversed by the bank", entry.reference, entry.reference, value)
        case "transfer" if incoming:
            return TransferReceived(size, on, entry.counterparty, text, entry.reference, value)
        case "transfer":
            return TransferSent(size, on, entry.counterparty, text, entry.reference, value)
        case "fee" | "interest" if not incoming:  # interest that the customer pays is a fee to them
            return FeeCharged(size, on, whole, entry.reference, value)
        case "interest":
            return InterestCredited(size, on, whole, entry.reference, value)
        case _ if incoming:
            return Deposited(size, on, whole, entry.reference, value)
        case _:
            return Withdrawn(size, on, whole, entry.reference, value)


def key(account: str, entry: Entry) -> Key:
    """What makes the entry itself: day, amount and the bank's id; where there is none, all that it says."""
    day, amount = entry.booked.isoformat(), str(entry.amount)
    if entry.bank_id:
        return account, day, amount, "id", entry.bank_id
    said = (entry.reference, entry.counterparty, entry.text)
    return account, day, amount, "text", *(" ".join(text.split()).casefold() for text in said)


def event_id(key: Key, occurrence: int) -> UUID:
    """The id of the ``occurrence``-th entry (1, 2, …) with this key: two coffees on one day are two entries."""
    return uuid5(NAMESPACE, json.dumps([*key, occurrence], ensure_ascii=False))


def numbered(account: str, entries: Iterable[Entry], stored: Callable[[Key], int]) -> list[tuple[Entry, UUID]]:
    """The entries with their ids, counted per key on top of the ``stored`` number of them."""
    count: Counter[Key] = Counter()
    found = []
    for entry in entries:
        what = key(account, entry)
        count[what] += 1
        found.append((entry, event_id(what, stored(what) + count[what])))
    return found


def booked_event(entry: Entry, id: UUID, file: str) -> NewEvent:  # noqa: A002 (the word of the field)
    """The event of an entry, valid from the begin of its booking day in UTC: statements know days, not hours."""
    where = {"file": file, "where": entry.where} | ({"bank_id": entry.bank_id} if entry.bank_id else {})
    return NewEvent(booking(entry), id, begin(entry.booked), metadata=where)


def brought_forward(account: str, opening: Balance, file: str) -> NewEvent:
    """The event in front of the first statement of an account."""
    event = BalanceBroughtForward(opening.amount, opening.on)
    return NewEvent(event, event_id((account, "opening"), 1), begin(opening.on), metadata={"file": file})


def begin(day: date) -> datetime:
    """The first moment of a day, in UTC."""
    return datetime.combine(day, time(), UTC)
