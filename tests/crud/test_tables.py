from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import inspect

from eventlab.crud import Account, Cart, Database
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


@pytest.fixture
def database(sql_url: str) -> Iterator[Database]:
    database = Database(sql_url, clock=lambda: datetime(2026, 3, 3, 18, tzinfo=UTC))
    yield database
    database.close()


def test_the_last_state_is_what_another_program_finds(database: Database, sql_url: str) -> None:
    with database.transaction("shop") as session:
        cart = Cart.create(session, "1", "ana", "EUR")
        cart.add("trousers", 3, eur("40"))
        cart.remove("trousers", 2)
        cart.add("socks", 2, eur("4.50"))
        cart.check_out()
    other = Database(sql_url)
    with other.transaction("support") as session:
        found = session.get_one(Cart, "1")
    assert (found.status, found.total) == ("checked out", eur("49"))
    assert {product: line.quantity for product, line in found.lines.items()} == {"socks": 2, "trousers": 1}
    other.close()


def test_a_product_comes_back_after_it_was_taken_out(database: Database) -> None:
    with database.transaction("shop") as session:
        Cart.create(session, "1", "ana", "EUR").add("trousers", 3, eur("40"))
    with database.transaction("shop") as session:
        cart = session.get_one(Cart, "1")
        cart.remove("trousers", 3)
        cart.add("trousers", 1, eur("35"))
    with database.transaction("shop") as session:
        assert session.get_one(Cart, "1").total == eur("35")
    entries = [(entry.column_name, entry.old, entry.new) for entry in database.audit() if entry.row_id == "1/trousers"]
    changed = [entry for entry in entries if entry[0] in ("quantity", "price_minor")]
    assert changed[2:] == [
        ("quantity", "3", None),
        ("price_minor", "4000", None),
        ("quantity", None, "1"),
        ("price_minor", None, "3500"),
    ]


def test_a_transfer_changes_both_rows_or_neither(database: Database) -> None:
    with database.transaction("bank") as session:
        Account.open(session, "ana", "ana", eur("10"))
        Account.open(session, "ben", "ben", eur("0"))
    with database.transaction("bank") as session:
        session.get_one(Account, "ana").transfer(eur("10"), to=session.get_one(Account, "ben"))

    def too_much() -> None:
        with database.transaction("bank") as session:
            session.get_one(Account, "ben").deposit(eur("5"))
            session.get_one(Account, "ana").transfer(eur("1"), to=session.get_one(Account, "ben"))

    with pytest.raises(Refused, match=r"0\.00 EUR is available"):
        too_much()
    with database.transaction("bank") as session:
        assert [session.get_one(Account, key).balance for key in ("ana", "ben")] == [eur("-10"), eur("10")]


@pytest.mark.parametrize(
    ("key", "customer", "currency", "message"),
    [
        ("1", "ben", "EUR", "1 exists already"),
        ("2", " ", "EUR", "needs a customer"),
        ("2", "ben", "euro", "three capital letters"),
    ],
)
def test_a_cart_that_cannot_be_is_refused(
    database: Database, key: str, customer: str, currency: str, message: str
) -> None:
    with database.transaction("shop") as session:
        Cart.create(session, "1", "ana", "EUR")
    with pytest.raises(Refused, match=message), database.transaction("shop") as session:
        Cart.create(session, key, customer, currency)


@pytest.mark.parametrize(
    ("key", "owner", "limit", "message"),
    [
        ("ana", "ana", "0", "ana exists already"),
        ("ben", " ", "0", "needs an owner"),
        ("ben", "ben", "-1", "the overdraft limit -1.00 EUR is below zero"),
    ],
)
def test_an_account_that_cannot_be_is_refused(
    database: Database, key: str, owner: str, limit: str, message: str
) -> None:
    with database.transaction("bank") as session:
        Account.open(session, "ana", "ana", eur("0"))
    with pytest.raises(Refused, match=message), database.transaction("bank") as session:
        Account.open(session, key, owner, eur(limit))


def test_the_tables_hold_no_history(database: Database) -> None:
    """What the lesson says: beside the audit, no column says when or why."""
    columns = {name: {c["name"] for c in inspect(database.engine).get_columns(name)} for name in ("carts", "accounts")}
    assert columns == {
        "carts": {"id", "customer", "currency", "status"},
        "accounts": {"id", "owner", "currency", "overdraft_minor", "balance_minor", "status"},
    }


def test_a_database_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a database URL"):
        Database("shop.db")
    with pytest.raises(ValueError, match="not a database URL"):
        Database("nosuch://shop")
    with pytest.raises(ConnectionError, match="cannot be used"):
        Database(f"sqlite:///{tmp_path}/nowhere/shop.db")
    with pytest.raises(ConnectionError) as refused:
        Database("postgresql+psycopg://ana:secret@127.0.0.1:1/shop")
    assert "secret" not in str(refused.value)
