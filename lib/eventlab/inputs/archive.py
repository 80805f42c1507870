"""The commands ``eventlab archive …``: a store or a topic into Parquet files, a check of them, and the way back."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import click

from eventlab.events.errors import EventError
from eventlab.inputs.command import opened
from eventlab.store import KafkaEventLog, StoreError
from eventlab.store.archive import Archive, By, Source, archive, restore
from eventlab.store.database import check_url

_DIRECTORY = click.argument("directory", type=click.Path(path_type=Path))
_STORE = click.option("--store", "url", help="SQLAlchemy URL of the event store. Default: the lab's database.")
_TOPIC = click.option("--topic", help="A Kafka topic with one partition instead of a store.")

_KEEPS = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}  # pitfalls P20, P25 and P28
_ANSWER_SECONDS = 10


@click.group("archive")
def archive_command() -> None:
    """All events as Parquet files by the time at which they were recorded: write, check, restore."""


@archive_command.command()
@_DIRECTORY
@_STORE
@_TOPIC
@click.option("--by", type=click.Choice(get_args(By)), default="month", show_default=True, help="A folder for each.")
def write(directory: Path, url: str | None, topic: str | None, by: By) -> None:
    """Write the events to DIRECTORY, or bring what is there up to date. Stopped, it goes on the next time."""
    with _telling(), _opened(url, topic, there=True) as source:
        before = Archive(directory).events if (directory / "manifest.json").exists() else 0
        found = archive(source, directory, by)
    click.echo(
        f"{found.events - before:,} events written; {directory} has {found.events:,}, up to position {found.until}."
    )


@archive_command.command()
@_DIRECTORY
def check(directory: Path) -> None:
    """Read all files of the archive in DIRECTORY and compare them with what was written."""
    with _telling():
        found = Archive(directory)
        found.check()
    files = len(found.manifest.parts)
    click.echo(f"{found.events:,} events in {files} {'file' if files == 1 else 'files'}, all as they were written.")
    if not found.finished:
        click.echo("The last run was stopped, and the store had more: write it again, which goes on there.", err=True)
        sys.exit(1)


@archive_command.command("restore")
@_DIRECTORY
@_STORE
@_TOPIC
def restore_command(directory: Path, url: str | None, topic: str | None) -> None:
    """Put all events of the archive in DIRECTORY into an empty store, each at its place; all or nothing."""
    with _telling():
        source = Archive(directory)
        with _opened(url, topic) as target:
            if topic:
                _check_keeps(topic)
            count = restore(source, target)
    click.echo(f"{count:,} events restored.")


@contextmanager
def _opened(url: str | None, topic: str | None, *, there: bool = False) -> Iterator[Source]:
    """The store, made when it is not ``there`` yet. Raises StoreError when it should be: a typo is no empty store."""
    if url and topic:
        raise click.UsageError("Give a store or a topic, not both.")
    if url and there:
        checked = check_url(url, None)
        if checked.get_dialect().name == "sqlite" and not Path(str(checked.database)).is_file():
            raise StoreError(f"there is no file {checked.database}, so nothing to archive; check --store")
    source = _topic(topic) if topic else opened(url)
    try:
        yield source
    finally:
        source.close()


def _topic(name: str) -> KafkaEventLog:
    from eventlab import cluster  # here, since stores need no lab

    return KafkaEventLog(cluster.connect(), name)


def _check_keeps(topic: str) -> None:
    """Raises StoreError for a topic that would forget: restored records have the times at which they were recorded."""
    from confluent_kafka.admin import ConfigResource, ResourceType

    from eventlab import cluster

    resource = ConfigResource(ResourceType.TOPIC, topic)
    admin = cluster.connect().admin
    settings = admin.describe_configs([resource])[resource].result(_ANSWER_SECONDS)
    has = {name: settings[name].value for name in _KEEPS}
    if has != _KEEPS:
        wrong = ", ".join(f"{name}={value}" for name, value in has.items() if value != _KEEPS[name])
        right = ",".join(f"{name}={value}" for name, value in _KEEPS.items())
        raise StoreError(
            f"{topic} would not keep the events ({wrong}): they have their old times, and the broker deletes by those; "
            f"nothing was restored; first: eventlab kafka configs --alter --entity-type topics --entity-name {topic} "
            f"--add-config {right}"
        )


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except (StoreError, EventError) as error:
        click.echo(f"{error}", err=True)
        sys.exit(1)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--store") from error
