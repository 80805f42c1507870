"""P33: a fact is written to two systems, and its writer can die between the two."""

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from random import Random
from typing import Literal

import altair
import pandas as pd
from sqlalchemy import make_url

from eventlab import cluster, show
from eventlab.cluster import Kafka, LabError
from eventlab.pitfalls import captured, orders, outbox
from eventlab.pitfalls.actors import Actor
from eventlab.pitfalls.experiment import Pitfall
from eventlab.pitfalls.orders import LISTENING
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.topics import read
from eventlab.show.charts import WIDTH, Figure
from eventlab.show.palette import BLUE, VERMILLION

_CAPTURE = "change data capture"
STEPS: Mapping[str, Sequence[str]] = {**orders.STEPS, _CAPTURE: captured.STEPS}
"""Where the shop is killed, by way."""

# In each life the shop takes two orders, and dies in the second; there is a life for each step, and one that lasts.
ORDERS = 2 * max(map(len, STEPS.values())) + 2
_PRODUCTS = ("trousers", "socks", "shirts", "hats")
_IDEMPOTENT = {"enable.idempotence": True, "max.in.flight": 1, "log_level": 0}
_LANE_HEIGHT = 44  # pixels
_LOOKS = {"there": (BLUE, "circle"), "missing": (VERMILLION, "cross")}

Way = Literal["commit, then publish", "publish, then commit", "outbox", "listen to yourself", "change data capture"]


@dataclass(frozen=True)
class Books:
    """What two fresh readers find: the orders in the database, and how often each is in the topic.

    ``killed``: at which step the shop was killed while it took an order; ``killed_beside``: at which steps another
    process of it was (``relay: acknowledged``).
    """

    orders: Sequence[Fact]
    stored: frozenset[str]
    published: Mapping[str, int]
    killed: Mapping[str, str]
    killed_beside: Sequence[str] = ()
    unit: str = "orders are in one of the two places only"

    @property
    def workload(self) -> Sequence[Fact]:
        """What was ordered, whatever became of it."""
        return self.orders

    @property
    def missing(self) -> list[str]:
        """Orders that the shop has, and of which nobody else hears."""
        return [order.key for order in self.orders if order.key in self.stored and not self.published.get(order.key)]

    @property
    def ghosts(self) -> list[str]:
        """Orders that others hear of, and that the shop does not have."""
        return [order.key for order in self.orders if order.key not in self.stored and self.published.get(order.key)]

    @property
    def count(self) -> int:
        """How many orders are missing or ghosts."""
        return len(self.missing) + len(self.ghosts)

    @property
    def of(self) -> int:
        """How many orders customers made."""
        return len(self.orders)

    def table(self) -> pd.DataFrame:
        """A row for each order; ``records``: how often it is in the topic (a reader who knows ids takes it once)."""
        wrong = dict.fromkeys(self.missing, "missing event") | dict.fromkeys(self.ghosts, "ghost")
        return pd.DataFrame(
            {
                "order": [order.key for order in self.orders],
                "what": [order.label for order in self.orders],
                "killed at": [self.killed.get(order.key, "") for order in self.orders],
                "in the database": [order.key in self.stored for order in self.orders],
                "records": [self.published.get(order.key, 0) for order in self.orders],
                "verdict": [wrong.get(order.key, "") for order in self.orders],
            }
        )

    def picture(self) -> Figure:
        """The orders from left to right, a lane for each of the two places, and over them where the shop was killed."""
        frame = self.table()
        names = frame["order"].tolist()
        places = {"database": "in the database", "topic": "records"}
        marks = pd.DataFrame(
            [
                {"order": row["order"], "place": place, "is": "there" if row[column] else "missing"}
                for row in frame.to_dict("records")
                for place, column in places.items()
                if row[column] or row["verdict"]
            ]
        )
        at = altair.X("order:N", sort=names, title=None).axis(labelAngle=-40).scale(domain=names)
        lane = altair.Y("place:N", sort=None, title=None).scale(domain=["killed at", *places])
        base = altair.Chart(marks, width=WIDTH, height=_LANE_HEIGHT * (1 + len(places))).encode(x=at, y=lane)
        colours, shapes = zip(*_LOOKS.values(), strict=True)
        points = base.mark_point(filled=True, size=130, opacity=1).encode(
            color=altair.Color("is:N", title=None).scale(domain=list(_LOOKS), range=colours),
            shape=altair.Shape("is:N", title=None).scale(domain=list(_LOOKS), range=shapes),
        )
        deaths = altair.Chart(frame[frame["killed at"] != ""].assign(place="killed at"))
        words = deaths.mark_text(fontSize=10).encode(x=at, y=lane, text="killed at:N")
        return show.figure(points + words, self._alt(frame), frame)

    def _alt(self, frame: pd.DataFrame) -> str:
        told = [f"{row['order']} ({row['killed at']}): {row['verdict'] or 'the same in both'}"
                for row in frame[frame["killed at"] != ""].to_dict("records")]  # fmt: skip
        beside = f" Killed besides: {', '.join(self.killed_beside)}." if self.killed_beside else ""
        return (
            f"{self.of} orders, and whether database and topic hold them. Missing events: {len(self.missing)}, ghosts: "
            f"{len(self.ghosts)}. Where the shop was killed: {'; '.join(told)}.{beside}"
        )

    def __repr__(self) -> str:
        return f"{self.count} of {self.of} {self.unit}"

    def _repr_html_(self) -> str:
        return f"<b>{self.count} of {self.of}</b> {escape(self.unit)}"


