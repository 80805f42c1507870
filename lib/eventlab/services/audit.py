"""What the services say, beside what the cart's events say: how much is right, wrong and missing."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import altair
import pandas as pd

from eventlab import show
from eventlab.events.codec import JsonCodec
from eventlab.services import cart_team, contract
from eventlab.services.lag import MARGIN
from eventlab.services.team import Event
from eventlab.show import markup
from eventlab.show.charts import WIDTH, Figure
from eventlab.show.palette import GREEN, ORANGE, VERMILLION

Rows = Mapping[tuple[Any, ...], tuple[Any, ...]]
_BAR = 60  # pixels for each service
_COLOURS = {"right": GREEN, "missing": ORANGE, "wrong": VERMILLION}


class Bought(NamedTuple):
    """An order: who bought how many pieces of what, for how much."""

    customer: str
    pieces: Mapping[str, int]
    cents: int


def in_carts(events: Iterable[Event]) -> dict[str, Bought]:
    """What was bought, as the carts say: each folded from its events by the cart team's newest program."""
    codec = JsonCodec(cart_team.RELEASES[max(cart_team.RELEASES)])
    stories: dict[str, list[object]] = defaultdict(list)
    for event in events:
        stories[event.key].append(codec.decode(event.type, 1, event.data))
    carts = {name: cart_team.decider.fold(story) for name, story in stories.items()}
    return {
        name: Bought(cart.customer, {product: line.quantity for product, line in cart.lines.items()}, cart.total.minor)
        for name, cart in carts.items()
        if cart.status == "checked out"
    }


def as_published(events: Iterable[Event]) -> dict[str, Bought]:
    """What was bought, as the published orders say."""
    orders = [contract.decode(event.data) for event in events]
    return {
        order.order: Bought(order.customer, {line.product: line.pieces for line in order.lines}, order.total)
        for order in orders
    }


def truth(orders: Mapping[str, Bought]) -> dict[str, Rows]:
    """What each service should say of these orders: its rows, by their keys. Worked out without any of its code."""
    taken: Counter[str] = Counter()
    together: Counter[tuple[str, str]] = Counter()
    for order in orders.values():
        taken.update(order.pieces)
        together.update(combinations(sorted(order.pieces), 2))
    return {
        "orders": {(name,): (each.customer, sum(each.pieces.values()), each.cents) for name, each in orders.items()},
        "stock": {(product,): (pieces,) for product, pieces in taken.items()},
        "recommendations": {pair: (number,) for pair, number in together.items()},
    }


@dataclass(frozen=True)
class Finding:
    """One service: its state, how many records it is behind, what it says (``shown``) and what is true."""

    service: str
    state: str
    lag: int
    shown: Rows
    truth: Rows

    @property
    def missing(self) -> list[tuple[Any, ...]]:
        """Keys that it should know and does not."""
        return [key for key in self.truth if key not in self.shown]

    @property
    def wrong(self) -> list[tuple[Any, ...]]:
        """Keys of which it says something that is not so."""
        return [key for key, said in self.shown.items() if self.truth.get(key) != said]

    @property
    def right(self) -> list[tuple[Any, ...]]:
        """Keys of which it says what is true."""
        return [key for key, said in self.shown.items() if self.truth.get(key) == said]

    @property
    def correct(self) -> bool:
        """Whether it says all that is true, and nothing else."""
        return self.shown == self.truth

    def table(self) -> pd.DataFrame:
        """A row per key: what the service says of it, and what is true."""
        keys = list(dict.fromkeys([*self.truth, *self.shown]))
        return pd.DataFrame(
            {
                self.service: " + ".join(map(str, key)),
                "says": _value(self.shown.get(key)),
                "true": _value(self.truth.get(key)),
            }
            for key in keys
        )


def _value(said: tuple[Any, ...] | None) -> Any:
    """One value alone, several as they are; nothing for a row that is not there."""
    return said[0] if said and len(said) == 1 else said


class Audit(dict[str, Finding]):
    """The findings, by the name of the service."""

    @property
    def stopped(self) -> int:
        """How many services do not run."""
        return sum(finding.state != "running" for finding in self.values())

    @property
    def correct(self) -> int:
        """How many services say all that is true, and nothing else."""
        return sum(finding.correct for finding in self.values())

    @property
    def count(self) -> int:
        """How many rows are missing or wrong, over all views."""
        return sum(len(finding.missing) + len(finding.wrong) for finding in self.values())

    def table(self) -> pd.DataFrame:
        """A row per service; right, missing and wrong are rows of its view."""
        return pd.DataFrame(
            {
                "service": finding.service,
                "state": finding.state,
                "lag": finding.lag,
                "right": len(finding.right),
                "missing": len(finding.missing),
                "wrong": len(finding.wrong),
            }
            for finding in self.values()
        )

    def picture(self) -> Figure:
        """A bar per service: which share of what it should say is right, missing and wrong."""
        table = self.table()
        long = table.melt(["service", "state"], list(_COLOURS), "found", "rows")
        long["share"] = 100 * long["rows"] / long.groupby("service")["rows"].transform("sum")
        long["order"] = long["found"].map(list(_COLOURS).index)
        chart = (
            altair.Chart(long, width=WIDTH, height=_BAR * len(table), padding=MARGIN)
            .mark_bar()
            .encode(
                x=altair.X("share:Q", title="% of what the service should say").scale(domain=[0, 100]),
                y=altair.Y("service:N", sort=None, title=None),
                color=altair.Color("found:N", title=None).scale(domain=list(_COLOURS), range=list(_COLOURS.values())),
                order="order:Q",
            )
        )
        said = [
            f"{row.service}, {row.state}, {row.lag} behind: {row.right} right, {row.missing} missing, {row.wrong} wrong"
            for row in table.itertuples()
        ]
        return show.figure(chart, f"A bar per service. {'; '.join(said)}.", table)

    def __repr__(self) -> str:
        return str(self.table().to_string(index=False))

    def _repr_html_(self) -> str:
        return markup.frame_table(self.table())


def rows(answer: Iterable[tuple[Any, ...]], values: int) -> Rows:
    """The rows of a view by their keys: all columns but the last ``values``."""
    return {row[:-values]: row[-values:] for row in answer}
