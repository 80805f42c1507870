"""The shop of lesson 01: the same customers kept in tables, and what their events can still be asked."""

from collections.abc import Iterable

import pandas as pd
from sqlalchemy.orm import Session

from eventlab import crud, show
from eventlab.domain.cart import (
    CartAbandoned,
    CartCreated,
    CheckedOut,
    Event,
    ItemAdded,
    ItemRemoved,
    QuantityChanged,
)
from eventlab.show.charts import Figure


class Tables:
    """A shop that keeps its carts in two tables, in SQLite's memory: a row per cart, a row per product in it."""

    def __init__(self) -> None:
        self._database = crud.Database("sqlite://")

    def keep(self, cart: str, story: Iterable[Event]) -> None:
        """Change the tables as the customer goes through ``story``: a click, a transaction, as in a web shop."""
        for event in story:
            with self._database.transaction(who="shop") as session:
                _change(session, cart, event)

    def rows(self) -> pd.DataFrame:
        """All that the tables know: a row per cart with its customer, its status and what is in it."""
        carts = pd.read_sql("SELECT id AS cart, customer, status FROM carts", self._database.engine, index_col="cart")
        lines = pd.read_sql("SELECT * FROM cart_lines ORDER BY product", self._database.engine)
        pieces = lines["quantity"].astype(str) + " " + lines["product"]
        contents = pieces.groupby(lines["cart_id"]).agg(", ".join)
        return carts.assign(contents=contents.reindex(carts.index, fill_value="nothing"))


def _change(session: Session, cart: str, event: Event) -> None:
    if isinstance(event, CartCreated):
        crud.Cart.create(session, cart, event.customer, event.currency)
        return
    row = session.get_one(crud.Cart, cart)
    match event:
        case ItemAdded(product, quantity, price):
            row.add(product, quantity, price)
        case ItemRemoved(product, quantity):
            row.remove(product, quantity)
        case QuantityChanged(product, _, after):
            row.change_quantity(product, after)
        case CheckedOut():
            row.check_out()
        case CartAbandoned():
            row.abandon()


def put_back(log: pd.DataFrame) -> Figure:
    """Of the carts that held a product, in how many per cent it was put back: a bar per product, highest first.

    ``log``: the events of carts as :func:`eventlab.frames.frame` gives them.
    """
    carts = log.groupby(["product", "type"])["stream"].nunique().unstack(fill_value=0)
    carts = carts.reindex(columns=["ItemAdded", "ItemRemoved"], fill_value=0)
    share = (100 * carts["ItemRemoved"] / carts["ItemAdded"]).round(1).sort_values(ascending=False)
    table = pd.DataFrame(
        {
            "product": share.index,
            "put back, % of carts": share.to_numpy(),
            "put back": carts["ItemRemoved"].reindex(share.index).to_numpy(),
            "carts that held it": carts["ItemAdded"].reindex(share.index).to_numpy(),
        }
    )
    most, least = table.iloc[0], table.iloc[-1]
    alt = (
        f"Of the carts that held a product, the share in which it was put back: most often {most['product']}, "
        f"{most.iloc[1]} %; least often {least['product']}, {least.iloc[1]} %."
    )
    return show.bars(table, "product", "put back, % of carts", alt)
