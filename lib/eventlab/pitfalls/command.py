"""The command ``eventlab pitfall``: the catalogue, and its experiments on live brokers."""

import json
import sys
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from eventlab import cluster
from eventlab.pitfalls import gallery


@click.group("pitfall")
def pitfall_command() -> None:
    """Run the experiments: how events get lost, doubled and out of order, and the cures."""


@pitfall_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per pitfall.")
def list_pitfalls(as_json: bool) -> None:
    """Show what there is."""
    for entry in gallery.gallery().values():
        if as_json:
            known = {"id": entry.id, "hypothesis": entry.hypothesis, "workload": entry.workload, "unit": entry.unit}
            arms = {"broken": dict(entry.broken), "cured": dict(entry.cured)}
            needs = {"seed": entry.seed, "budget": entry.budget, "brokers": entry.brokers}
            click.echo(json.dumps({**known, **arms, **needs, "sources": list(entry.sources)}))
        else:
            click.echo(f"{entry.id:4} {entry.hypothesis}")


@pitfall_command.command("run")
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--all", "every", is_flag=True, help="All of them.")
@click.option("--repeat", type=click.IntRange(min=1), default=1, show_default=True, help="Trials of each.")
@click.option("--seed", type=int, help="Of the first trial; the next has one more. Default: the pitfall's own.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per pitfall.")
def run_pitfalls(ids: tuple[str, ...], every: bool, repeat: int, seed: int | None, as_json: bool) -> None:
    """Run pitfalls in both arms, broken and cured, on live brokers: `eventlab pitfall run P5 P6`.

    Exit code 0 when each trial showed the anomaly and its cure, 1 when one did not.
    """
    if every == bool(ids):
        raise click.UsageError("Name the pitfalls, or say --all. `eventlab pitfall list` shows them.")
    try:
        chosen = list(gallery.gallery().values()) if every else [gallery.pitfall(id_) for id_ in ids]
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    shown = True
    # On standard error: standard output is for the figures.
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("pitfalls", total=repeat * len(chosen))
        for entry in chosen:
            progress.update(bar, description=entry.id)
            kafka = cluster.connect(entry.brokers if entry.brokers > 1 else None)
            trials = []
            for trial in gallery.repeat(kafka, entry.id, repeat, seed):
                trials.append(trial)
                progress.advance(bar)
            summary = gallery.summary(trials)
            shown &= summary["repeated"] == repeat
            click.echo(json.dumps(summary) if as_json else _line(summary, trials[-1]))
    sys.exit(0 if shown else 1)


def _line(summary: dict[str, Any], last: gallery.Trial) -> str:
    verdict = "shown, and cured" if summary["repeated"] == summary["repeat"] else "NOT repeated"
    trials = f"{summary['repeated']} of {summary['repeat']} trials"
    return (
        f"{summary['id']:4} {verdict}, {trials}, {summary['seconds']:g} s at most\n"
        f"     broken ({gallery.told(last.pitfall.broken)}): {last.broken!r}\n"
        f"     cured  ({gallery.told(last.pitfall.cured)}): {last.cured!r}"
    )
