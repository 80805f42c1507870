"""A statement reissued: what the customer has in hand, what is known now, and the difference line by line."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal

from msgspec import Struct

from eventlab.domain.money import Money
from eventlab.domain.statements import Statement, StatementLine


class ReissuedLine(Struct, frozen=True, gc=False):
    """A booking on either statement: its balance on the one that was sent and on the new one; None: not on it."""

    line: StatementLine
    before: Money | None
    after: Money | None

    @property
    def change(self) -> Literal["", "new", "gone", "balance"]:
        """What differs: the line itself is ``new`` or ``gone``, only its ``balance`` is another, or nothing."""
        if self.before is None:
            return "new"
        if self.after is None:
            return "gone"
        return "" if self.before == self.after else "balance"

    def __str__(self) -> str:
        line = f"{self.line.on} {self.line.text}, {self.line.amount}"
        match self.change:
            case "":
                return line
            case "balance":
                return f"{line}: balance {self.before} → {self.after}"
            case change:
                return f"{line}: {change}"


class Reissue(Struct, frozen=True, gc=False):
    """Two statements of one period, and every line of either in its place."""

    before: Statement
    after: Statement
    lines: tuple[ReissuedLine, ...]

    @property
    def changes(self) -> tuple[ReissuedLine, ...]:
        """The lines that differ."""
        return tuple(line for line in self.lines if line.change)

    def __str__(self) -> str:
        ends = [
            f"{name}: {before} → {after}"
            for name, before, after in (
                ("opening", self.before.opening, self.after.opening),
                ("closing", self.before.closing, self.after.closing),
            )
            if before != after
        ]
        return "\n".join([*map(str, self.changes), *ends]) or "nothing differs"


def reissue(before: Statement, after: Statement) -> Reissue:
    """The differences of a statement that was sent and the one that is right as far as is known now.

    A line is the same line when day, text, amount and reference are; its balance may have moved.
    Raises ValueError when the two are not of the same period or currency.
    """
    if (before.first, before.last) != (after.first, after.last):
        raise ValueError(
            f"one statement is of {before.first} to {before.last}, the other of {after.first} to {after.last}: "
            f"compare two of the same period"
        )
    if before.opening.currency != after.opening.currency:
        raise ValueError(f"one statement is in {before.opening.currency}, the other in {after.opening.currency}")
    return Reissue(before, after, tuple(_aligned(before, after)))


def _aligned(before: Statement, after: Statement) -> Iterator[ReissuedLine]:
    sent, new = ([_booking(line) for line in each.lines] for each in (before, after))
    for tag, a, a_end, b, b_end in SequenceMatcher(None, sent, new, autojunk=False).get_opcodes():
        if tag == "equal":
            for old, line in zip(before.lines[a:a_end], after.lines[b:b_end], strict=True):
                yield ReissuedLine(line, old.balance, line.balance)
        else:
            yield from (ReissuedLine(line, line.balance, None) for line in before.lines[a:a_end])
            yield from (ReissuedLine(line, None, line.balance) for line in after.lines[b:b_end])


def _booking(line: StatementLine) -> tuple[object, ...]:
    return line.on, line.text, line.amount, line.reference
