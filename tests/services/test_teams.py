"""Each team's programs, without a broker: every edition says what the carts say, however the cart team writes them."""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlab.domain import cart
from eventlab.domain.cart import Abandon, AddItem, ChangeQuantity, CheckOut, CreateCart, RemoveItem
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money
from eventlab.events.codec import JsonCodec
from eventlab.services import cart_team, contract
from eventlab.services.audit import Rows, as_published, in_carts, rows, truth
from eventlab.services.team import Event
from eventlab.services.teams import SERVICES, TEAMS
from eventlab.services.translator import PUBLISHES

products = st.sampled_from(["trousers", "socks", "belt"])
commands = st.one_of(
    st.builds(AddItem, products, st.integers(1, 4), st.builds(Money, st.integers(1, 9_999), st.just("EUR"))),
    st.builds(RemoveItem, products, st.integers(1, 4)),
    st.builds(ChangeQuantity, products, st.integers(0, 5)),
)
shoppings = st.lists(st.tuples(st.lists(commands, max_size=8), st.booleans()), min_size=1, max_size=5)


def story(wanted: Iterable[object], buys: bool) -> list[object]:
    """The events of a cart that is bought or given up at the end; what the rules refuse leaves none."""
    events: list[object] = []
    for command in [
        CreateCart("Ana", "EUR"),
        *wanted,
        CheckOut() if buys else Abandon("no activity"),
        Abandon("empty"),
    ]:
        try:
            events += cart.decider.decide(command, cart.decider.fold(events))
        except Refused:
            continue
    return events


def records(shopping: Sequence[tuple[list[object], bool]], release: int) -> list[Event]:
    """The carts as the program of a release writes them, all at the same time."""
    codec = JsonCodec(cart_team.RELEASES[release])
    written = []
    for number, (wanted, buys) in enumerate(shopping):
        encoded = [codec.encode(cart_team.written(event, release)) for event in story(wanted, buys)]
        written.append([Event(f"cart-{number}", each.type, each.data) for each in encoded])
    return [event for turn in zip_longest(*written) for event in turn if event is not None]


def handled(name: str, edition: str, events: Iterable[Event]) -> tuple[Rows, list[Event]]:
    """What a service says after ``events``, and what it has published."""
    team, published = TEAMS[name], []
    view = sqlite3.connect(":memory:", isolation_level=None)
    view.executescript(team.tables)
    for event in events:
        if handler := team.editions[edition].get(event.type):
            order = handler(view, event)
            published += [] if order is None else [Event(event.key, PUBLISHES, order)]
    return rows(view.execute(team.answer), team.values), published


@given(shoppings)
def test_the_cart_is_the_same_in_both_releases(shopping):
    first, second = records(shopping, 1), records(shopping, 2)
    assert len(first) == len(second)
    assert in_carts(first) == in_carts(second)


@given(shoppings, st.sampled_from([(1, "internal 1"), (1, "internal 2"), (2, "internal 2")]))
def test_who_knows_the_internal_events_says_what_is_true(shopping, program):
    release, edition = program
    events = records(shopping, release)
    for name, expected in truth(in_carts(events)).items():
        assert handled(name, edition, events)[0] == expected, name


@given(shoppings, st.sampled_from([(1, "internal 1"), (1, "internal 2"), (2, "internal 2")]), st.randoms())
def test_who_knows_only_the_published_event_says_the_same(shopping, program, random: Random):
    release, edition = program
    events = records(shopping, release)
    left, published = handled("translator", edition, events)
    assert left == {}, "nothing of a cart is kept once it has ended"
    again = random.choices(published, k=len(published)) if published else []
    for name, expected in truth(in_carts(events)).items():
        assert handled(name, "published", [*published, *again])[0] == expected, name


@given(shoppings)
def test_every_published_order_keeps_the_contract_and_is_published_once(shopping):
    _, published = handled("translator", "internal 1", records(shopping, 1))
    assert [contract.decode(event.data).order for event in published] == [event.key for event in published]
    assert len(as_published(published)) == len(published)


@pytest.mark.parametrize("name", SERVICES)
def test_no_published_edition_knows_anything_but_the_contract(name):
    assert set(TEAMS[name].editions["published"]) == {PUBLISHES}


@pytest.mark.parametrize("release", [1, 2])
def test_the_cart_team_reads_all_that_it_ever_wrote(release):
    for older in range(1, release + 1):
        for event in records([([AddItem("socks", 2, Money(450, "EUR")), ChangeQuantity("socks", 1)], True)], older):
            JsonCodec(cart_team.RELEASES[release]).decode(event.type, 1, event.data)
