"""The office of lesson 28: a table that a script fills from bank files, and the same files as events."""

import csv
import time
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from eventlab import show
from eventlab.domain.account import Account, BalanceBroughtForward, decider
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.history import Step
from eventlab.inputs import StatementFile, import_file, read, sample
from eventlab.inputs.account_events import begin
from eventlab.inputs.statement_file import Entry
from eventlab.show.charts import Figure
from eventlab.store import EventStore, MemoryEventStore

# The account of the samples sparkasse-2026-03.csv and sparkasse-2026-04-overlapping.csv.
OFFICE = StreamId("account", "DE89370400440532013000")
_OPENING_DAY = date(2026, 2, 28)


class Table:
    """What a script of twenty lines makes of a bank's CSV files: floats in rows, and the balance is their sum."""

    def __init__(self, opening: Money) -> None:
        self.rows = pd.DataFrame({"day": [], "text": [], "amount": []})
        self._opening = float(opening.amount)

    def load(self, name: str) -> None:
        """Put every line of the sample into the table."""
        with sample(name).open(encoding="cp1252", newline="") as file:
            lines = [
                (line["Buchungstag"], line["Verwendungszweck"], float(line["Betrag"].replace(",", ".")))
                for line in csv.DictReader(file, delimiter=";")
            ]
        self.rows = pd.concat([self.rows, pd.DataFrame(lines, columns=self.rows.columns)], ignore_index=True)

    @property
    def balance(self) -> float:
        """The opening balance and all rows."""
        return self._opening + float(sum(self.rows["amount"]))


def books(opening: Money) -> MemoryEventStore:
    """An empty event store, but for the balance with which the account of the office begins."""
    store = MemoryEventStore()
    store.append(OFFICE, [NewEvent(BalanceBroughtForward(opening, _OPENING_DAY), valid_time=begin(_OPENING_DAY))])
    return store


def balance(store: EventStore, stream: StreamId = OFFICE) -> Money:
    """The balance of an account, after all its events."""
    account: Account = decider.fold(recorded.event for recorded in store.read(stream))  # type: ignore[misc]
    return account.balance


def entries(name: str) -> tuple[Entry, ...]:
    """The entries of a sample statement."""
    found = read(sample(name))
    assert isinstance(found, StatementFile)
    return found.entries


def without_lookalikes(lines: Iterable[Entry]) -> list[Entry]:
    """The entries, of those with the same day, amount and text only the first: what many a script takes for safety."""
    return list({(line.booked, line.amount, line.text): line for line in lines}.values())


def side_by_side(names: Iterable[str]) -> pd.DataFrame:
    """Each sample imported into a store of its own: what was read, and what the events come to."""
    reports = []
    for name in names:
        store = MemoryEventStore()
        report = import_file(sample(name), store)
        reports.append(
            {
                "file": name,
                "format": report.format,
                "entries": report.read,
                "balance": str(balance(store, report.stream)),
                "reconciles": {True: "yes", False: "no", None: "cannot be told"}[report.reconciles],
            }
        )
    return pd.DataFrame(reports)


def days(steps: Sequence[Step[Account]]) -> pd.DataFrame:
    """The balance at the end of each day, from the first to the last event: one row a day, booked on or not.

    ``steps`` are in the order of their days, as one import makes them. ``balance_minor`` is exact (cents);
    ``balance`` is the same in whole units, for pictures.
    """
    at = pd.to_datetime([step.time for step in steps]).normalize()
    minor = pd.Series([step.state.balance.minor for step in steps], index=at).groupby(level=0).last()
    daily = minor.asfreq("D", method="ffill")
    return pd.DataFrame({"day": daily.index, "balance_minor": daily.to_numpy(), "balance": daily.to_numpy() / 100})


def picture(daily: pd.DataFrame) -> Figure:
    """The balance over the days, as :func:`days` gives them."""
    low, high = daily.loc[daily["balance_minor"].idxmin()], daily.loc[daily["balance_minor"].idxmax()]
    alt = (
        f"The balance at the end of each day from {daily['day'].min():%d %B} to {daily['day'].max():%d %B}: lowest "
        f"{low['balance']:,.2f} on {low['day']:%d %B}, highest {high['balance']:,.2f} on {high['day']:%d %B}."
    )
    return show.line(daily[["day", "balance"]], "day", "balance", alt)


def slope(sizes: Iterable[int] = (1_000, 2_000, 4_000, 8_000)) -> pd.DataFrame:
    """How long an import into memory takes on this machine, for CSV files of some numbers of entries."""
    measured = []
    with TemporaryDirectory() as directory:
        for size in sizes:
            path = Path(directory) / "statement.csv"
            lines = (f"{date(2020, 1, 1) + timedelta(days=n // 20)},-3.20,coffee {n}\n" for n in range(size))
            path.write_text("date,amount,text\n" + "".join(lines))
            start = time.perf_counter()
            import_file(path, MemoryEventStore())
            seconds = time.perf_counter() - start
            measured.append(
                {"entries": size, "seconds": round(seconds, 2), "ms per entry": round(1000 * seconds / size, 3)}
            )
    return pd.DataFrame(measured)
