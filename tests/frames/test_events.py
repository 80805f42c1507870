from dataclasses import dataclass
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from eventlab.domain.account import AccountOpened, Deposited
from eventlab.domain.cart import CartCreated, CheckedOut, ItemAdded, QuantityChanged
from eventlab.domain.money import Money
from eventlab.events.catalogue import registry as catalogue
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.events.registry import TypeRegistry
from eventlab.frames import frame
from eventlab.store import MemoryEventStore

CART, ACCOUNT = StreamId("cart", "17"), StreamId("account", "1")
NOW = datetime(2026, 3, 3, 18, tzinfo=UTC)
PRICE = Money.of("49.90", "EUR")


@dataclass(frozen=True)
class Reviewed:
    """Its fields have the names of others, and kinds that no example event has."""

    version: str
    quantity: str
    stars: float
    verified: bool
    tip: Money | None
    at: datetime
    tags: tuple[str, ...]


def framed(*events: object, stream: StreamId = CART) -> pd.DataFrame:
    store = MemoryEventStore(TypeRegistry([*(entry.cls for entry in catalogue), Reviewed]), clock=lambda: NOW)
    store.append(stream, [NewEvent(event) for event in events])
    return frame(store.read_all())


def test_one_row_per_event_with_its_envelope_first() -> None:
    log = framed(CartCreated("Ana", "EUR"), ItemAdded("trousers", 3, PRICE))
    assert list(log.columns[:6]) == ["stream", "version", "position", "type", "valid_time", "recorded_time"]
    assert log["stream"].tolist() == ["cart-17", "cart-17"]
    assert log["version"].tolist() == [1, 2]
    assert log["type"].tolist() == ["CartCreated", "ItemAdded"]
    assert log["valid_time"].tolist() == [pd.Timestamp(NOW)] * 2


def test_each_field_is_a_column_missing_where_an_event_has_no_such_field() -> None:
    log = framed(CartCreated("Ana", "EUR"), ItemAdded("trousers", 3, PRICE), QuantityChanged("trousers", 3, 1))
    assert log["customer"].isna().tolist() == [False, True, True]
    assert log["product"].tolist()[1:] == ["trousers", "trousers"]
    assert log["quantity"].isna().tolist() == [True, False, True]
    assert log.loc[1, "quantity"] == 3


def test_columns_have_the_type_of_their_field() -> None:
    log = framed(
        AccountOpened("Ana", "EUR", Money(0, "EUR"), date(2026, 3, 1)),
        Deposited(PRICE, date(2026, 3, 3)),
        stream=ACCOUNT,
    )
    assert {name: str(dtype) for name, dtype in log.dtypes.items()} == {
        "stream": "str",
        "version": "int64",
        "position": "int64",
        "type": "category",
        "valid_time": "datetime64[us, UTC]",
        "recorded_time": "datetime64[us, UTC]",
        "owner": "str",
        "currency": "str",
        "overdraft_limit_minor": "Int64",
        "overdraft_limit_currency": "category",
        "on": "datetime64[us]",
        "amount_minor": "Int64",
        "amount_currency": "category",
        "text": "str",
        "reference": "str",
        "value_date": "datetime64[us]",
    }
    assert log["on"].tolist() == [pd.Timestamp(2026, 3, 1), pd.Timestamp(2026, 3, 3)]
    assert log["value_date"].isna().all()


def test_money_adds_up_to_the_cent() -> None:
    log = framed(*[CheckedOut(Money(10**15 + 1, "EUR"))] * 1_000)
    assert log["total_minor"].sum() == 1_000 * (10**15 + 1)
    assert log["total_currency"].cat.categories.tolist() == ["EUR"]


def test_names_and_kinds_that_collide_are_kept_apart() -> None:
    review = Reviewed("v2", "many", 4.5, True, None, NOW, ("warm",))
    log = framed(ItemAdded("trousers", 3, PRICE), review)
    assert log["version"].tolist() == [1, 2]
    assert log["event_version"].tolist()[1] == "v2"
    assert log["quantity"].tolist() == [3, "many"]
    assert log["tip_minor"].isna().all()
    assert log["tags"].tolist()[1] == ("warm",)
    assert [str(log[name].dtype) for name in ("stars", "verified", "at")] == [
        "Float64",
        "boolean",
        "datetime64[us, UTC]",
    ]


def test_no_events_are_no_rows_with_the_same_columns() -> None:
    log = frame([])
    assert len(log) == 0
    assert str(log["valid_time"].dtype) == "datetime64[us, UTC]"


@pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 12, 31)])
def test_no_day_is_out_of_range(day: date) -> None:
    log = framed(Deposited(PRICE, day), stream=ACCOUNT)
    assert log["on"].dt.date.tolist() == [day]
