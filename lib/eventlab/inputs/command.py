"""The command ``eventlab import``: a file into a store, and a report."""

import sys
from pathlib import Path
from typing import get_args

import click

from eventlab.inputs.errors import InputError
from eventlab.inputs.importing import import_file
from eventlab.inputs.mappings import dialects
from eventlab.inputs.reading import Format
from eventlab.store import SqlEventStore, StoreError

_EPILOG = f"Mappings that are built in: {', '.join(dialects())}."


@click.command("import", epilog=_EPILOG)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "format_", type=click.Choice(get_args(Format)), help="Default: found by content.")
@click.option("--mapping", help="What CSV columns mean: a built-in name or a TOML file. Default: found by the columns.")
@click.option("--account", default="", help="The name of the account, for files that do not tell.")
@click.option("--any-order", is_flag=True, help="Allow a statement whose days are mixed; they are sorted.")
@click.option("--store", "url", help="SQLAlchemy URL of the event store. Default: the lab's database.")
def import_command(
    file: Path, format_: Format | None, mapping: str | None, account: str, any_order: bool, url: str | None
) -> None:
    """Import a bank statement (OFX, MT940, CAMT.053, CSV) or order lines as events, once.

    Exit code 0 when the file is stored or was known already, also when it does not reconcile: the report says so.
    1 when it cannot be read or stored; then nothing of it is stored.
    """
    try:
        store = opened(url)
        try:
            click.echo(import_file(file, store, format_, mapping, account=account, any_order=any_order))
        finally:
            store.close()
    except InputError as error:
        click.echo(f"{error}\nNothing was stored.", err=True)
        sys.exit(1)
    except StoreError as error:
        click.echo(f"The store does not work: {error}", err=True)
        sys.exit(1)


def opened(url: str | None) -> SqlEventStore:
    """The store at ``url``, else the learner's own in the lab's database. A URL that cannot serve is a wrong call."""
    from eventlab import cluster  # here, since the library works without a lab when --store is given

    try:
        return SqlEventStore(url) if url else SqlEventStore(cluster.database(), schema=cluster.schema())
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--store" if url else "EVENTLAB_SQL") from error
