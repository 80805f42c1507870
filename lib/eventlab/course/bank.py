"""The bank of lesson 03: fees put right with an eraser and with an event, what a statement leaves out, closed books."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import NamedTuple

import altair
import pandas as pd
import sqlalchemy

from eventlab import show
from eventlab.domain.account import (
    Account,
    Booking,
    Command,
    Event,
    PeriodClosed,
    brought_forward,
    decider,
    signed,
)
from eventlab.domain.money import Money
from eventlab.domain.statements import Statement, StatementLine, line_text, statement
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.inputs.generate import demo_account
from eventlab.show import markup
from eventlab.show.charts import HEIGHT, WIDTH, Figure
from eventlab.store import EventStore

Accounts = Mapping[StreamId, Sequence[Event]]
# The statements of a bank: of which account, and of the month that begins on which day.
Statements = dict[tuple[StreamId, date], Statement]

_QUARTER = (date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1))
_REPEATS = 5


def _events(history: Iterable[NewEvent]) -> list[Event]:
    return [new.event for new in history]  # type: ignore[misc]


def accounts(n: int = 40) -> dict[StreamId, list[Event]]:
    """``n`` accounts, ``account-1`` to ``account-n``, over the first quarter of 2026, each month's books closed."""
    return {StreamId("account", str(seed)): _events(demo_account(seed)) for seed in range(1, n + 1)}


def _last_day(first: date) -> date:
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def statements(bank: Accounts) -> Statements:
    """The statements of all accounts for the three months of the quarter, from their events."""
    return {
        (account, first): statement(events, first, _last_day(first))
        for account, events in bank.items()
        for first in _QUARTER
    }


class Table:
    """The same bookings as rows of a table: account, day, text, signed amount in cents, reference."""

    def __init__(self, bank: Accounts) -> None:
        self._engine = sqlalchemy.create_engine("sqlite://")
        rows = [
            {
                "account": str(account),
                "day": booking.on.isoformat(),
                "text": line_text(booking),
                "amount_minor": signed(booking).minor,
                "reference": booking.reference,
            }
            for account, events in bank.items()
            for booking in events
            if isinstance(booking, Booking)
        ]
        pd.DataFrame(rows).to_sql("bookings", self._engine, index_label="id")

    def run(self, query: str) -> int:
        """Run one SQL statement; how many rows it changed."""
        with self._engine.begin() as connection:
            return connection.execute(sqlalchemy.text(query)).rowcount

    def look(self, query: str) -> pd.DataFrame:
        """The rows that a query finds."""
        return pd.read_sql(query, self._engine)

    def statements(self) -> Statements:
        """The statements for the three months of the quarter, from the rows as they are now."""
        printed = {}
        for account, rows in self.look("SELECT * FROM bookings ORDER BY day, id").groupby("account"):
            for first in _QUARTER:
                printed[StreamId.parse(str(account)), first] = _from_rows(rows, first, _last_day(first))
        return printed

    def balance(self) -> Money:
        """The money of all accounts together."""
        return _euro(self.look("SELECT sum(amount_minor) AS total FROM bookings")["total"].iloc[0])


def _euro(minor: int) -> Money:
    return Money(int(minor), "EUR")


def _from_rows(rows: pd.DataFrame, first: date, last: date) -> Statement:
    days = rows["day"].map(date.fromisoformat)
    balance = opening = _euro(rows.loc[days < first, "amount_minor"].sum())
    lines = []
    for row in rows[(days >= first) & (days <= last)].itertuples():
        amount = _euro(row.amount_minor)
        balance += amount
        lines.append(StatementLine(date.fromisoformat(row.day), row.text, amount, balance, row.reference))
    return Statement(first, last, opening, balance, tuple(lines))


def alike(sent: Statements, again: Statements) -> int:
    """How many statements, printed again, are what was sent: every line, opening and closing, to the cent."""
    return sum(again[key] == sent[key] for key in sent)


def openings_and_closings(account: StreamId, sent: Statements, again: Statements) -> pd.DataFrame:
    """The statements of one account beside those printed again: a row per month."""
    return pd.DataFrame(
        [
            {
                "month": f"{first:%Y-%m}",
                "opening, sent": str(sent[account, first].opening),
                "opening, again": str(again[account, first].opening),
                "closing, sent": str(sent[account, first].closing),
                "closing, again": str(again[account, first].closing),
            }
            for first in _QUARTER
        ]
    )


@dataclass(frozen=True, slots=True)
class Page:
    """A statement as the customer reads it: opening balance, lines, closing balance."""

    rows: tuple[tuple[date, str, str, str], ...]

    def __repr__(self) -> str:
        return "\n".join(f"{on} {text:<60} {amount:>14} {balance:>14}" for on, text, amount, balance in self.rows)

    def _repr_html_(self) -> str:
        return markup.sheet(["day", "text", "amount", "balance"], self.rows)

    def end(self, rows: int) -> "Page":
        """The last rows of the page."""
        return Page(self.rows[-rows:])


