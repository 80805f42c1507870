"""The shop and the bank of lesson 07: views, customers who look at them, and machines that decide by them."""

import time
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import altair
import pandas as pd
from sqlalchemy import Column, Integer, MetaData, Table, Text, select

from eventlab import show
from eventlab.domain import account, cart
from eventlab.domain.account import AccountOpened, Deposited, Withdraw, Withdrawn
from eventlab.domain.cart import CartAbandoned, CartCreated, CheckedOut, ItemAdded, ItemRemoved, QuantityChanged
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, Position, Recorded, StreamId, Version
from eventlab.inputs.generate import demo_carts
from eventlab.show.charts import HEIGHT, WIDTH, Figure
from eventlab.store import Any as AnyVersion
from eventlab.store import Append, SqlEventStore, WrongExpectedVersion, execute
from eventlab.views import Projector, View, attach, inline, lag, row_per_event, row_per_stream, start, wait_until

TROUSERS = ItemAdded("trousers", 1, Money.of("49.90", "EUR"))
_PATIENCE_SECONDS = 30.0

ADDITIONS = Table(
    "additions",
    MetaData(),
    Column("position", Integer, primary_key=True),
    Column("cart", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("cents", Integer, nullable=False),
)
CARTS = Table(
    "carts",
    MetaData(),
    Column("cart", Text, primary_key=True),
    Column("customer", Text),
    Column("pieces", Integer, nullable=False),
    Column("status", Text, nullable=False),
)
BALANCES = Table(
    "balances",
    MetaData(),
    Column("account", Text, primary_key=True),
    Column("cents", Integer, nullable=False),
    Column("version", Integer, nullable=False),
)

Row = Mapping[str, Any]


def _plus(pieces: Callable[[Any], int]) -> Callable[[Any, Recorded], Row]:
    return lambda row, recorded: {**row, "pieces": row["pieces"] + pieces(recorded.event)}


def _status(status: str) -> Callable[[Any, Recorded], Row]:
    return lambda row, recorded: {**row, "status": status}


def _began(_: Any, recorded: Recorded) -> Row:
    assert isinstance(recorded.event, CartCreated)
    return {"customer": recorded.event.customer, "pieces": 0, "status": "open"}


def _row(recorded: Recorded) -> Row:
    event = recorded.event
    assert isinstance(event, ItemAdded)
    amount = event.price * event.quantity
    return {
        "position": recorded.position,
        "cart": str(recorded.stream),
        "product": event.product,
        "quantity": event.quantity,
        "cents": amount.minor,
    }


def _no_gift_cards(row: Any, recorded: Recorded) -> Row:
    """What a colleague wrote for the parcel service: a gift card has no weight."""
    assert isinstance(recorded.event, ItemAdded)
    if recorded.event.product == "gift card":
        raise KeyError("weight")
    return {**row, "pieces": row["pieces"] + recorded.event.quantity}


def _balance(sign: int) -> Callable[[Any, Recorded], Row]:
    return lambda row, recorded: {
        "cents": row["cents"] + sign * getattr(recorded.event, "amount").minor,  # noqa: B009 (two event classes)
        "version": recorded.version,
    }


_STEPS: dict[type, Callable[[Any, Recorded], Row]] = {
    CartCreated: _began,
    ItemAdded: _plus(lambda event: event.quantity),
    ItemRemoved: _plus(lambda event: -event.quantity),
    QuantityChanged: _plus(lambda event: event.after - event.before),
    CheckedOut: _status("checked out"),
    CartAbandoned: _status("abandoned"),
}
_PARCELS = CARTS.to_metadata(MetaData(), name="parcels")

# A row per event, a row per cart, and one whose handler cannot take a gift card.
additions = View("additions", (ADDITIONS,), row_per_event(ADDITIONS, {ItemAdded: _row}))
carts = View("carts", (CARTS,), row_per_stream(CARTS, _STEPS))
parcels = View("parcels", (_PARCELS,), row_per_stream(_PARCELS, {**_STEPS, ItemAdded: _no_gift_cards}))
parcels_mended = View("parcels", (_PARCELS,), row_per_stream(_PARCELS, _STEPS))
balances = View(
    "balances",
    (BALANCES,),
    row_per_stream(
        BALANCES,
        {
            AccountOpened: lambda _, recorded: {"cents": 0, "version": recorded.version},
            Deposited: _balance(+1),
            Withdrawn: _balance(-1),
        },
    ),
)


def fresh_store(*kept_inline: View) -> SqlEventStore:
    """An empty store in a file of its own, which goes with the store; its appends update the views given here."""
    folder = TemporaryDirectory(prefix="eventlab-views-")
    store = SqlEventStore(f"sqlite:///{Path(folder.name) / 'events.db'}", inline=[inline(view) for view in kept_inline])
    for view in kept_inline:
        attach(store, view)
    weakref.finalize(store, _remove, store.engine, folder)
    return store


def _remove(engine: Any, folder: TemporaryDirectory[str]) -> None:
    engine.dispose()
    folder.cleanup()


def _story(store: SqlEventStore, stream: StreamId) -> Iterator[Any]:
    return (recorded.event for recorded in store.read(stream))


def piece_count(state: cart.Cart) -> int:
    """The pieces in a cart."""
    return sum(line.quantity for line in state.lines.values())


def morning_after(seed: int = 8) -> "Shop":
    """A shop whose parcel service met gift cards in the night, and parked what it could not take."""
    shop = Shop(seed)
    Projector(shop.store, parcels, on_failure="park").catch_up()
    return shop


class Shop:
    """A store with the carts of a few busy days, and customers who come to it."""

    def __init__(self, seed: int = 7, carts: int = 200, kept_inline: Collection[View] = ()) -> None:
        self.store = fresh_store(*kept_inline)
        self._visits = 0
        self.store.append_all([Append(stream, events) for stream, events in demo_carts(seed, carts).items()])

    def table(self, view: View) -> pd.DataFrame:
        """What readers of a view see."""
        (table,) = view.tables
        with self.store.engine.connect() as connection:
            found = connection.execute(select(table)).all()
        return pd.DataFrame(found, columns=table.c.keys())

    def folded(self) -> dict[str, int]:
        """The pieces in every cart, by its events: each cart is loaded and folded."""
        names = dict.fromkeys(str(recorded.stream) for recorded in self.store.read_all())
        return {name: self._fold(StreamId.parse(name)) for name in names}

    def wrong(self, view: View) -> list[str]:
        """The carts that the view does not show as their events tell them."""
        shown = self.table(view).set_index("cart")["pieces"].to_dict()
        return [name for name, pieces in self.folded().items() if shown.get(name) != pieces]

    def _fold(self, stream: StreamId) -> int:
        return piece_count(cart.decider.fold(_story(self.store, stream)))

    def visit(self, customers: int = 50, wait: bool = False) -> "Visits":
        """Customers put trousers into a new cart, one after the other, and look at the page that shows ``carts``.

        Who sees nothing there clicks once more. With ``wait`` the page waits until the view has what was written.
        """
        unseen, delays, page = 0, [], []
        with start(self.store, carts):
            for _ in range(customers):
                self._visits += 1
                stream = StreamId("cart", f"visit-{self._visits}")
                clicked = time.perf_counter()
                written = self._put_in(stream, [CartCreated(f"customer {self._visits}", "EUR"), TROUSERS])
                if wait:
                    wait_until(self.store, carts, written, _PATIENCE_SECONDS)
                seen = pieces_shown(self.store, stream) is not None
                page.append(1000 * (time.perf_counter() - clicked))
                if not seen:
                    unseen += 1
                    self._put_in(stream, [TROUSERS])
                wait_until(self.store, carts, written, _PATIENCE_SECONDS)
                delays.append(1000 * (time.perf_counter() - clicked))
        return Visits(customers, unseen, delays, page)

    def _put_in(self, stream: StreamId, events: list[object]) -> Position:
        return self.store.append(stream, [NewEvent(event) for event in events]).positions[-1]

    def rush(self, view: View, clicks: int = 200) -> pd.DataFrame:
        """Customers click as fast as the store can write; after each click, how many events the view is behind.

        Columns: ``ms`` since the first click, ``events behind``. It ends when the view has everything.
        """
        rows = []
        with start(self.store, view):
            began = time.perf_counter()
            for click in range(clicks):
                self._put_in(StreamId("cart", f"rush-{click}"), [CartCreated("rush", "EUR"), TROUSERS])
                rows.append((1000 * (time.perf_counter() - began), lag(self.store, view).events))
            while rows[-1][1]:
                rows.append((1000 * (time.perf_counter() - began), lag(self.store, view).events))
        return pd.DataFrame(rows, columns=["ms", "events behind"])


@dataclass(frozen=True)
class Visits:
    """What customers saw. Times are in milliseconds from the click: until the view had it, until the page was there."""

    customers: int
    count: int
    delays: list[float]
    page: list[float]

    def __repr__(self) -> str:
        typical = sorted(self.page)[len(self.page) // 2]
        return (
            f"{self.count} of {self.customers} customers did not see what they had put in and clicked again; "
            f"the page took {typical:.1f} ms in the middle"
        )

    def chart(self) -> Figure:
        """How many customers would see their trousers when they look so many milliseconds after the click."""
        delays = sorted(round(delay, 1) for delay in self.delays)
        table = pd.DataFrame({"ms after the click": [0, *delays], "customers who see it": range(len(delays) + 1)})
        half, last = delays[len(delays) // 2], delays[-1]
        alt = (
            f"Of {self.customers} customers, how many see what they put in against the time since their click: "
            f"half of them after {half} ms, all after {last} ms."
        )
        return _steps(table, "ms after the click", "customers who see it", alt)


def rush_chart(table: pd.DataFrame) -> Figure:
    """How far a view was behind while customers clicked."""
    most, end = table["events behind"].max(), table["ms"].iloc[-1]
    alt = f"Events behind against time: up to {most} while customers click, none after {end:.0f} ms."
    return _steps(table.round(1), "ms", "events behind", alt)


def _steps(table: pd.DataFrame, x: str, y: str, alt: str) -> Figure:
    chart = altair.Chart(table, width=WIDTH, height=HEIGHT).mark_line(interpolate="step-after")
    return show.figure(chart.encode(x=altair.X(x, type="quantitative"), y=altair.Y(y, type="quantitative")), alt, table)


@dataclass(frozen=True)
class Cash:
    """What the machines paid out: how often, how often too much (``count``), and the balance that was left."""

    paid: int
    count: int
    balance: Money

    def __repr__(self) -> str:
        return f"{self.paid} withdrawals paid, {self.count} too many; the balance is {self.balance}"


def cash_machines(
    decide_on: Literal["view", "view and version", "stream"], behind: int = 8, machines: int = 24
) -> Cash:
    """One account with 100 EUR, and ``machines`` that are asked for 30 EUR each, one after the other.

    The view of balances is brought up to date after every ``behind`` machines. ``view``: a machine pays when the view
    says that there is enough. ``view and version``: it also expects the version that the view showed. ``stream``: the
    command is decided on the account's own events.
    """
    store, stream, day = fresh_store(), StreamId("account", "ana"), date(2026, 3, 2)
    hundred, thirty = Money.of("100.00", "EUR"), Money.of("30.00", "EUR")
    store.append(
        stream, [NewEvent(AccountOpened("Ana", "EUR", Money(0, "EUR"), day)), NewEvent(Deposited(hundred, day))]
    )
    projector = Projector(store, balances)
    paid = 0
    for machine in range(machines):
        if machine % behind == 0:
            projector.catch_up()
        if decide_on == "stream":
            try:
                paid += bool(execute(store, account.decider, stream, Withdraw(thirty, day)))
            except Refused:
                continue
        else:
            cents, version = _balance_shown(store, stream)
            if cents < thirty.minor:
                continue
            expected = version if decide_on == "view and version" else AnyVersion
            try:
                store.append(stream, [NewEvent(Withdrawn(thirty, day))], expected)
            except WrongExpectedVersion:
                continue
            paid += 1
    balance = account.decider.fold(_story(store, stream)).balance
    covered = hundred.minor // thirty.minor
    return Cash(paid, max(0, paid - covered), balance)


def _balance_shown(store: SqlEventStore, stream: StreamId) -> tuple[int, Version]:
    query = select(BALANCES.c.cents, BALANCES.c.version).where(BALANCES.c.account == str(stream))
    with store.engine.connect() as connection:
        cents, version = connection.execute(query).one()
    return cents, Version(version)


def overdrawn_chart(behind: list[int]) -> Figure:
    """How much the machines pay out too much, against how far the view lags."""
    results = [cash_machines("view", each) for each in behind]
    table = pd.DataFrame({"machines between two updates": behind, "paid too often": [each.count for each in results]})
    alt = (
        f"Withdrawals paid too often against the machines between two updates of the view: {results[0].count} with "
        f"{behind[0]}, {results[-1].count} with {behind[-1]}."
    )
    return show.bars(table, "machines between two updates", "paid too often", alt)


def pieces_shown(store: SqlEventStore, stream: StreamId) -> int | None:
    """What the view ``carts`` shows for a cart; None when it has no row for it."""
    with store.engine.connect() as connection:
        return connection.scalar(select(CARTS.c.pieces).where(CARTS.c.cart == str(stream)))
