"""The command ``eventlab``: exit code 0 when it did what was asked, 1 when it could not, 2 for a wrong call.

130, as in every shell, when Ctrl-C ended it.
"""

import functools
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from eventlab.cluster.errors import LabError
from eventlab.cluster.lab import BROKER_COUNTS, Lab

# Commands that bring much with them (pandas, the importers, the clients), for which the others need not wait.
_ELSEWHERE = {
    "archive": "eventlab.inputs.archive:archive_command",
    "check": "eventlab.pitfalls.check_command:check_command",
    "groups": "eventlab.cluster.groups.command:groups_command",
    "import": "eventlab.inputs.command:import_command",
    "pitfall": "eventlab.pitfalls.command:pitfall_command",
}
_INTERRUPTED = 130
_BROKERS = click.Choice([str(count) for count in BROKER_COUNTS])


class _Commands(click.Group):
    """The group of commands; a mistake or a broken lab is one sentence and exit code 1, not a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LabError as error:
            click.echo(f"eventlab: {error}", err=True)
            sys.exit(1)
        except KeyboardInterrupt:
            click.echo(err=True)  # the terminal's ^C stands on a line of its own
            sys.exit(_INTERRUPTED)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ELSEWHERE:
            module, command = _ELSEWHERE[cmd_name].split(":")
            found: click.Command = getattr(importlib.import_module(module), command)
            return found
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_ELSEWHERE])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="eventlab")
def main() -> None:
    """A laboratory in notebooks for event sourcing and Kafka, on real brokers."""


@main.command()
@click.option("--brokers", type=_BROKERS, help="How many; default: those that run, else 1.")
@click.option("--postgres", is_flag=True, help="Start PostgreSQL too.")
@click.option("--registry", is_flag=True, help="Start a schema registry too (the first time fetches it: 160 MB).")
def up(brokers: str | None, postgres: bool, registry: bool) -> None:
    """Start the lab, and keep it until `eventlab down`."""
    lab = Lab()
    lab.up(int(brokers) if brokers else None, with_postgres=postgres, keep=True, with_registry=registry)
    _print_status(lab.status())


@main.command()
def down() -> None:
    """Stop the lab; its data stays."""
    click.echo("The lab is stopped; its data stays." if Lab().down() else "No lab was running.")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(as_json: bool) -> None:
    """Show what runs."""
    state = Lab().status()
    click.echo(json.dumps(state)) if as_json else _print_status(state)


def _print_status(state: dict[str, Any]) -> None:
    from eventlab.cluster import elsewhere, jars

    if state["kafka"] is None:
        click.echo("No lab runs here. `eventlab up` starts one; a notebook starts its own.")
    else:
        click.echo(f"Apache Kafka {jars.kafka_version()}  {state['kafka']['bootstrap']}")
        for broker in state["kafka"]["brokers"]:
            click.echo(f"  broker {broker['id']}  pid {broker['pid']}  port {broker['port']}  {broker['state']}")
    if database := state["postgres"]:
        click.echo(f"PostgreSQL  {database['url']}  pid {database['pid']}  {database['state']}")
    if schemas := state["registry"]:
        click.echo(f"Schema registry  {schemas['url']}  pid {schemas['pid']}  {schemas['state']}")
    yours = {
        "EVENTLAB_KAFKA": elsewhere.bootstrap(),
        "EVENTLAB_SQL": elsewhere.sql_url(),
        "EVENTLAB_REDIS": elsewhere.redis_url(),
        "EVENTLAB_REGISTRY": elsewhere.registry_url(),
    }
    for name, value in yours.items():
        if value:
            click.echo(f"{name} is set: notebooks use that instead.")


@main.command()
def doctor() -> None:
    """Check machine and lab, and say how to mend what is wrong."""
    from eventlab.cluster import doctor as diagnose

    diagnosis = diagnose()
    click.echo(repr(diagnosis))
    sys.exit(0 if diagnosis.well else 1)


@main.command()
def reset() -> None:
    """Stop the lab and remove its data (topics, databases, logs); your progress in the course stays."""
    removed = Lab().reset()
    for path in removed:
        click.echo(f"removed {path}")
    if not removed:
        click.echo("There was nothing to remove.")


@main.command()
@click.argument("name", required=False)
@click.option("--lines", type=click.IntRange(min=1), default=40, show_default=True, help="How many, from the end.")
def logs(name: str | None, lines: int) -> None:
    """Show the end of the logs: all, or that of NAME (broker-1, postgres, …)."""
    directory = Lab().logs
    files = sorted(path for path in directory.glob("*") if path.stat().st_size and name in (None, path.name, path.stem))
    if not files:
        raise LabError(f"No log {name or ''} in {directory}; there are: {', '.join(_names(directory)) or 'none yet'}.")
    for path in files:
        click.secho(f"== {path}", bold=True)
        click.echo("\n".join(path.read_text(errors="replace").splitlines()[-lines:]))


def _names(directory: Path) -> list[str]:
    return sorted({path.stem for path in directory.glob("*")})


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def lab(arguments: tuple[str, ...]) -> None:
    """Start the lab and JupyterLab with the course; ARGUMENTS go to `jupyter lab`. Ends with Ctrl-C."""
    from eventlab.course import jupyter

    jupyter.serve(arguments)


@main.command()
@click.argument("notebooks", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--report", type=click.Path(file_okay=False, path_type=Path), default=Path("build/report"))
def run(notebooks: tuple[Path, ...], report: Path) -> None:
    """Execute NOTEBOOKS (default: the whole course) on live brokers; write REPORT/index.html."""
    from eventlab.course import runner

    results = runner.run(notebooks or runner.course(), report)
    sys.exit(0 if results and all(result.error is None for result in results) else 1)


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("tool", required=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def kafka(tool: str | None, arguments: tuple[str, ...]) -> None:
    """Run Kafka's own TOOL, unchanged: `eventlab kafka topics --list`. Without TOOL: list them."""
    from eventlab.cluster import tools

    if tool in (None, "--help", "-h"):
        click.echo("Kafka's own tools, each with --help:\n  " + "\n  ".join(sorted(tools.TOOLS)))
        return
    if tool not in tools.TOOLS:
        raise click.UsageError(f"Kafka has no tool {tool!r}. `eventlab kafka` lists them.")
    sys.exit(tools.run(tool, arguments))


@main.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def schemas(directory: Path) -> None:
    """Write the JSON Schema and the Avro schema of each event to DIRECTORY."""
    from eventlab.events.catalogue import registry
    from eventlab.events.registry import TypeRegistry
    from eventlab.events.schemas import publish
    from eventlab.forgetting import SubjectForgotten

    try:
        written = publish([*registry, *TypeRegistry([SubjectForgotten])], directory)
        click.echo(f"{len(written)} schemas are in {directory}.")
    except OSError as error:
        raise LabError(f"{directory} cannot be written ({error.strerror}). Name a directory that is yours.") from error


@main.group()
def broker() -> None:
    """Do something to one broker of the lab."""


def _on_broker(action: Callable[[Lab, int], None], done: str) -> None:
    @broker.command(action.__name__, help=(action.__doc__ or "").split("\n")[0].replace("``", ""))
    @click.argument("n", type=int)
    @functools.wraps(action)
    def command(n: int) -> None:
        action(Lab(), n)
        click.echo(f"Broker {n} {done}.")


_on_broker(Lab.kill, "is killed")
_on_broker(Lab.pause, "is paused")
_on_broker(Lab.resume, "goes on")
_on_broker(Lab.restart, "runs again")
