"""The command ``eventlab groups``: who reads what on a cluster, how far everybody is, and whether they keep up."""

import json
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.console import Group as Together
from rich.live import Live
from rich.text import Text

from eventlab import cluster
from eventlab.cluster.errors import LabError
from eventlab.cluster.groups.asking import Groups
from eventlab.cluster.groups.drawing import drawn
from eventlab.cluster.groups.keeping_up import Paces
from eventlab.cluster.groups.model import Group
from eventlab.cluster.pace import Pace

_LATE, _COULD_NOT = 1, 2
_EVERY_SECONDS = 1.0
_WIDE = 300  # columns, where no terminal sets an end: a group's line stays one line


@click.command("groups")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--once", is_flag=True, help="Show it once, also on a terminal.")
@click.option(
    "--over", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Look twice, so far apart."
)
@click.option("--max-lag", type=click.IntRange(min=0), metavar="N", help="Exit code 1 if a group is farther behind.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def groups_command(names: tuple[str, ...], once: bool, over: float | None, max_lag: int | None, as_json: bool) -> None:
    """Show consumer groups and share groups: their members, and how far they are behind in each partition.

    All groups of the lab's brokers or yours (EVENTLAB_KAFKA), or those with a NAME ('shop.*' is a pattern). On a
    terminal it goes on until Ctrl-C. With --over or --max-lag it looks after them: exit code 0 when every group is at
    most N records behind (none, unless told otherwise) or was seen to keep up, 1 when one does not, 2 when that cannot
    be told.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDE)
    checks = over is not None or max_lag is not None
    try:
        groups, paces = Groups(cluster.running()), Paces()
        found = groups.look(names)
        pace = paces.see(found)
        if checks or once or as_json or not console.is_terminal:
            if over is not None:
                time.sleep(over)
                found = groups.look(names)
                pace = paces.see(found)
            late = [each.name for each in found if not keeps_up(each, pace.get(each.name), max_lag or 0)]
            if groups.unheard:
                click.echo(f"eventlab: {groups.unheard}", err=True)
            if as_json:
                click.echo(json.dumps(_told(found, pace, late if checks else None)))
            else:
                console.print(drawn(found, pace, late if checks else ()))
            sys.exit(verdict(found, late, groups.unheard) if checks else 0)
        _live(console, groups, names, paces, drawn(found, pace))
    except LabError as error:
        click.echo(f"eventlab: {error}", err=True)
        sys.exit(_COULD_NOT)
    except KeyboardInterrupt:
        sys.exit(0)


def _live(console: Console, groups: Groups, names: Sequence[str], paces: Paces, shown: RenderableType) -> None:
    """Until Ctrl-C. Brokers that do not answer for a while are news, no reason to stop."""
    with Live(shown, console=console, auto_refresh=False) as live:
        while True:
            live.refresh()
            time.sleep(_EVERY_SECONDS)
            try:
                found = groups.look(names)
                shown = drawn(found, paces.see(found))
                live.update(Together(shown, Text(groups.unheard, style="bold red")))
            except LabError as error:
                live.update(Together(shown, Text(str(error), style="bold red")))


def keeps_up(group: Group, pace: Pace | None, allowed: int) -> bool:
    """Whether a group is at most ``allowed`` behind, or was seen to keep up."""
    if group.lag is None:
        return False
    return group.lag <= allowed or (pace is not None and pace.keeps_up(allowed))


def verdict(found: Sequence[Group], late: Collection[str], unheard: str = "") -> int:
    """The exit code: what is certain comes before what cannot be told."""
    if any(each.lag is not None for each in found if each.name in late):
        return _LATE
    return _COULD_NOT if late or unheard else 0


def _told(found: Sequence[Group], paces: Mapping[str, Pace], late: Sequence[str] | None) -> dict[str, Any]:
    told = []
    for group in found:
        pace = paces.get(group.name)
        checked = {} if late is None else {"keeps_up": group.name not in late}
        told.append({**group.as_dict(), "pace": pace and pace.as_dict(), **checked})
    return {"groups": told} if late is None else {"groups": told, "keeps_up": not late}
