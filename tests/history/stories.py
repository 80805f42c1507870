"""Histories that the tests of time travel tell: events with their valid and recorded times, in a store."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from eventlab.domain import account, cart
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.events.registry import TypeRegistry
from eventlab.store import MemoryEventStore

CART, ACCOUNT = StreamId("cart", "1"), StreamId("account", "ana")
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = date(2026, 3, 1)

Story = list[tuple[object, datetime, datetime]]
"""Events with valid and recorded time."""


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def store_of(stream: StreamId, story: Sequence[tuple[object, datetime, datetime]]) -> MemoryEventStore:
    now = START
    store = MemoryEventStore(TypeRegistry([*cart.EVENTS, *account.EVENTS]), clock=lambda: now)
    for event, valid, recorded in story:
        now = recorded
        store.append(stream, [NewEvent(event, valid_time=valid)])
    return store


_PRODUCTS = st.sampled_from(["trousers", "socks"])
_MONEY = st.integers(1, 5000).map(lambda minor: Money(minor, "EUR"))
_TIMES = st.integers(0, 20).map(lambda hours: START + timedelta(hours=hours))
CART_EVENTS: st.SearchStrategy[cart.Event] = st.one_of(
    st.builds(cart.ItemAdded, _PRODUCTS, st.integers(1, 3), _MONEY),
    st.builds(cart.ItemRemoved, _PRODUCTS, st.integers(1, 3)),
    st.builds(cart.QuantityChanged, _PRODUCTS, st.integers(1, 3), st.integers(1, 3)),
)
ACCOUNT_EVENTS: st.SearchStrategy[account.Event] = st.one_of(
    st.builds(account.Deposited, _MONEY, st.just(DAY)),
    st.builds(account.Withdrawn, _MONEY, st.just(DAY)),
    st.builds(account.CardAuthorised, _MONEY, st.just("baker"), st.just(DAY)),
)


def _story(first: object, events: st.SearchStrategy[object]) -> st.SearchStrategy[Story]:
    """Recorded one minute after the other; valid in any order, often at the same time."""
    return st.lists(st.tuples(events, _TIMES), max_size=12).map(
        lambda rest: [
            (event, valid, START + timedelta(minutes=minute))
            for minute, (event, valid) in enumerate([(first, START), *rest])
        ]
    )


CASES = st.one_of(
    st.tuples(st.just(cart.decider), st.just(CART), _story(cart.CartCreated("ana", "EUR"), CART_EVENTS)),
    st.tuples(
        st.just(account.decider),
        st.just(ACCOUNT),
        _story(account.AccountOpened("ana", "EUR", eur("100"), DAY), ACCOUNT_EVENTS),
    ),
)
"""Decider, stream and story of a cart or an account."""

MOMENTS = st.integers(0, 21).map(lambda hours: START + timedelta(hours=hours))


def at(hour: int, minute: int = 0, day: int = 3) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


# Ana's story: a card payment on the 3rd at 17:00, withdrawn again by the bank the next day; and cash of the 2nd which
# the bank booked only on the 5th.
ANA: Story = [
    (account.AccountOpened("ana", "EUR", eur("100"), date(2026, 3, 1)), at(9, day=1), at(9, day=1)),
    (account.Deposited(eur("224.80"), date(2026, 3, 2), "Salary"), at(9, day=2), at(9, day=2)),
    (account.Withdrawn(eur("12.40"), date(2026, 3, 3), "Baker", "card-7"), at(17), at(17)),
    (account.Corrected(eur("12.40"), date(2026, 3, 4), "not hers", "card-7"), at(10, day=4), at(10, day=4)),
    (account.Deposited(eur("30"), date(2026, 3, 5), "Cash", value_date=date(2026, 3, 2)), at(15, day=2), at(8, day=5)),
]
