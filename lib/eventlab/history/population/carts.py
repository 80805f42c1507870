"""All carts at once.

What an event says is what it changes, if it fits the cart as its stream has it so far: then pieces can be added up in
any order. Where that does not hold, the decider folds the cart: in streams that were imported with events which the
rules do not allow, and where a cut leaves out an event between others, because it was booked late.
"""

from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl

from eventlab.domain.cart import (
    EVENTS,
    Cart,
    CartAbandoned,
    CartCreated,
    CheckedOut,
    Event,
    ItemAdded,
    ItemRemoved,
    QuantityChanged,
    decider,
)
from eventlab.domain.money import NO_CURRENCY, Money
from eventlab.history.population.kind import Kind

_PRODUCTS = 2**32  # a line is an entity and a product in one number, which groups faster than two columns
_STATUS = {"CartCreated": "open", "CheckedOut": "checked out", "CartAbandoned": "abandoned"}
_CONTENTS = {"total_minor": pl.Int64, "lines": pl.UInt32, "pieces": pl.Int64}


class _Rows:
    """The columns of each event, and whether it ``fits`` what its cart holds."""

    def __init__(self) -> None:
        self._entities = 0
        self._products: dict[str, int] = {}
        self._open: dict[int, tuple[str, dict[str, int]]] = {}  # currency, and pieces per product

    def __call__(self, entity: int, event: Event) -> tuple[object, ...]:
        """Customer, currency, product, its number, quantity, quantity before, price, fits."""
        first = entity == self._entities  # they are numbered as they come
        self._entities += first
        match event:
            case CartCreated(customer, currency):
                self._open[entity] = currency, {}
                return customer, currency, None, None, None, None, None, first
            case ItemAdded(product, quantity, price):
                fits = self._add(entity, product, quantity, price.currency)
                return None, price.currency, product, self._number(product), quantity, None, price.minor, fits
            case ItemRemoved(product, quantity):
                fits = quantity > 0 and self._add(entity, product, -quantity)
                return None, None, product, self._number(product), quantity, None, None, fits
            case QuantityChanged(product, before, after):
                fits = before == self._held(entity, product) > 0 and self._add(entity, product, after - before)
                return None, None, product, self._number(product), after, before, None, fits
            case CheckedOut() | CartAbandoned():
                self._open.pop(entity, None)
        return None, None, None, None, None, None, None, True

    def _number(self, product: str) -> int:
        return self._products.setdefault(product, len(self._products))

    def _held(self, entity: int, product: str) -> int:
        return self._open[entity][1].get(product, 0) if entity in self._open else 0

    def _add(self, entity: int, product: str, pieces: int, currency: str | None = None) -> bool:
        if entity not in self._open or currency not in (None, self._open[entity][0]):
            return False
        held = self._held(entity, product) + pieces
        self._open[entity][1][product] = held
        return held >= 0


def _states(cut: pl.LazyFrame) -> pl.DataFrame:
    # One after the other: as one query they would share what is read, and hold all of it in memory for that.
    carts, contents = _heads(cut).collect(engine="streaming"), _contents(cut).collect(engine="streaming")
    found = carts.join(contents, on="entity", how="left").with_columns(
        pl.col(name).fill_null(0).cast(dtype) for name, dtype in _CONTENTS.items()
    )
    odd = found.filter(~pl.col("sure")).select("entity")
    if odd.height:
        found = found.update(_folded(cut.join(odd.lazy(), on="entity", how="semi")), on="entity")
    return found.select("entity", "status", "customer", "currency", *_CONTENTS, "events")


def _contents(cut: pl.LazyFrame) -> pl.LazyFrame:
    """What is in the carts in which every event fits."""
    removed = pl.col("type") == "ItemRemoved"
    said = pl.when(removed).then(-pl.col("quantity")).otherwise(pl.col("quantity") - pl.col("before").fill_null(0))
    line = pl.col("entity").cast(pl.UInt64) * _PRODUCTS + pl.col("line").cast(pl.UInt64)
    return (
        cut.filter(pl.col("line").is_not_null())
        .select("price_minor", line=line, pieces=said)
        .group_by("line")
        .agg(pl.col("pieces").sum(), pl.col("price_minor").last(ignore_nulls=True))  # one price for all, the latest
        .group_by(entity=(pl.col("line") // _PRODUCTS).cast(pl.UInt32))
        .agg(
            total_minor=(pl.col("pieces") * pl.col("price_minor")).sum(),
            lines=(pl.col("pieces") > 0).sum(),
            pieces=pl.col("pieces").sum(),
        )
    )


def _heads(cut: pl.LazyFrame) -> pl.LazyFrame:
    """All else about the carts, and whether every event fits and none is left out."""
    began = pl.when(pl.col("type") == "CartCreated").then("currency")
    status = pl.when(pl.col("type").is_in(list(_STATUS))).then("type")
    return (
        cut.select("entity", "version", "customer", "currency", "fits", began=began, status=status)
        .group_by("entity")
        .agg(
            pl.col("status", "customer", "began").last(ignore_nulls=True),
            pl.col("currency").first(ignore_nulls=True),
            pl.col("fits").all(),
            last=pl.col("version").max(),
            events=pl.len(),
        )
        .select(
            "entity",
            pl.col("status").cast(pl.String).replace(_STATUS).fill_null("none"),
            pl.col("customer").fill_null(""),
            pl.coalesce("began", "currency").fill_null(NO_CURRENCY).alias("currency"),
            "events",
            sure=pl.col("fits") & (pl.col("last") == pl.col("events")),
        )
    )


def _folded(cut: pl.LazyFrame) -> pl.DataFrame:
    """What is in the carts as the decider folds them. Raises ValueError when a cart mixes currencies."""
    rows = cut.collect(engine="streaming").sort("entity", "version").iter_rows(named=True)
    contents = []
    for entity, events in groupby(rows, itemgetter("entity")):
        told = list(events)
        try:
            found = row(decider.fold(filter(None, map(_event, told))))
        except ValueError as error:
            raise ValueError(f"the total of {told[0]['stream']} is not an amount: {error}") from error
        contents.append({"entity": entity, **{name: found[name] for name in _CONTENTS}})
    return pl.DataFrame(contents, schema={"entity": pl.UInt32, **_CONTENTS})


def _event(told: Mapping[str, Any]) -> Event | None:
    """The event of a row of columns; None when it changes nothing about the contents."""
    match told["type"]:
        case "CartCreated":
            return CartCreated(told["customer"], told["currency"])
        case "ItemAdded":
            return ItemAdded(told["product"], told["quantity"], Money(told["price_minor"], told["currency"]))
        case "ItemRemoved":
            return ItemRemoved(told["product"], told["quantity"])
        case "QuantityChanged":
            return QuantityChanged(told["product"], told["before"], told["quantity"])
        case _:
            return None


def row(cart: Cart) -> dict[str, object]:
    """What the columns tell of a cart."""
    return {
        "status": cart.status,
        "customer": cart.customer,
        "currency": cart.currency,
        "total_minor": cart.total.minor,
        "lines": len(cart.lines),
        "pieces": sum(line.quantity for line in cart.lines.values()),
    }


CARTS = Kind(
    category="cart",
    events=EVENTS,
    schema={
        "customer": pl.String,
        "currency": pl.String,
        "product": pl.String,
        "line": pl.UInt32,
        "quantity": pl.Int64,
        "before": pl.Int64,
        "price_minor": pl.Int64,
        "fits": pl.Boolean,
    },
    rows=_Rows,
    states=_states,
    row=row,
    amount="total_minor",
)
"""Carts: status, customer, currency, total in minor units, number of lines and of pieces."""