def run(kafka: Kafka, *, way: Way = "commit, then publish", seed: int = 7) -> Books:
    """Customers order. The shop is killed once at each step of ``way``; started again, it goes on with the next order.

    Whoever ordered when it died got no answer. What is asked is not whether that order counts, but whether database
    and topic say the same. With "outbox" the shop writes to its database alone, and a relay sends what lies in the
    outbox; with "change data capture" it does so too, and a relay sends what stands in the database's own log (that is
    PostgreSQL's; else the database is SQLite's). With "listen to yourself" it writes to the topic alone, and a listener
    brings its orders from there into the database. These helpers are killed at each of their steps, too.
    """
    topic, made = kafka.topic("orders"), _orders(seed)
    killed, beside, stored = _captured(kafka, topic, made) if way == _CAPTURE else _told(kafka, topic, made, way)
    published = Counter(record.key for record in read(kafka, topic))
    return Books(made, stored, published, killed, beside)


Outcome = tuple[Mapping[str, str], Sequence[str], frozenset[str]]
"""At which step the shop was killed, by order; at which steps its helper was; and the orders in the database."""


def _told(kafka: Kafka, topic: str, made: Sequence[Fact], way: Way) -> Outcome:
    """A shop on SQLite that says itself what it has done, to whomever its ``way`` tells."""
    with tempfile.TemporaryDirectory() as directory:
        database = Path(directory) / "shop.db"
        orders.make(database)
        where = {"database": str(database), "topic": topic, "config": kafka.config()}
        killed = _lives(made, STEPS[way], orders.shop, way=way, **where)
        relay = Actor(outbox.relay, outbox=str(database), topic=topic, config=kafka.config(**_IDEMPOTENT))
        beside: Sequence[str] = ()
        if way == "outbox":
            beside = _struck("relay", relay, ("acknowledged", "noted"))
        elif way == "listen to yourself":
            beside = _struck("listener", Actor(orders.listen, **where), LISTENING)
        return killed, beside, frozenset(orders.stored(database))


def _captured(kafka: Kafka, topic: str, made: Sequence[Fact]) -> Outcome:
    """A shop on PostgreSQL that knows of no topic."""
    url = make_url(cluster.database(postgres=True))
    if url.get_backend_name() != "postgresql":
        raise LabError(f"{url.get_backend_name()} does not let you follow its log. {captured.CURE}")
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with captured.place(plain) as place:
        where = place._asdict()
        killed = _lives(made, STEPS[_CAPTURE], captured.shop, **where)
        relay = Actor(captured.relay, topic=topic, config=kafka.config(**_IDEMPOTENT), **where)
        return killed, _struck("relay", relay, captured.RELAYING), frozenset(captured.stored(place))


def _lives(made: Sequence[Fact], steps: Sequence[str], shop: Callable[..., None], **options: object) -> dict[str, str]:
    """All lives of the shop; gives at which step it was killed, by order."""
    killed, taken = dict[str, str](), [order.encode().decode() for order in made]
    for life, step in enumerate(steps):
        with Actor(shop, orders=taken[2 * life : 2 * life + 2], **options) as process:
            process.until(step, times=2)
            process.kill()
        killed[made[2 * life + 1].key] = step
    with Actor(shop, orders=taken[2 * len(killed) :], **options) as process:
        process.finish()
    return killed


def _struck(name: str, helper: Actor, steps: Sequence[str]) -> list[str]:
    """Another process that the way needs, killed at each of its steps; gives those."""
    with helper as process:
        for step in steps:
            process.until(step)
            process.restart()
        process.finish()
    return [f"{name}: {step}" for step in steps]


def _orders(seed: int) -> list[Fact]:
    random = Random(seed)  # noqa: S311 orders that repeat, not secrets
    return [
        Fact(f"order-{number}", 1, "OrderPlaced", f"{random.randint(1, 5)} × {random.choice(_PRODUCTS)}", "shop")
        for number in range(1, ORDERS + 1)
    ]


PITFALL = Pitfall(
    id="P33",
    hypothesis="A shop that writes to its database and then to Kafka loses an event whenever it dies between the two.",
    workload=f"{ORDERS} orders, one after the other; the shop is killed once at each step between the two writes",
    metric=None,
    unit=Books.unit,
    run=run,
    broken={"way": "commit, then publish"},
    cured={"way": "outbox"},
    seed=7,
    budget=30,
    brokers=1,
    sources=(
        "https://github.com/kbastani/event-sourcing-microservices-example/issues/28",
        "https://github.com/opendefender/OpenRisk/issues/344",
        "https://github.com/cookpad/streamy/pull/127",
    ),
)
