"""The bank of lesson 09: accounts that live long, snapshots that lie and some that cannot, and closed books."""

import time
import warnings
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import altair
import msgspec
import pandas as pd

from eventlab import show
from eventlab.domain import account
from eventlab.domain.account import (
    Account,
    BalanceBroughtForward,
    Booking,
    ClosePeriod,
    Event,
    FeeCharged,
    PeriodClosed,
    brought_forward,
    signed,
)
from eventlab.domain.decider import Decider
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId, Version
from eventlab.inputs.generate import demo_account, demo_carts
from eventlab.show.charts import HEIGHT, WIDTH, Figure
from eventlab.store import MemoryEventStore, MemorySnapshots, SqlEventStore, SqlSnapshots, state
from eventlab.store.periods import close_books, load_since
from eventlab.store.snapshots import Snapshots

ACCOUNTS = 40
ANA = StreamId("account", "1")
_YEARS = 10
_MONTHS = (1, 1, 1, 2, 3, 6, 12, 18)  # how old all accounts but Ana's are, each as likely
_NOTHING = Money(0, "EUR")
_LENGTHS = (50, 100, 200, 400, 700, 1_000, 2_000, 4_000)
_PROBES = (10, 20, 40, 60, 80, 100, 150, 200, 300, 400)
_REPEATS = 7
_SHORT_REPEATS = 25  # of what takes less than a millisecond


# -- the app's overview, before the feature and after -----------------------------------------------------------------


class Overview(msgspec.Struct, frozen=True):
    """What the app shows."""

    balance: Money = _NOTHING


def overview(now: Overview, event: Event) -> Overview:
    """The fold of the first app."""
    return Overview(now.balance + signed(event)) if isinstance(event, Booking) else now


class OverviewWithFees(msgspec.Struct, frozen=True):
    """What the app shows since Tuesday."""

    balance: Money = _NOTHING
    fees: Money = _NOTHING


def overview_with_fees(now: OverviewWithFees, event: Event) -> OverviewWithFees:
    """The fold since Tuesday: it adds up the fees, too."""
    if not isinstance(event, Booking):
        return now
    fees = now.fees + event.amount if isinstance(event, FeeCharged) else now.fees
    return OverviewWithFees(now.balance + signed(event), fees)


def _no_commands(_: object, __: object) -> list[Event]:
    return []


FRIDAY: Decider[Overview, object, Event] = Decider(Overview(), _no_commands, overview)
TUESDAY: Decider[OverviewWithFees, object, Event] = Decider(OverviewWithFees(), _no_commands, overview_with_fees)


# -- the bank ---------------------------------------------------------------------------------------------------------


class Bank:
    """Forty accounts in an SQLite file, which goes when the program ends. The oldest one, number 1, is Ana's."""

    def __init__(self, seed: int = 9) -> None:
        folder = TemporaryDirectory(prefix="eventlab-accounts-")
        self.store = SqlEventStore(f"sqlite:///{Path(folder.name) / 'bank.db'}")
        self.close = weakref.finalize(self, _remove, self.store, folder)
        rng = Random(seed)  # noqa: S311 (the same bank for everybody)
        self.life = demo_account(seed=4, months=12 * _YEARS)
        self.store.append(ANA, self.life)
        for number in range(2, ACCOUNTS + 1):
            self.store.append(StreamId("account", str(number)), demo_account(number, rng.choice(_MONTHS)))
        self.streams = [StreamId("account", str(number)) for number in range(1, ACCOUNTS + 1)]

    def __repr__(self) -> str:
        return f"{ACCOUNTS} accounts, {self.store.head():,} events; {len(self.life):,} of them are Ana's"

    def loads(self) -> "Growth":
        """How long it takes to load the first so many events of Ana's account, and to fold them."""
        lengths = [*_LENGTHS, len(self.life)]
        return Growth(tuple((length, self._load_seconds(length)) for length in lengths))

    def _load_seconds(self, length: int) -> float:
        stream = self.copy(length)
        return _seconds(lambda: state(self.store, account.decider, stream))

    def copy(self, length: int) -> StreamId:
        """A stream with the first so many events of Ana's account."""
        stream = StreamId("copy", str(length))
        if not self.store.load(stream)[1]:
            self.store.append(stream, [NewEvent(new.event) for new in self.life[:length]])
        return stream


def _remove(store: SqlEventStore, folder: "TemporaryDirectory[str]") -> None:
    store.close()
    folder.cleanup()


def _seconds(work: Callable[[], object], repeats: int = _REPEATS) -> float:
    """How long ``work`` takes: the quickest of several runs, since the others had to wait for other programs."""
    readings = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        readings.append(time.perf_counter() - began)
    return min(readings)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms"


