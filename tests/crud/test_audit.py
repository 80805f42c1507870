from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, text, update

from eventlab.crud import Account, Cart, CartLine, Database
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money

NOW = datetime(2026, 3, 3, 18, tzinfo=UTC)


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


@pytest.fixture
def database(sql_url: str) -> Iterator[Database]:
    database = Database(sql_url, clock=lambda: NOW)
    with database.transaction("bank") as session:
        Account.open(session, "ana", "ana", eur("100")).deposit(eur("224.80"))
        Cart.create(session, "1", "ana", "EUR").add("trousers", 3, eur("40"))
    yield database
    database.close()


def test_a_change_is_written_down_with_who_when_old_and_new(database: Database) -> None:
    with database.transaction("clerk") as session:
        session.get_one(Account, "ana").withdraw(eur("12.40"))
    entry = database.audit()[-1]
    assert (entry.at, entry.who, entry.table_name, entry.row_id, entry.column_name, entry.old, entry.new) == (
        NOW, "clerk", "accounts", "ana", "balance_minor", "22480", "21240",
    )  # fmt: skip
    assert str(entry) == "2026-03-03 18:00 clerk: accounts ana, balance_minor: 22480 → 21240"


def test_what_does_not_change_is_not_written(database: Database) -> None:
    before = len(database.audit())
    with database.transaction("clerk") as session:
        session.get_one(Cart, "1").change_quantity("trousers", 3)
    assert len(database.audit()) == before


def test_new_rows_and_removed_rows_are_written_down(database: Database) -> None:
    with database.transaction("shop") as session:
        session.get_one(Cart, "1").remove("trousers", 3)
    lines = [(e.column_name, e.old, e.new) for e in database.audit() if e.table_name == "cart_lines"]
    assert lines == [
        ("cart_id", None, "1"),
        ("product", None, "trousers"),
        ("quantity", None, "3"),
        ("price_minor", None, "4000"),
        ("cart_id", "1", None),
        ("product", "trousers", None),
        ("quantity", "3", None),
        ("price_minor", "4000", None),
    ]


def test_what_is_rolled_back_leaves_no_entry(database: Database) -> None:
    before = len(database.audit())

    def second_thoughts() -> None:
        with database.transaction("clerk") as session:
            account = session.get_one(Account, "ana")
            account.withdraw(eur("12.40"))
            session.flush()
            account.withdraw(eur("10000"))

    with pytest.raises(Refused):
        second_thoughts()
    assert len(database.audit()) == before


def test_the_hole_a_bulk_change_leaves_no_entry(database: Database) -> None:
    """The night job's correction of all balances, the clean-up of old lines, and a fix typed into psql."""
    before = len(database.audit())
    with database.transaction("night job") as session:
        session.execute(
            update(Account).where(Account.status == "open").values(balance_minor=Account.balance_minor - 500)
        )
        session.execute(delete(CartLine).where(CartLine.quantity > 2))
        session.execute(text("UPDATE carts SET customer = 'ben'"))
    with database.transaction("support") as session:
        assert session.get_one(Account, "ana").balance == eur("219.80")
        assert session.get_one(Cart, "1").lines == {}
        assert session.get_one(Cart, "1").customer == "ben"
    assert len(database.audit()) == before


def test_a_row_replaced_by_hand_is_written_down_without_its_old_values(database: Database) -> None:
    with database.transaction("clerk") as session:
        session.delete(session.get_one(CartLine, ("1", "trousers")))
        session.add(CartLine(cart_id="1", product="trousers", quantity=1, price_minor=3500))
    entries = [(e.column_name, e.old, e.new) for e in database.audit() if e.who == "clerk"]
    assert ("quantity", None, "1") in entries
