"""Both sides of the store's benchmarks: one shop on our store and on ``eventsourcing``, on the same database."""

import contextlib
import multiprocessing
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.domain import event as recorded_as
from sqlalchemy import create_engine, make_url
from sqlalchemy.schema import CreateSchema

from eventlab import cluster
from eventlab.domain.cart import CartCreated, ItemAdded, ItemRemoved, decider
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.store import Append, NoStream, SqlEventStore, state

PRICE = Money(4990, "EUR")
_PATIENCE_SECONDS = 120.0


def _life(events: int) -> list[NewEvent]:
    """A cart's events: created, then three pieces in and two out, again and again."""
    pair = (ItemAdded("trousers", 3, PRICE), ItemRemoved("trousers", 2))
    return [NewEvent(CartCreated("ana", "EUR")), *(NewEvent(pair[n % 2]) for n in range(events - 1))]


class Ours:
    """Our store."""

    def __init__(self, url: str, space: str) -> None:
        self.store = SqlEventStore(url, schema=None if url.startswith("sqlite") else space)

    def carts(self, count: int, events: int) -> list[Append]:
        """New carts, not stored yet."""
        return [Append(StreamId("cart", str(uuid.uuid4())), _life(events), NoStream) for _ in range(count)]

    def save(self, cart: Append) -> None:
        """Store one."""
        self.store.append(cart.stream, cart.events, cart.expected)

    def save_all(self, carts: list[Append]) -> None:
        """Store many at once."""
        self.store.append_all(carts)

    def load(self, cart: Append) -> int:
        """The quantity in a stored cart."""
        return state(self.store, decider, cart.stream).quantity("trousers")

    def follow(self, events: int) -> int:
        """How many of ``events`` events a subscriber gets."""
        seen = 0
        for batch in self.store.follow(idle=_PATIENCE_SECONDS):
            seen += len(batch)
            if seen >= events:
                break
        return seen


class Cart(Aggregate):
    """The peer's cart, as its documentation writes aggregates."""

    @recorded_as("Created")
    def __init__(self, customer: str) -> None:
        self.customer = customer
        self.lines: dict[str, tuple[int, int, str]] = {}

    @recorded_as("ItemAdded")
    def add(self, product: str, quantity: int, price: int, currency: str) -> None:
        """Pieces came in."""
        have = self.lines[product][0] if product in self.lines else 0
        self.lines[product] = (have + quantity, price, currency)

    @recorded_as("ItemRemoved")
    def remove(self, product: str, quantity: int) -> None:
        """Pieces were taken out."""
        have, price, currency = self.lines[product]
        self.lines[product] = (have - quantity, price, currency)


class Peer:
    """``eventsourcing``, with its defaults, or with its database functions (faster, and without its table lock)."""

    def __init__(self, url: str, space: str, functions: bool = False, create: bool = True) -> None:
        where = make_url(url)
        if where.get_backend_name() == "sqlite":
            settings = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": f"{where.database}.peer"}
        else:
            settings = {
                "PERSISTENCE_MODULE": "eventsourcing.postgres",
                "POSTGRES_DBNAME": str(where.database),
                "POSTGRES_HOST": str(where.host),
                "POSTGRES_PORT": str(where.port),
                "POSTGRES_USER": str(where.username),
                "POSTGRES_PASSWORD": str(where.password),
                "POSTGRES_SCHEMA": space,
                "POSTGRES_ENABLE_DB_FUNCTIONS": "y" if functions else "n",
                # Eight processes that make the tables at once fail there: "tuple concurrently updated".
                "CREATE_TABLE": "y" if create else "n",
            }
            engine = create_engine(url)
            with engine.begin() as connection:  # the peer does not make its schema
                connection.execute(CreateSchema(space, if_not_exists=True))
            engine.dispose()
        self.app: Application[uuid.UUID] = Application(env=settings)

    def carts(self, count: int, events: int) -> list[Cart]:
        """New carts, not stored yet."""
        made = []
        for _ in range(count):
            cart = Cart("ana")
            for n in range(events - 1):
                if n % 2:
                    cart.remove("trousers", 2)
                else:
                    cart.add("trousers", 3, PRICE.minor, PRICE.currency)
            made.append(cart)
        return made

    def save(self, cart: Cart) -> None:
        """Store one."""
        self.app.save(cart)

    def save_all(self, carts: list[Cart]) -> None:
        """Store many at once."""
        self.app.save(*carts)

    def load(self, cart: Cart) -> int:
        """The quantity in a stored cart."""
        found: Cart = self.app.repository.get(cart.id)
        return found.lines["trousers"][0]

    def follow(self, events: int) -> int:
        """How many of ``events`` events a subscriber gets."""
        seen = 0
        with self.app.recorder.subscribe() as subscription:
            for _ in subscription:
                seen += 1
                if seen >= events:
                    break
        return seen


def side(name: str, url: str, space: str, create: bool = True) -> Any:
    """``ours``, ``peer``, or ``peer with functions``."""
    return Ours(url, space) if name == "ours" else Peer(url, space, name != "peer", create)


@contextlib.contextmanager
def databases() -> Iterator[dict[str, str]]:
    """A fresh SQLite file and a fresh PostgreSQL server, with the settings they come with: every commit is flushed."""
    with tempfile.TemporaryDirectory() as scratch:
        lab = cluster.Lab(Path(scratch) / "lab")
        lease = lab.up(1, with_postgres=True)
        try:
            yield {
                "SQLite": f"sqlite:///{Path(scratch) / 'shop.db'}",
                "PostgreSQL": str(lab.status()["postgres"]["url"]),
            }
        finally:
            lab.release(lease)
            lab.down()


def fresh() -> str:
    """The name of a schema that is not there yet."""
    return f"bench_{uuid.uuid4().hex[:12]}"


def _write(name: str, url: str, space: str, appends: int, start: Any, done: Any) -> None:
    shop = side(name, url, space, create=False)
    carts = shop.carts(appends, 3)
    start.wait(_PATIENCE_SECONDS)
    for cart in carts:
        shop.save(cart)
    done.put(time.monotonic())


def _subscribe(name: str, url: str, space: str, events: int, start: Any, seen: Any) -> None:
    shop = side(name, url, space, create=False)
    start.wait(_PATIENCE_SECONDS)
    seen.put(shop.follow(events))


def together(name: str, url: str, writers: int, appends: int) -> tuple[float, int]:
    """Appends per second of ``writers`` processes with ``appends`` each, and how many events a subscriber missed."""
    context = multiprocessing.get_context("spawn")
    space = fresh()
    side(name, url, space)  # makes the tables
    start, done, seen = context.Barrier(writers + 2), context.Queue(), context.Queue()
    events = writers * appends * 3
    processes = [context.Process(target=_write, args=(name, url, space, appends, start, done)) for _ in range(writers)]
    processes.append(context.Process(target=_subscribe, args=(name, url, space, events, start, seen)))
    for process in processes:
        process.start()
    start.wait(_PATIENCE_SECONDS)
    began = time.monotonic()
    ended = max(done.get(timeout=_PATIENCE_SECONDS) for _ in range(writers))
    try:
        missed = events - seen.get(timeout=_PATIENCE_SECONDS / 10)
    except Exception:
        missed = -1  # it never got as many
    for process in processes:
        process.kill()
        process.join()
    return writers * appends / (ended - began), missed
