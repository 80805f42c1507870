"""The command ``eventlab check``: an audit of a topic of yours. It reads, and writes nothing anywhere."""

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from eventlab import cluster
from eventlab.cluster import Kafka, LabError
from eventlab.pitfalls.audit import Audit, audit

_FOUND, _COULD_NOT = 1, 2
_PLACES = "PLACE is key (that of the record), header:NAME, or a path into a JSON value: $.order.id"
_SAID = {
    "inversions": "{count} records come after a later version of their entity ({keys} entities)",
    "gaps": "{count} versions are missing ({keys} entities)",
    "duplicates": "{count} records have a version that was there before ({keys} entities)",
    "split": "{count} entities are on several partitions, between which there is no order",
    "unreadable": "{count} records have no key or no version",
}
_SHOWN = 3  # examples of each, for people


class _Time(click.ParamType[datetime]):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time; write 2026-11-23 or 2026-11-23T08:30+01:00.", param, ctx)
        return time if time.tzinfo else time.replace(tzinfo=UTC)


@click.command("check", epilog=_PLACES)
@click.argument("topic")
@click.option("--key", metavar="PLACE", default="key", show_default=True, help="What names the entity.")
@click.option("--version", metavar="PLACE", required=True, help="What counts the entity's events.")
@click.option(
    "--first", default=1, show_default=True, type=click.IntRange(0), help="The version that a story begins at."
)
@click.option("--since", type=_Time(), help="Leave out records that are older (ISO 8601; UTC unless it says a zone).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check_command(topic: str, key: str, version: str, first: int, since: datetime | None, as_json: bool) -> None:
    """Audit TOPIC: which entities' events are missing, doubled or out of order.

    Reads what the topic holds now, on the lab's brokers or yours (EVENTLAB_KAFKA), in no consumer group.
    Exit code 0 when all is well, 1 when something was found, 2 when the topic cannot be audited.
    """
    began = time.perf_counter()
    try:
        found = _watched(cluster.running(), topic, key=key, version=version, since=since, first=first)
        if not found.records:
            young = "" if since is None else f", none since {since.isoformat()}"
            raise LabError(f"{topic} has no record to look at{young}; what it held may have been deleted.")
    except LabError as error:
        click.echo(f"eventlab: {error}", err=True)
        sys.exit(_COULD_NOT)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    told = _told(topic, found, time.perf_counter() - began)
    click.echo(json.dumps(told) if as_json else _in_words(told))
    sys.exit(0 if found.clean else _FOUND)


def _watched(kafka: Kafka, topic: str, **what: Any) -> Audit:
    """The audit, with a progress bar for those who sit before a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(topic, total=None)
        return audit(
            kafka, topic, progress=lambda done, expected: bar.update(task, completed=done, total=expected), **what
        )


def _told(topic: str, found: Audit, seconds: float) -> dict[str, Any]:
    return {
        "topic": topic,
        "records": found.records,
        "keys": found.keys,
        "tombstones": found.tombstones,
        "seconds": round(seconds, 3),
        "clean": found.clean,
        **{name: finding.as_dict() for name, finding in found.findings.items()},
    }


def _in_words(told: dict[str, Any]) -> str:
    lines = [f"{told['topic']}: {told['records']:,} records of {told['keys']:,} entities, in {told['seconds']:.1f} s."]
    if told["clean"]:
        return f"{lines[0]} Nothing is missing, doubled or out of order."
    for name, words in _SAID.items():
        finding = told[name]
        if finding["count"]:
            lines.append(
                f"{name}: {words.format(count=format(finding['count'], ','), keys=format(finding['keys'], ','))}"
            )
            lines += [f"  {_example(example)}" for example in finding["examples"][:_SHOWN]]
    return "\n".join(lines)


def _example(example: dict[str, Any]) -> str:
    rest = ", ".join(f"{name} {value}" for name, value in example.items() if name != "key")
    return f"{example['key']}: {rest}" if "key" in example else rest
