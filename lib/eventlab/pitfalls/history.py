"""What the checkers judge: what producers sent, with what they know of its fate, and what readers saw."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from eventlab.pitfalls.record import Fact, Record

Status = Literal["ok", "fail", "unknown"]


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt to write ``fact``, and what its producer knows of it.

    ``status``: ``ok``, acknowledged (in a transaction: and the commit was); ``fail``, certainly not written (refused,
    or its transaction was aborted); ``unknown``, everything else. A timeout is unknown: the record may be there, or
    come later. ``partition`` and ``offset`` are what the acknowledgement said, if one came. ``transaction`` names the
    transaction; it is empty outside one.
    """

    fact: Fact
    status: Status
    partition: int | None = None
    offset: int | None = None
    transaction: str = ""


@dataclass(frozen=True)
class History:
    """All that was sent, in the order of sending, and all that was read, in the order of reading.

    A history of which only the reader's side is known has nothing ``sent``: so is every topic of somebody else.
    """

    read: tuple[Record, ...]
    sent: tuple[Sent, ...] = ()

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Every entity that was written to or read, in the order of first mention."""
        return tuple(dict.fromkeys([attempt.fact.key for attempt in self.sent] + [record.key for record in self.read]))

    def reread(self, records: "tuple[Record, ...]") -> "History":
        """The same history, read in another order: ``order`` is counted again."""
        return replace(self, read=tuple(replace(record, order=order) for order, record in enumerate(records)))
