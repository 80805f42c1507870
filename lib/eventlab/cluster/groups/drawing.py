"""Groups for people: a line for each, and under it a row for each of its partitions."""

from collections.abc import Mapping, Sequence

from rich import console
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from eventlab.cluster.groups.model import IN_WORDS, Group, Member
from eventlab.cluster.pace import Pace

_UNKNOWN = "?"


def drawn(found: Sequence[Group], paces: Mapping[str, Pace], late: Sequence[str] = ()) -> RenderableType:
    """``paces`` of those that were looked at before; ``late`` are those that do not keep up."""
    if not found:
        return Text("There are no groups that you may see.")
    return console.Group(
        *(each for group in found for each in _group(group, paces.get(group.name), group.name in late))
    )


def _group(group: Group, pace: Pace | None, late: bool) -> list[RenderableType]:
    members = "1 member" if len(group.members) == 1 else f"{len(group.members)} members"
    behind = f"{_number(group.lag)} behind" if pace is None else str(pace)
    head = Text.assemble((group.name, "bold"), f"  {IN_WORDS[group.protocol]} · {group.state} · {members} · {behind}")
    if late:
        head.append("  does not keep up", "bold red")
    if not group.progress:
        return [head, Text("no partition, and nothing committed"), Text()]
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("topic", no_wrap=True)
    for name in ("partition", "committed", "end", "lag"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("member", no_wrap=True)
    table.add_column("")
    for each in group.progress:
        owner = group.owner(each)
        table.add_row(
            each.topic,
            str(each.partition),
            "–" if each.committed is None else f"{each.committed:,}",
            _number(each.end),
            _number(each.lag),
            _named(owner) if owner else "–",
            "; ".join(each.notes),
        )
    for member in group.members:
        if not member.partitions:
            table.add_row("–", "", "", "", "", _named(member), "has no partition")
    return [head, table, Text()]


def _named(member: Member) -> str:
    return f"{member.client}@{member.host}"


def _number(number: int | None) -> str:
    return _UNKNOWN if number is None else f"{number:,}"