@dataclass(frozen=True)
class Growth:
    """How long a load takes: ``points`` are events and seconds."""

    points: tuple[tuple[int, float], ...]

    @property
    def longest(self) -> float:
        """Milliseconds for the whole life."""
        return 1000 * self.points[-1][1]

    def chart(self) -> Figure:
        """Milliseconds against the events of the stream."""
        frame = pd.DataFrame([(events, round(1000 * seconds, 2)) for events, seconds in self.points],
                             columns=["events", "ms"])  # fmt: skip
        chart = altair.Chart(frame, width=WIDTH, height=HEIGHT).mark_line(point=True).encode(x="events:Q", y="ms:Q")
        (fewest, shortest), (most, longest) = self.points[0], self.points[-1]
        alt = (
            f"Time of a load against the length of the stream: from {_ms(shortest)} for {fewest:,} events to "
            f"{_ms(longest)} for {most:,}; {most / fewest:.3g} times the events take {longest / shortest:.3g} times as "
            "long."
        )
        return show.figure(chart, alt, frame)


# -- the colleague's snapshots ----------------------------------------------------------------------------------------


class Remembered:
    """The colleague's snapshots: the state as JSON under the name of the stream, with the version it is of."""

    def __init__(self, every: int = 100) -> None:
        self.every = every
        self.rows: dict[StreamId, tuple[Version, bytes]] = {}

    def load(self, store: Any, decider: Decider[Any, Any, Any], stream: StreamId) -> Any:
        """The state of a stream: its row, and the events since."""
        version, text = self.rows.get(stream, (Version(0), msgspec.json.encode(decider.initial)))
        now = msgspec.json.decode(text, type=type(decider.initial))
        events, last = store.load(stream, after=version)
        now = decider.fold(events, now)
        if last - version >= self.every:
            self.rows[stream] = (last, msgspec.json.encode(now))
        return now


def wrong_fees(bank: Bank, load: Callable[[StreamId], OverviewWithFees]) -> pd.DataFrame:
    """The accounts for which ``load`` gives other fees than their events: what the app shows, what was charged."""
    rows = []
    for stream in bank.streams:
        shown, right = load(stream).fees, state(bank.store, TUESDAY, stream).fees
        if shown != right:
            rows.append((str(stream), bank.store.load(stream)[1], str(shown), str(right)))
    return pd.DataFrame(rows, columns=["account", "events", "the app shows", "was charged"])


@dataclass(frozen=True)
class Restored:
    """What is told about Ana's account after the store was brought back from a copy of the night before."""

    remembered: Money
    snapshots: Money
    trouble: str
    events: Money

    def __repr__(self) -> str:
        return f"the colleague's row: {self.remembered}; our snapshot: {self.snapshots}; the events: {self.events}"


def restored(bank: Bank, deposit: str = "500.00") -> Restored:
    """Ana pays money in, everyone keeps a snapshot, and the store, but not the snapshots, is brought back."""
    last_night, today = MemoryEventStore(), MemoryEventStore()
    last_night.append(ANA, bank.life)
    today.append(ANA, bank.life)
    today.append(ANA, [NewEvent(account.Deposited(Money.of(deposit, "EUR"), date(2036, 1, 2)))])
    remembered, kept = Remembered(every=1), MemorySnapshots()
    remembered.load(today, FRIDAY, ANA)
    kept.take(today, FRIDAY, ANA)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it says is shown
        loaded = kept.load(last_night, FRIDAY, ANA)
    right = state(last_night, FRIDAY, ANA).balance
    return Restored(remembered.load(last_night, FRIDAY, ANA).balance, loaded.state.balance, loaded.trouble, right)


def edited(bank: Bank, seed: int = 9) -> Snapshots:
    """Snapshots of all accounts of the bank; the row of one of them was edited by hand, checksum and all."""
    kept = MemorySnapshots()
    for stream in bank.streams:
        kept.take(bank.store, account.decider, stream)
    victim = Random(seed).choice(bank.streams[1:])  # noqa: S311 (the same one for everybody)
    snapshot = kept.find(victim, kept.fold(account.decider))
    assert snapshot is not None, "it was just taken"
    forged = msgspec.structs.replace(snapshot, state=snapshot.state.replace('"minor":50000', '"minor":900000', 1))
    kept.put(msgspec.structs.replace(forged, checksum=forged.sum()))
    return kept


