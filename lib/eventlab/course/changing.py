"""The shop of lesson 10: three years of carts, written by three programs, and what today's program makes of them."""

import tempfile
import time
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import altair
import pandas as pd
from msgspec import Struct

from eventlab import show
from eventlab.domain import cart
from eventlab.domain.cart import CartCreated, ItemAdded, ItemRemoved
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, Recorded, StreamId
from eventlab.events.errors import EventError
from eventlab.events.registry import TypeRegistry
from eventlab.events.versions import Fields, Step
from eventlab.inputs.generate import demo_carts
from eventlab.show.charts import WIDTH, Figure
from eventlab.show.palette import BLUE, GREEN, VERMILLION
from eventlab.store import Append, MemoryEventStore, SqlEventStore, state
from eventlab.store.rules import StoredEvent, utc_now
from eventlab.store.transform import Replay, Rewritten

_TIMED = 10_000  # events in the streams that are timed
_BEST_OF = 3
_BAR = 60  # pixels for each program
_COLOURS = {"opens, right": GREEN, "opens, wrong": BLUE, "does not open": VERMILLION}


class ItemPutInOf2023(Struct, frozen=True):
    """The first program wrote an event for each piece. The shop sold in one country, so a price had no currency."""

    product: str
    price: str


class ItemPutInOf2024(Struct, frozen=True):
    """The second one counted pieces."""

    product: str
    quantity: int
    price: str


def with_quantity(fields: Fields) -> Fields:
    """From version 1 to 2: one event was one piece."""
    return {**fields, "quantity": 1}


def in_money(fields: Fields) -> Fields:
    """From version 2 to 3: a price is minor units of a currency, and the shop sold in euros."""
    euros, _, cents = fields["price"].partition(".")
    return {**fields, "price": {"minor": int(euros + cents), "currency": "EUR"}}


def in_euros(fields: Fields) -> Fields:
    """From version 3 back to 2, which knows no currency: euros only."""
    if fields["price"]["currency"] != "EUR":
        raise ValueError("version 2 has prices in euros only")
    euros, cents = divmod(fields["price"]["minor"], 100)
    return {**fields, "price": f"{euros}.{cents:02}"}


def defaulted(fields: Fields) -> Fields:
    """The quick repair: what the new class needs and an old event lacks gets a default."""
    nothing = {"minor": 0, "currency": "EUR"}
    return {"product": fields["product"], "quantity": fields.get("quantity", 1), "price": nothing}


def _program(put_in: type | None, version: int) -> TypeRegistry:
    registry = TypeRegistry(each for each in cart.EVENTS if each is not ItemAdded)
    if put_in is None:
        registry.register(ItemAdded, schema_version=version)
    else:
        registry.register(put_in, "ItemPutIn", schema_version=version)
    return registry


def reading(upcasters: Mapping[int, Step]) -> TypeRegistry:
    """Today's program, with these upcasters for what was ItemPutIn; it can write for the program of 2024, too."""
    registry = TypeRegistry(each for each in cart.EVENTS if each is not ItemAdded)
    registry.register(
        ItemAdded, schema_version=3, formerly=["ItemPutIn"], upcasters=upcasters, downcasters={3: in_euros}
    )
    return registry


OF_2023 = _program(ItemPutInOf2023, 1)
OF_2024 = _program(ItemPutInOf2024, 2)
RENAMED = _program(None, 3)
DEFAULTED = reading({1: defaulted, 2: defaulted})
UPCAST = reading({1: with_quantity, 2: in_money})


def _as_2023(event: Any) -> list[Any]:
    if not isinstance(event, ItemAdded):
        return [event]
    return [ItemPutInOf2023(event.product, str(event.price.amount))] * event.quantity


def _as_2024(event: Any) -> list[Any]:
    if not isinstance(event, ItemAdded):
        return [event]
    return [ItemPutInOf2024(event.product, event.quantity, str(event.price.amount))]


_PROGRAMS = ((OF_2023, _as_2023), (OF_2024, _as_2024), (RENAMED, lambda event: [event]))