def page(printed: Statement) -> Page:
    """The page that shows a statement."""
    return Page(
        (
            (printed.first, "Opening balance", "", str(printed.opening)),
            *((line.on, line.text, str(line.amount), str(line.balance)) for line in printed.lines),
            (printed.last, "Closing balance", "", str(printed.closing)),
        )
    )


def told(bank: Accounts, command: Command) -> dict[StreamId, list[Event]]:
    """The bank after every account was given ``command``. Raises Refused."""
    return {account: [*events, *decider.decide(command, decider.fold(events))] for account, events in bank.items()}


def balance(bank: Accounts) -> Money:
    """The money of all accounts together."""
    return sum((decider.fold(events).balance for events in bank.values()), _euro(0))


def between(events: Iterable[Event], first: date, last: date) -> list[Event]:
    """The events of the days from ``first`` to ``last``, both included."""
    return [event for event in events if first <= _day(event) <= last]


def _day(event: Event) -> date:
    return event.last if isinstance(event, PeriodClosed) else event.on


def kinds(events: Iterable[Event]) -> pd.DataFrame:
    """The events by type: how many, and whether the customer sees them on the statement."""
    found = list(events)
    counts = pd.Series([type(event).__name__ for event in found]).value_counts()
    booked = {type(event).__name__ for event in found if isinstance(event, Booking)}
    on_it = ["yes" if kind in booked else "no" for kind in counts.index]
    table = pd.DataFrame({"type": counts.index, "events": counts.to_numpy(), "on the statement": on_it})
    return table.set_index("type")


class Month(NamedTuple):
    """One closed month of an account, as a stream of its own: what was brought forward, then what happened."""

    stream: StreamId
    opening: list[Event]
    happened: list[Event]
    closed: PeriodClosed

    @property
    def events(self) -> list[Event]:
        """The whole stream."""
        return [*self.opening, *self.happened]


def by_month(events: Iterable[Event], key: str = "ana") -> list[Month]:
    """An account as a stream per month; a month whose books are not closed yet is left out.

    ``events`` are those of the account, from its opening.
    """
    months: list[Month] = []
    opening: list[Event] = []
    happened: list[Event] = []
    for event in events:
        happened.append(event)
        if isinstance(event, PeriodClosed):
            month = Month(StreamId("account", f"{key}-{event.last:%Y-%m}"), opening, happened, event)
            months.append(month)
            opening, happened = brought_forward(decider.fold(month.events), event), []
    return months


def statements_alike(events: Sequence[Event], months: Iterable[Month]) -> int:
    """How many months give from their own stream the statement that all events give: every line, to the cent."""
    periods = ((month.events, month.closed.first, month.closed.last) for month in months)
    return sum(statement(own, first, last) == statement(events, first, last) for own, first, last in periods)


def loads(months: Iterable[Month]) -> pd.DataFrame:
    """How many events the last decision of each month reads: a row per month and way of keeping the account."""
    rows, so_far = [], 0
    for month in months:
        so_far += len(month.happened)
        for way, read in (("one long stream", so_far), ("a stream per month", len(month.events))):
            rows.append({"month": pd.Timestamp(month.closed.last), "events read": read, "kept as": way})
    return pd.DataFrame(rows)


def picture(read: pd.DataFrame) -> Figure:
    """The events that a load reads over the months, as :func:`loads` gives them."""
    chart = altair.Chart(read, width=WIDTH, height=HEIGHT).mark_line(interpolate="step-after")
    months = read["month"]
    last = read[months == months.max()].set_index("kept as")["events read"]
    most = read.groupby("kept as")["events read"].max()
    alt = (
        f"Events that a load reads at the end of each month, {months.min():%B %Y} to {months.max():%B %Y}: "
        f"with one long stream more every month, {last['one long stream']:,} in the last; "
        f"with a stream per month never more than {most['a stream per month']:,}."
    )
    return show.figure(
        chart.encode(
            x=altair.X("month", type="temporal").scale(type="utc").title(None),
            y=altair.Y("events read", type="quantitative"),
            color=altair.Color("kept as", type="nominal", sort=None),
        ),
        alt,
        read.assign(month=months.dt.strftime("%Y-%m")),
    )


def cost(store: EventStore, streams: Iterable[StreamId]) -> pd.DataFrame:
    """Load each stream from the store and fold it: the events read, the median time on this machine, the balance."""
    rows = []
    for stream in streams:
        seconds = []
        for _ in range(_REPEATS):
            start = time.perf_counter()
            events = [recorded.event for recorded in store.read(stream)]
            account: Account = decider.fold(events)  # type: ignore[arg-type]
            seconds.append(time.perf_counter() - start)
        milliseconds = round(1000 * median(seconds), 2)
        rows.append((str(stream), len(events), milliseconds, str(account.balance)))
    return pd.DataFrame(rows, columns=["stream", "events read", "ms", "balance"])