# -- does it pay? -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BreakEven:
    """Seconds of a load with all events and with a snapshot that has no tail, and of writing one."""

    points: tuple[tuple[int, float, float], ...]
    write: float

    @property
    def events(self) -> int:
        """From how many events on a load with a snapshot is the quicker one; the line through the points says so."""
        per_event, rest = _line([(events, full) for events, full, _ in self.points])
        kept = median(snapshot for _, _, snapshot in self.points)
        return max(0, round((kept - rest) / per_event))

    def paid_after(self, events: int) -> str:
        """The loads of so many events after which a snapshot has saved what it cost to write, in words."""
        per_event, _ = _line([(events, full) for events, full, _ in self.points])
        saved = per_event * (events - self.events)
        return "never" if saved <= 0 else f"after {ceil(self.write / saved):,} of its loads"

    def chart(self) -> Figure:
        """Both against the length of the stream, with the point where they cross, if they do."""
        frame = pd.DataFrame(
            [row for events, full, kept in self.points for row in (
                (events, round(1000 * full, 3), "all events"), (events, round(1000 * kept, 3), "from a snapshot"))],
            columns=["events", "ms", "load"],
        )  # fmt: skip
        lines = altair.Chart(frame, width=WIDTH, height=HEIGHT).mark_line(point=True)
        lines = lines.encode(x="events:Q", y="ms:Q", color=altair.Color("load:N", sort=None))
        cross = altair.Chart(pd.DataFrame({"events": [self.events]})).mark_rule(strokeDash=[4, 4]).encode(x="events:Q")
        (fewest, *shortest), (most, *longest) = self.points[0], self.points[-1]
        full, kept = (f"{_ms(first)} to {_ms(last)}" for first, last in zip(shortest, longest, strict=True))
        alt = (
            f"Time of a load against the length of the stream, from {fewest} events to {most}. With all events: from "
            f"{full}. From a snapshot: from {kept}. "
        )
        if not self.events:
            return show.figure(lines, f"{alt}They do not cross.", frame)
        return show.figure(lines + cross, f"{alt}They cross at {self.events} events.", frame)


def _line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Slope and intercept of the line through the points."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a in xs)
    return slope, y - slope * x


def break_even(bank: Bank) -> BreakEven:
    """Measured on this machine, with the account's own fold, in the bank's database."""
    kept = SqlSnapshots(bank.store)
    points, writes = [], []
    for length in _PROBES:
        stream = bank.copy(length)
        full = _seconds(lambda: state(bank.store, account.decider, stream), _SHORT_REPEATS)  # noqa: B023 (called at once)
        snapshot = kept.take(bank.store, account.decider, stream)
        writes.append(_seconds(lambda: kept.put(snapshot), _SHORT_REPEATS))  # noqa: B023
        loaded = _seconds(lambda: kept.load(bank.store, account.decider, stream), _SHORT_REPEATS)  # noqa: B023
        points.append((length, full, loaded))
    return BreakEven(tuple(points), median(writes))


def cart_lengths(seed: int = 9, n: int = 1_000) -> list[int]:
    """How many events the carts of a shop have."""
    return [len(events) for events in demo_carts(seed, n).values()]


# -- the other answer -------------------------------------------------------------------------------------------------


def close_every_month(bank: Bank) -> StreamId:
    """Ana's life once more, in a stream per month, each closed at its end; the stream of the last one, still open."""
    month, happened = StreamId("account", f"1-{date(2026, 1, 1):%Y-%m}"), []
    *life, _ = [new.event for new in bank.life]  # the last event closes the last month
    for event in life:
        if not isinstance(event, PeriodClosed):
            happened.append(NewEvent(event))
            continue
        bank.store.append(month, happened)
        finished, happened = month, []
        month = StreamId("account", f"1-{event.last + timedelta(days=1):%Y-%m}")
        close_books(bank.store, account.decider, finished, ClosePeriod(event.last), month, brought_forward)
    bank.store.append(month, happened)
    return month


def ways(bank: Bank, month: StreamId, tail: int = 50) -> pd.DataFrame:
    """Four ways to Ana's account late in her last month: events read, milliseconds, and what comes out.

    The snapshot is ``tail`` events old.
    """
    store, kept, whole = bank.store, SqlSnapshots(bank.store), StreamId("account", "1-whole")
    life = [NewEvent(new.event) for new in bank.life[:-1]]
    store.append(whole, life[:-tail])
    kept.take(store, account.decider, whole)
    store.append(whole, life[-tail:])

    def since_closing() -> Account:
        closed, *later = load_since(store, whole, PeriodClosed)[0]
        assert isinstance(closed, PeriodClosed), "this stream has one"
        return account.decider.fold([BalanceBroughtForward(closed.closing, closed.last), closed, *later])  # type: ignore[list-item]

    found: list[tuple[str, int, Callable[[], Account]]] = [
        ("all events", len(life), lambda: state(store, account.decider, whole)),
        ("snapshot and tail", tail, lambda: kept.load(store, account.decider, whole).state),
        ("since the last closing", len(load_since(store, whole, PeriodClosed)[0]), since_closing),
        ("the month's own stream", len(store.load(month)[0]), lambda: state(store, account.decider, month)),
    ]
    rows = [
        (way, read, round(1000 * _seconds(load), 2), str(load().balance), str(load().available))
        for way, read, load in found
    ]
    return pd.DataFrame(rows, columns=["way", "events read", "ms", "balance", "available"]).set_index("way")