class Shop:
    """A store in a file: a third of its carts by the program of 2023, a third by that of 2024, the rest by today's."""

    def __init__(self, carts: int = 300, seed: int = 10) -> None:
        directory = tempfile.TemporaryDirectory(prefix="eventlab-shop-")
        self._directory = Path(directory.name)
        self._open: list[SqlEventStore] = []
        self.close = weakref.finalize(self, _close, self._open, directory)
        stories: dict[StreamId, list[Any]] = {
            stream: [new.event for new in story] for stream, story in demo_carts(seed, carts).items()
        }
        self.truth = {stream: cart.decider.fold(story) for stream, story in stories.items()}
        third = -(-carts // len(_PROGRAMS))
        every = list(stories.items())
        for number, (program, written) in enumerate(_PROGRAMS):
            some = every[number * third : (number + 1) * third]
            self.store(program).append_all(
                [Append(stream, [NewEvent(old) for event in story for old in written(event)]) for stream, story in some]
            )

    def store(self, registry: TypeRegistry, clock: Replay | None = None, file: str = "shop") -> SqlEventStore:
        """The events, as a program with this registry reads them; another ``file`` is another store."""
        store = SqlEventStore(f"sqlite:///{self._directory / file}.db", registry, clock or utc_now)
        self._open.append(store)
        return store

    def outcomes(self, registry: TypeRegistry) -> pd.DataFrame:
        """A row per cart: whether the program opens it, and as what it was; the error of one that it does not open."""
        store = self.store(registry)
        return pd.DataFrame([{"cart": str(stream), **self._outcome(store, stream)} for stream in self.truth])

    def _outcome(self, store: SqlEventStore, stream: StreamId) -> dict[str, str]:
        try:
            found = state(store, cart.decider, stream)
        except EventError as error:
            return {"found": "does not open", "because": str(error)}
        return {"found": "opens, right" if found == self.truth[stream] else "opens, wrong", "because": ""}

    def count(self, registry: TypeRegistry, found: str) -> int:
        """At how many carts a program with this registry finds that."""
        return int((self.outcomes(registry)["found"] == found).sum())

    def picture(self, programs: Mapping[str, TypeRegistry]) -> Figure:
        """The carts that each program opens right, opens wrong, and does not open."""
        rows = [
            {"program": name, "found": found, "carts": count}
            for name, registry in programs.items()
            for found, count in self.outcomes(registry)["found"].value_counts().items()
        ]
        frame = pd.DataFrame(rows)
        chart = (
            altair.Chart(frame, width=WIDTH, height=_BAR * len(programs))
            .mark_bar()
            .encode(
                x="carts:Q",
                y=altair.Y("program:N", sort=None, title=None),
                color=altair.Color("found:N", title=None).scale(domain=list(_COLOURS), range=list(_COLOURS.values())),
            )
        )
        said = [f"{row['program']}: {row['carts']} carts {row['found']}" for row in rows]
        return show.figure(chart, f"A bar per program. {'; '.join(said)}.", frame)

    def forms(self, store: SqlEventStore) -> pd.DataFrame:
        """The stored forms of what was put into carts, and how many events are in each."""
        forms = Counter((each.type, each.schema_version) for each in self._put_in(store))
        rows = [(*form, forms[form]) for form in sorted(forms, key=lambda form: form[1])]
        return pd.DataFrame(rows, columns=["type", "schema version", "events"])

    def examples(self, store: SqlEventStore) -> list[str]:
        """The first event of each form, as it is stored."""
        first: dict[tuple[str, int], str] = {}
        for each in self._put_in(store):
            first.setdefault((each.type, each.schema_version), str(each.data))
        return [f"{name}, version {version}: {data}" for (name, version), data in first.items()]

    def _put_in(self, store: SqlEventStore) -> Iterator[StoredEvent]:
        names = UPCAST.of_class(ItemAdded).names
        return (each for each in store.read_stored() if each.type in names)

    def slowdown(self, registry: TypeRegistry) -> float:
        """How many times as long a stream takes to load when all its events are of 2023 as when all are of today.

        In this thread's own time, in turn: what else the machine does counts for neither.
        """
        added = ItemAdded("socks", 1, Money.of("4.50", "EUR"))
        (piece,) = _as_2023(added)
        old, new = StreamId("timed", "old"), StreamId("timed", "new")
        self.store(OF_2023, file="timed").append(old, [NewEvent(piece) for _ in range(_TIMED)])
        self.store(RENAMED, file="timed").append(new, [NewEvent(added) for _ in range(_TIMED)])
        reader = self.store(registry, file="timed")
        took = [(_seconds(reader, old), _seconds(reader, new)) for _ in range(_BEST_OF)]
        return min(of_2023 for of_2023, _ in took) / min(today for _, today in took)


def _seconds(store: SqlEventStore, stream: StreamId) -> float:
    began = time.thread_time()
    store.load(stream)
    return time.thread_time() - began


def _close(stores: Sequence[SqlEventStore], directory: "tempfile.TemporaryDirectory[str]") -> None:
    for store in stores:
        store.close()
    directory.cleanup()


SWAPPED = StreamId("cart", "swapped")


class ItemSwapped(Struct, frozen=True):
    """The button "swap" of 2024: one product out, another in, and one event for both."""

    out: str
    into: str
    quantity: int
    price: Money

    def __str__(self) -> str:
        return f"swapped {self.quantity} {self.out} for {self.into} at {self.price}"


def parts(event: Any) -> list[Any]:
    """What an event stands for today: a swap is two events, every other one is itself."""
    if isinstance(event, ItemSwapped):
        return [ItemRemoved(event.out, event.quantity), ItemAdded(event.into, event.quantity, event.price)]
    return [event]


def with_a_swap() -> MemoryEventStore:
    """A store with one cart, ``SWAPPED``, in which socks were swapped for trousers."""
    store = MemoryEventStore(TypeRegistry([*cart.EVENTS, ItemSwapped]))
    socks, trousers = Money.of("4.50", "EUR"), Money.of("49.90", "EUR")
    story = [CartCreated("Ana", "EUR"), ItemAdded("socks", 2, socks), ItemSwapped("socks", "trousers", 2, trousers)]
    store.append(SWAPPED, [NewEvent(event) for event in story])
    return store


def pieces_together(history: Sequence[Recorded]) -> Iterator[Rewritten]:
    """The pieces of one product that came in one after the other, at one price, as one event with their number."""
    waiting: Rewritten | None = None
    for recorded in history:
        new = Rewritten(recorded.event, recorded)
        if waiting and (together := _together(waiting.event, new.event)):
            waiting = Rewritten(together, recorded)
            continue
        if waiting:
            yield waiting
        waiting = new
    if waiting:
        yield waiting


def _together(first: object, second: object) -> ItemAdded | None:
    if not isinstance(first, ItemAdded) or not isinstance(second, ItemAdded):
        return None
    if (first.product, first.price) != (second.product, second.price):
        return None
    return ItemAdded(first.product, first.quantity + second.quantity, first.price)
