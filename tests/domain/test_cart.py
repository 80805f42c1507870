import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from msgspec.structs import replace

from eventlab.domain.cart import (
    EVENTS,
    Abandon,
    AddItem,
    Cart,
    CartAbandoned,
    CartCreated,
    ChangeQuantity,
    CheckedOut,
    CheckOut,
    Command,
    CreateCart,
    Event,
    ItemAdded,
    ItemRemoved,
    Line,
    QuantityChanged,
    RemoveItem,
    decider,
)
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money

from .given import given


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


CREATED = CartCreated("ana", "EUR")
THREE_TROUSERS = ItemAdded("trousers", 3, eur("40"))

PRODUCTS = st.sampled_from(["trousers", "socks", "hat"])
QUANTITIES = st.integers(-1, 5)
PRICES = st.integers(-1, 5000).map(lambda minor: Money(minor, "EUR"))
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.just(CreateCart("ana", "EUR")),
    st.builds(AddItem, PRODUCTS, QUANTITIES, PRICES),
    st.builds(RemoveItem, PRODUCTS, QUANTITIES),
    st.builds(ChangeQuantity, PRODUCTS, QUANTITIES),
    st.just(CheckOut()),
    st.just(Abandon("too slow")),
)
ANY_EVENTS: st.SearchStrategy[list[Event]] = st.lists(
    st.one_of(
        st.just(CREATED),
        st.builds(ItemAdded, PRODUCTS, st.integers(1, 5), PRICES),
        st.builds(ItemRemoved, PRODUCTS, st.integers(1, 5)),
        st.builds(QuantityChanged, PRODUCTS, st.integers(1, 5), st.integers(1, 5)),
        st.just(CheckedOut(eur("1"))),
        st.just(CartAbandoned("")),
    )
)


def played(commands: list[Command]) -> list[Event]:
    """The events of a cart which is asked all ``commands`` and refuses some."""
    events: list[Event] = []
    for command in commands:
        try:
            events += decider.decide(command, decider.fold(events))
        except Refused:
            continue
    return events


def test_a_cart_is_created() -> None:
    given(decider).when(CreateCart("ana", "EUR")).then(CREATED)


def test_items_are_added() -> None:
    given(decider, CREATED).when(AddItem("trousers", 3, eur("40"))).then(THREE_TROUSERS)


def test_items_are_removed() -> None:
    given(decider, CREATED, THREE_TROUSERS).when(RemoveItem("trousers", 2)).then(ItemRemoved("trousers", 2))


def test_a_quantity_is_changed() -> None:
    given(decider, CREATED, THREE_TROUSERS).when(ChangeQuantity("trousers", 5)).then(QuantityChanged("trousers", 3, 5))


def test_changing_to_the_same_quantity_is_nothing() -> None:
    given(decider, CREATED, THREE_TROUSERS).when(ChangeQuantity("trousers", 3)).then_nothing()


def test_changing_to_zero_removes_all() -> None:
    given(decider, CREATED, THREE_TROUSERS).when(ChangeQuantity("trousers", 0)).then(ItemRemoved("trousers", 3))


def test_checking_out_says_the_total() -> None:
    past = [CREATED, THREE_TROUSERS, ItemRemoved("trousers", 2), ItemAdded("socks", 2, eur("4.50"))]
    given(decider, *past).when(CheckOut()).then(CheckedOut(eur("49")))


