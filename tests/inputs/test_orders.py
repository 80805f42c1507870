"""Order lines become carts, once, and no cent is lost."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventlab.domain import cart
from eventlab.domain.money import Money
from eventlab.events.envelope import StreamId
from eventlab.inputs import InputError, OrderFile, import_file, read, sample
from eventlab.store import MemoryEventStore, SqlEventStore


def carts(store: MemoryEventStore) -> dict[StreamId, cart.Cart]:
    streams: dict[StreamId, list[cart.Event]] = {}
    for recorded in store.read_all():
        streams.setdefault(recorded.stream, []).append(recorded.event)  # type: ignore[arg-type]
    return {stream: cart.decider.fold(events) for stream, events in streams.items()}


def test_lines_of_one_customer_at_one_time_are_one_cart() -> None:
    store = MemoryEventStore()
    report = import_file(sample("order-lines.csv"), store)
    assert (report.read, report.stored, report.known, report.reconciles) == (6, 6, 0, None)
    found = carts(store)
    assert [(c.customer, c.status, c.total.amount) for c in found.values()] == [
        ("ana", "checked out", Money(16960, "EUR").amount),
        ("ben", "checked out", Money(2700, "EUR").amount),
        ("ana", "checked out", Money(4990, "EUR").amount),
        ("chloe", "checked out", Money(7500, "EUR").amount),  # one product at two prices
    ]
    first = next(store.read_all())
    assert first.valid_time == datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
    again = import_file(sample("order-lines.csv"), store)
    assert (again.stored, again.known) == (0, 6)


def test_a_shop_that_fills_the_time_in_the_first_line_only() -> None:
    found = read(sample("shopify.csv"))
    assert isinstance(found, OrderFile)
    assert [(order.key, len(order.lines)) for order in found.orders] == [("#1001", 2), ("#1002", 1)]
    assert found.orders[0].time.utcoffset() == timedelta(hours=1)


def test_a_purchase_log_has_two_equal_purchases_on_one_day() -> None:
    store = MemoryEventStore()
    assert import_file(sample("purchase-log.txt"), store).stored == 4
    totals = [state.total for state in carts(store).values()]
    assert totals == [Money(14970, "USD"), Money(4990, "USD"), Money(2933, "USD"), Money(2933, "USD")]


quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(
    purchases=st.lists(st.tuples(st.integers(1, 99), st.integers(0, 30), st.integers(1, 40), st.integers(0, 50_000)))
)
def test_every_purchase_of_a_log_keeps_its_pieces_and_its_total(
    tmp_path: Path, purchases: list[tuple[int, int, int, int]]
) -> None:
    if not purchases:
        return
    path = tmp_path / "log.txt"
    start = datetime(1997, 1, 1, tzinfo=UTC)
    path.write_text(
        "\r\n".join(
            f" {customer:05} {n:04} {start + timedelta(days=day):%Y%m%d} {pieces:2} {cents / 100:7.2f}"
            for n, (customer, day, pieces, cents) in enumerate(purchases)
        )
    )
    store = MemoryEventStore()
    import_file(path, store)
    found = list(carts(store).values())
    assert [state.total.minor for state in found] == [cents for _, _, _, cents in purchases]
    assert [sum(line.quantity for line in state.lines.values()) for state in found] == [p for _, _, p, _ in purchases]


def test_a_changed_order_is_refused_with_nothing_stored(tmp_path: Path) -> None:
    store = MemoryEventStore()
    path = tmp_path / "orders.csv"
    path.write_text("order,customer,time,product,quantity,price\n7,ana,2026-03-02T09:00Z,socks,1,4.50\n")
    import_file(path, store)
    path.write_text(
        "order,customer,time,product,quantity,price\n"
        "6,ben,2026-03-02T09:00Z,belt,1,19.90\n"
        "7,ana,2026-03-02T09:00Z,socks,2,4.50\n"
    )
    before = list(store.read_all())
    with pytest.raises(InputError, match="order 7 is stored already, with other lines") as error:
        import_file(path, store)
    assert error.value.where == "line 3"
    assert list(store.read_all()) == before


def test_many_orders_into_a_database_in_one_go(tmp_path: Path, sqlite_url: str) -> None:
    path = tmp_path / "log.txt"
    path.write_text("".join(f"{n:05} {n:04} 19970101  2   29.33\n" for n in range(300)))
    store = SqlEventStore(sqlite_url)
    assert import_file(path, store).stored == 300
    assert import_file(path, store).known == 300
    assert sum(1 for _ in store.read_all()) == 300 * 4
    store.close()


@pytest.mark.parametrize(
    ("line", "where", "what"),
    [
        ("ana,2026-03-02T09:00Z,socks,0,4.50", "column 'quantity'", "'0' is not a whole number above zero"),
        ("ana,2026-03-02T09:00Z,socks,-1,4.50", "column 'quantity'", "'-1' is not a whole number above zero"),
        ("ana,2026-03-02T09:00Z,socks,1,-4.50", "column 'price'", "below zero"),
        ("ana,2026-03-02T09:00Z,socks,1,abc", "column 'price'", "'abc' is not an amount"),
        ("ana,2026-13-02T09:00Z,socks,1,4.50", "column 'time'", "is not a time"),
        ("ana,2026-03-02T09:00Z,,1,4.50", "column 'product'", "no product"),
        (",2026-03-02T09:00Z,socks,1,4.50", "column 'customer'", "no customer"),
        ("ana,2026-03-02T09:00Z,socks,1", "line 3", "4 columns, the header 5"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, where: str, what: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"customer,time,product,quantity,price\nben,2026-03-02T09:00Z,belt,1,19.90\n{line}\n")
    store = MemoryEventStore()
    with pytest.raises(InputError, match=what) as error:
        import_file(path, store)
    assert where in error.value.where
    assert "line 3" in error.value.where
    assert not list(store.read_all())


def test_a_cut_off_purchase_log_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text(" 00004 0001 19970101  2   29.33\n 00004 0001 1997")
    with pytest.raises(InputError, match="is not customer, number, date, quantity, dollars") as error:
        read(path)
    assert error.value.where == "line 2"
