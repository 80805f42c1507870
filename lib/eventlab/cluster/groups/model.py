"""What brokers say of a group: who is in it, and for each partition how far it is and what it cannot have."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

Protocol = Literal["classic", "consumer", "share", "streams"]
IN_WORDS: dict[Protocol, str] = {
    "classic": "classic",
    "consumer": "consumer (KIP-848)",
    "share": "share (KIP-932)",
    "streams": "streams (KIP-1071)",
}


@dataclass(frozen=True, slots=True)
class Member:
    """One consumer of a group, and the partitions that it has now, as topic and number."""

    client: str
    host: str
    partitions: tuple[tuple[str, int], ...]


class Stand(NamedTuple):
    """What a group remembers of a partition: see :class:`Progress`."""

    committed: int | None = None
    left: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a group is in one partition.

    ``committed`` is the offset that it goes on from; None: it committed nothing there, so it will begin where its
    ``auto.offset.reset`` says. ``first`` is the first offset that is left, ``end`` the high watermark, ``stable`` the
    last stable offset: what lies behind it waits for a transaction that is open. ``trouble`` says why these are not
    known. A share group is done with what is before ``committed``, and with single records behind it: there the broker
    itself says how many are ``left`` (KIP-1226).
    """

    topic: str
    partition: int
    committed: int | None
    first: int | None = None
    end: int | None = None
    stable: int | None = None
    left: int | None = None
    trouble: str = ""

    @property
    def lag(self) -> int | None:
        """How many offsets are left; all there are where nothing was committed. None: not known.

        Offsets, not records: transactions and compaction leave some without one.
        """
        if self.first is None or self.end is None:
            return None
        if self.left is not None:
            return self.left
        return max(0, self.end - max(self.first, self.committed or 0))

    @property
    def lost(self) -> int:
        """How many offsets were deleted before the group got there: it will never read them."""
        if self.first is None or self.committed is None:
            return 0
        return max(0, self.first - self.committed)

    @property
    def beyond(self) -> int:
        """How far the group is beyond the end: the topic was made anew, or its end was lost."""
        if self.end is None or self.committed is None:
            return 0
        return max(0, self.committed - self.end)

    @property
    def held(self) -> int:
        """How much of the lag lies behind an open transaction: readers of committed records cannot get there."""
        if self.lag is None or self.end is None or self.stable is None:
            return 0
        return max(0, min(self.lag, self.end - self.stable))

    @property
    def notes(self) -> tuple[str, ...]:
        """What is special about it, in words."""
        said = {
            self.trouble: bool(self.trouble),
            "nothing committed": self.committed is None and not self.trouble,
            f"{self.lost:,} deleted before they were read": self.lost > 0,
            f"{self.beyond:,} beyond the end: is it another topic by now?": self.beyond > 0,
            f"{self.held:,} behind an open transaction": self.held > 0,
        }
        return tuple(note for note, true in said.items() if true)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        names = ("topic", "partition", "committed", "first", "end", "stable", "lag", "lost", "beyond", "held")
        return {**{name: getattr(self, name) for name in names}, "trouble": self.trouble or None}


@dataclass(frozen=True)
class Group:
    """A group as it was ``at`` one moment, in seconds by a clock that never goes back.

    ``state`` is the broker's word for it: ``stable``, ``empty``, …
    """

    name: str
    at: float
    state: str
    protocol: Protocol
    members: tuple[Member, ...]
    progress: tuple[Progress, ...]

    @property
    def lag(self) -> int | None:
        """In all its partitions together. None when it is not known of one of them."""
        known = [each.lag for each in self.progress]
        return None if None in known else sum(lag for lag in known if lag is not None)

    @property
    def done(self) -> int:
        """The offsets that it is past, in all its partitions together: what grows when it works."""
        return sum(each.end - each.lag for each in self.progress if each.end is not None and each.lag is not None)

    @cached_property
    def _owners(self) -> dict[tuple[str, int], Member]:
        return {where: member for member in self.members for where in member.partitions}

    def owner(self, progress: Progress) -> Member | None:
        """Who has this partition now; one of them, in a share group."""
        return self._owners.get((progress.topic, progress.partition))

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "group": self.name,
            "state": self.state,
            "protocol": self.protocol,
            "lag": self.lag,
            "members": [
                {"client": each.client, "host": each.host, "partitions": [list(where) for where in each.partitions]}
                for each in self.members
            ],
            "partitions": [each.as_dict() for each in self.progress],
        }