def test_a_cart_is_abandoned() -> None:
    given(decider, CREATED).when(Abandon("too slow")).then(CartAbandoned("too slow"))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (CreateCart("ben", "EUR"), "it exists already, for ana"),
        (AddItem("hat", 0, eur("9")), "cannot add 0 hat: the quantity must be at least 1"),
        (AddItem(" ", 1, eur("9")), "the product has no name"),
        (AddItem("hat", 1, Money.of("9", "USD")), "cannot add 1 hat at 9.00 USD: the cart is in EUR"),
        (AddItem("hat", 1, eur("-9")), "a price is never below zero"),
        (RemoveItem("trousers", 5), "cannot remove 5 trousers: the cart holds 3"),
        (RemoveItem("hat", 1), "cannot remove 1 hat: the cart holds none"),
        (RemoveItem("trousers", -1), "cannot remove -1 trousers: the quantity must be at least 1"),
        (ChangeQuantity("hat", 2), "cannot change hat to 2: the cart holds none"),
        (ChangeQuantity("trousers", -2), "cannot change trousers to -2: the quantity must be 0 or more"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(command: Command, message: str) -> None:
    given(decider, CREATED, THREE_TROUSERS).when(command).then_refused(message)


@pytest.mark.parametrize("command", [CreateCart(" ", "EUR"), CreateCart("ana", "euro")])
def test_a_cart_needs_a_customer_and_a_currency(command: Command) -> None:
    given(decider).when(command).then_refused("cannot create the cart")


def test_an_empty_cart_is_not_checked_out() -> None:
    given(decider, CREATED).when(CheckOut()).then_refused("cannot check out: the cart is empty")


def test_nothing_happens_before_there_is_a_cart() -> None:
    given(decider).when(AddItem("hat", 1, eur("9"))).then_refused("there is no cart yet")


@pytest.mark.parametrize(
    ("end", "message"),
    [(CheckedOut(eur("120")), "the cart is checked out"), (CartAbandoned("too slow"), "the cart is abandoned")],
)
def test_nothing_happens_after_the_end(end: Event, message: str) -> None:
    given(decider, CREATED, THREE_TROUSERS, end).when(RemoveItem("trousers", 1)).then_refused(message)


def test_another_price_reprices_the_line() -> None:
    cart = decider.fold([CREATED, THREE_TROUSERS, ItemAdded("trousers", 1, eur("35"))])
    assert cart.lines == {"trousers": Line(4, eur("35"))}
    assert cart.total == eur("140")


def test_removing_the_last_piece_removes_the_line() -> None:
    assert decider.fold([CREATED, THREE_TROUSERS, ItemRemoved("trousers", 3)]) == Cart("open", "ana", "EUR")


def test_events_out_of_order_are_facts_all_the_same() -> None:
    cart = decider.fold([ItemRemoved("trousers", 2), THREE_TROUSERS, CREATED])
    assert cart == Cart("open", "ana", "EUR", {"trousers": Line(3, eur("40"))})


def test_a_cart_cannot_be_changed_behind_its_back() -> None:
    cart = decider.fold([CREATED, THREE_TROUSERS])
    with pytest.raises(TypeError):
        cart.lines["trousers"] = Line(1, eur("1"))  # type: ignore[index]


def test_every_event_says_itself_in_words() -> None:
    assert [str(event) for event in [CREATED, THREE_TROUSERS, ItemRemoved("hat", 2), QuantityChanged("hat", 3, 1)]] == [
        "ana began a cart in EUR",
        "added 3 trousers at 40.00 EUR",
        "removed 2 hat",
        "changed hat from 3 to 1",
    ]
    assert [str(CheckedOut(eur("9"))), str(CartAbandoned("too slow"))] == [
        "checked out for 9.00 EUR",
        "abandoned: too slow",
    ]
    assert len(EVENTS) == 6


@for_all(st.lists(COMMANDS, max_size=30))
def test_the_cart_agrees_with_a_plain_model(commands: list[Command]) -> None:
    """Σ price × quantity, kept by hand in two dictionaries, beside the fold."""
    quantities: dict[str, int] = {}
    prices: dict[str, int] = {}
    for event in played(commands):
        match event:
            case ItemAdded(product, quantity, price):
                quantities[product] = quantities.get(product, 0) + quantity
                prices[product] = price.minor
            case ItemRemoved(product, quantity):
                quantities[product] -= quantity
            case QuantityChanged(product, before, after):
                assert quantities[product] == before
                quantities[product] = after
            case CheckedOut(total):
                assert total.minor == sum(prices[product] * quantities[product] for product in quantities)
        assert all(quantity >= 0 for quantity in quantities.values())
    cart = decider.fold(played(commands))
    assert {product: line.quantity for product, line in cart.lines.items()} == {
        p: q for p, q in quantities.items() if q
    }
    assert cart.total.minor == sum(prices[product] * quantities[product] for product in quantities)


@for_all(ANY_EVENTS, st.data())
def test_the_fold_of_a_beginning_and_of_the_rest_is_the_fold_of_all(events: list[Event], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(events)))
    assert decider.fold(events[cut:], decider.fold(events[:cut])) == decider.fold(events)


@for_all(ANY_EVENTS)
def test_no_order_of_facts_breaks_the_cart(events: list[Event]) -> None:
    cart = decider.fold(events)
    assert all(line.quantity > 0 for line in cart.lines.values())
    assert cart.total.minor == sum(line.price.minor * line.quantity for line in cart.lines.values())


@for_all(st.lists(COMMANDS, max_size=30), COMMANDS)
def test_deciding_changes_nothing(commands: list[Command], command: Command) -> None:
    cart = decider.fold(played(commands))
    copy = replace(cart)
    try:
        first = decider.decide(command, cart)
    except Refused:
        with pytest.raises(Refused):
            decider.decide(command, cart)
    else:
        assert decider.decide(command, cart) == first
    assert cart == copy
