"""The tables and the deciders are the same cart and the same account: same last state, same refusals."""

from collections.abc import Callable
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from eventlab import crud
from eventlab.domain import account, cart
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money

DAY = date(2026, 3, 1)
PRODUCTS = st.sampled_from(["trousers", "socks", " "])
QUANTITIES = st.integers(-1, 4)
AMOUNTS = st.builds(Money, st.integers(-1, 300), st.sampled_from(["EUR", "EUR", "EUR", "USD"]))

CART_COMMANDS: st.SearchStrategy[cart.Command] = st.one_of(
    st.builds(cart.AddItem, PRODUCTS, QUANTITIES, AMOUNTS),
    st.builds(cart.RemoveItem, PRODUCTS, QUANTITIES),
    st.builds(cart.ChangeQuantity, PRODUCTS, QUANTITIES),
    st.just(cart.CheckOut()),
    st.just(cart.Abandon("too slow")),
)
ACCOUNT_COMMANDS: st.SearchStrategy[account.Command] = st.one_of(
    st.builds(account.Deposit, AMOUNTS, st.just(DAY)),
    st.builds(account.Withdraw, AMOUNTS, st.just(DAY)),
    st.builds(account.ChargeFee, AMOUNTS, st.just(DAY)),
    st.builds(account.Correct, AMOUNTS.map(lambda amount: -amount), st.just(DAY), st.just("wrong")),
    st.just(account.CloseAccount(DAY, "moving")),
)


def on_cart(row: crud.Cart, command: cart.Command) -> None:
    match command:
        case cart.AddItem(product, quantity, price):
            row.add(product, quantity, price)
        case cart.RemoveItem(product, quantity):
            row.remove(product, quantity)
        case cart.ChangeQuantity(product, quantity):
            row.change_quantity(product, quantity)
        case cart.CheckOut():
            row.check_out()
        case cart.Abandon():
            row.abandon()


def on_account(row: crud.Account, command: account.Command) -> None:
    match command:
        case account.Deposit(amount):
            row.deposit(amount)
        case account.Withdraw(amount):
            row.withdraw(amount)
        case account.ChargeFee(amount):
            row.charge_fee(amount)
        case account.Correct(amount):
            row.correct(amount)
        case account.CloseAccount():
            row.close()


def refusal(action: Callable[[], object]) -> str:
    try:
        action()
    except Refused as refused:
        return str(refused)
    return ""


@given(st.lists(CART_COMMANDS, max_size=12), st.integers(1, 4))
def test_the_cart_in_tables_is_the_cart_of_the_decider(commands: list[cart.Command], per_transaction: int) -> None:
    database = crud.Database("sqlite://")
    state = cart.decider.fold([cart.CartCreated("ana", "EUR")])
    with database.transaction("shop") as session:
        crud.Cart.create(session, "1", "ana", "EUR")
    for start in range(0, len(commands), per_transaction):
        with database.transaction("shop") as session:
            row = session.get_one(crud.Cart, "1")
            for command in commands[start : start + per_transaction]:
                decided: list[cart.Event] = []
                expected = refusal(lambda c=command, s=state, d=decided: d.extend(cart.decider.decide(c, s)))
                assert refusal(lambda c=command, r=row: on_cart(r, c)) == expected
                state = cart.decider.fold(decided, state)
    with database.transaction("shop") as session:
        row = session.get_one(crud.Cart, "1")
    assert (row.status, row.customer, row.currency, row.total) == (
        state.status, state.customer, state.currency, state.total,
    )  # fmt: skip
    assert {product: (line.quantity, line.price_minor) for product, line in row.lines.items()} == {
        product: (line.quantity, line.price.minor) for product, line in state.lines.items()
    }
    database.close()


@given(st.lists(ACCOUNT_COMMANDS, max_size=12))
def test_the_account_in_a_table_is_the_account_of_the_decider(commands: list[account.Command]) -> None:
    database = crud.Database("sqlite://")
    limit = Money(100, "EUR")
    state = account.decider.fold([account.AccountOpened("ana", "EUR", limit, DAY)])
    with database.transaction("bank") as session:
        row = crud.Account.open(session, "ana", "ana", limit)
        for command in commands:
            decided: list[account.Event] = []
            expected = refusal(lambda c=command, s=state, d=decided: d.extend(account.decider.decide(c, s)))
            assert refusal(lambda c=command, r=row: on_account(r, c)) == expected
            state = account.decider.fold(decided, state)
    assert (row.status, row.owner, row.balance, row.available) == (
        state.status, state.owner, state.balance, state.available,
    )  # fmt: skip
    database.close()
