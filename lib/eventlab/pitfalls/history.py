"""What the checkers judge: what producers sent, with what they know of its fate, and what readers saw."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from eventlab.pitfalls.record import Fact, Place, Record

Status = Literal["ok", "fail", "unknown"]


@dataclass(frozen=True, slots=True)
class Sent:
    """One attempt to write ``fact``, and what its producer knows of it.

    ``status``: ``ok``, acknowledged (in a transaction: and the commit was); ``fail``, certainly not written (refused,
    or its transaction was aborted); ``unknown``, everything else. A timeout is unknown: the record may be there, or
    come later. ``partition`` and ``offset`` are what the acknowledgement said, if one came. ``transaction`` names the
    transaction; it is empty outside one. ``seen`` is the version of the entity that its producer knew of when it
    decided on this fact: in an event store, the expected version.
    """

    fact: Fact
    status: Status
    partition: int | None = None
    offset: int | None = None
    transaction: str = ""
    seen: int | None = None

    @property
    def place(self) -> Place | None:
        """Where the broker said that it put the fact."""
        return None if self.partition is None or self.offset is None else (self.partition, self.offset)


@dataclass(frozen=True)
class History:
    """All that was sent, in the order of sending, and all that was read, in the order of reading.

    A history of which only the readers' side is known has nothing ``sent``: so is every topic of somebody else.
    ``to_end``: the readers together got to the end of every partition, so what they did not see is not there. Without
    it, only what lies before something that was read can be missed.
    """

    read: tuple[Record, ...]
    sent: tuple[Sent, ...] = ()
    to_end: bool = True

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Every entity that was written to or read, in the order of first mention."""
        return tuple(dict.fromkeys([attempt.fact.key for attempt in self.sent] + [record.key for record in self.read]))

    @cached_property
    def places(self) -> Mapping[Fact, set[Place]]:
        """Where each fact that was read lies."""
        found: dict[Fact, set[Place]] = {}
        for record in self.read:
            found.setdefault(record.fact, set()).add(record.place)
        return found

    @cached_property
    def attempts(self) -> Mapping[Fact, Sequence[Sent]]:
        """The attempts to write each fact."""
        found: dict[Fact, list[Sent]] = {}
        for attempt in self.sent:
            found.setdefault(attempt.fact, []).append(attempt)
        return found

    @cached_property
    def _furthest(self) -> Mapping[int, int]:
        found: dict[int, int] = defaultdict(lambda: -1)
        for record in self.read:
            found[record.partition] = max(found[record.partition], record.offset)
        return found

    def passed(self, attempt: Sent) -> bool:
        """Whether somebody read up to where ``attempt`` went, or past it: then it was read, or it is not there."""
        return self.to_end or (attempt.place is not None and attempt.place[1] <= self._furthest[attempt.place[0]])

    def reread(self, records: "tuple[Record, ...]") -> "History":
        """The same history, read in another order: ``order`` is counted again."""
        return replace(self, read=tuple(replace(record, order=order) for order, record in enumerate(records)))
