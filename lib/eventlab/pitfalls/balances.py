"""A view of the balances, and the process that keeps it up: to be run by an actor, who stands between two looks."""

from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table

from eventlab.domain.account import AccountOpened, Deposited, Withdrawn, signed
from eventlab.events.envelope import Recorded
from eventlab.pitfalls.actors import Tell
from eventlab.store import SqlEventStore
from eventlab.views import Projector, View, row_per_stream
from eventlab.views.rows import Row

TABLE = Table(
    "balances",
    MetaData(),
    Column("account", String, primary_key=True),
    Column("balance", Integer),  # cents, as the limit
    Column("overdraft", Integer),
    Column("version", Integer),
)


def _opened(_: Row | None, recorded: Recorded) -> dict[str, Any]:
    event = recorded.event
    assert isinstance(event, AccountOpened)
    return {"balance": 0, "overdraft": event.overdraft_limit.minor, "version": recorded.version}


def _booked(row: Row | None, recorded: Recorded) -> dict[str, Any]:
    event = recorded.event
    assert row is not None
    assert isinstance(event, Deposited | Withdrawn)
    return {**row, "balance": row["balance"] + signed(event).minor, "version": recorded.version}


BALANCES = View(
    "balances", (TABLE,), row_per_stream(TABLE, {AccountOpened: _opened, Deposited: _booked, Withdrawn: _booked})
)


def keep_up(tell: Tell, *, url: str) -> None:
    """Bring the view up to date, again and again; before each time it stands still at ``looks``."""
    projector = Projector(SqlEventStore(url), BALANCES)
    while True:
        tell("looks")
        projector.catch_up()
