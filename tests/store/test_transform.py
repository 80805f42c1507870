"""A store rewritten as a whole: what must stay stays, a kill is made good, and what went wrong is noticed."""

import signal
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlab.domain import cart
from eventlab.domain.account import AccountOpened
from eventlab.domain.cart import CartCreated, ItemAdded, ItemRemoved
from eventlab.domain.decider import Decider
from eventlab.domain.money import Money
from eventlab.events.catalogue import registry
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.events.errors import UnknownEventType
from eventlab.forgetting import FORGOTTEN, KeyStore, Sealer, new_key
from eventlab.forgetting.catalogue import personal
from eventlab.inputs.generate import demo_carts
from eventlab.store import Append, MemoryEventStore, SqlEventStore
from eventlab.store.transform import CopyDiffers, Each, Rewritten, copy, same_fold

from .rewrites import NEW, WAYS, ItemTakenOut, beside, change, copy_until_killed, merged
from .victims import started
from .waiting import PATIENCE_SECONDS

EUR = Money(4990, "EUR")
EVENTS_OF = {
    name: (
        StreamId("account", name),
        [NewEvent(AccountOpened(name.title(), "EUR", Money(0, "EUR"), date(2026, 3, 3)))],
    )
    for name in ("ana", "ben")
}
NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


def evolve(state, event):
    if isinstance(event, ItemTakenOut):
        event = ItemRemoved(event.product, event.quantity)
    return cart.decider.evolve(state, event)


NEW_CART = Decider(cart.decider.initial, cart.decider.decide, evolve)
# `change` leaves out that a cart was given up.
SAME_LINES = same_fold(cart.decider, NEW_CART, of=lambda state: state.lines)


def ticking():
    """A clock that moves, but not for each append."""
    ticks = iter(range(10**9))
    return lambda: NOW + timedelta(seconds=next(ticks) // 3)


def shop(n=30, store=None):
    """Carts whose events lie between each other's; an append is over several streams."""
    store = store or MemoryEventStore(clock=ticking())
    stories = {stream: list(events) for stream, events in demo_carts(seed=5, n=n).items()}
    while stories:
        appends = [Append(stream, events[:1]) for stream, events in stories.items()]
        for some in (appends[::2], appends[1::2]):
            if some:
                store.append_all(some)
        stories = {stream: events[1:] for stream, events in stories.items() if events[1:]}
    return store


def by_stream(store):
    streams = {}
    for each in store.read_all():
        streams.setdefault(each.stream, []).append(each)
    return streams


def envelope(recorded):
    """All but the event, its type and its place."""
    about = (recorded.causation, recorded.correlation, recorded.metadata)
    return (recorded.id, recorded.stream, recorded.valid_time, recorded.recorded_time, *about)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def target(request):
    if request.param == "memory":
        yield lambda clock: MemoryEventStore(NEW, clock)
        return
    url = request.getfixturevalue(f"{request.param}_url")
    made = []

    def make(clock):
        made.append(SqlEventStore(url, NEW, clock))
        return made[-1]

    yield make
    for store in made:
        store.close()


def test_a_copy_without_a_change_is_the_same_store(target):
    source = shop()
    copied = copy(source, target, Each(lambda event: [event]))
    old, new = list(source.read_all()), list(copied.store.read_all())
    assert [(envelope(each), each.version, each.event) for each in new] == [
        (envelope(each), each.version, each.event) for each in old
    ]
    assert copied.before == copied.after
    assert copied.streams == len({each.stream for each in old})


def test_rename_split_and_filter_keep_order_times_and_meaning(target):
    source = shop()
    copied = copy(source, target, Each(change))
    old, new = list(source.read_all()), list(copied.store.read_all())
    assert [each.event for each in new] == [event for each in old for event in change(each.event)]
    times = {each.id: (each.valid_time, each.recorded_time) for each in old}
    assert [(each.valid_time, each.recorded_time) for each in new if each.id in times] == [
        times[each.id] for each in new if each.id in times
    ]
    assert len({each.id for each in new}) == len(new)
    assert [each.recorded_time for each in new] == sorted(each.recorded_time for each in new)
    assert copied.after["ItemTakenOut"] == copied.before["ItemRemoved"]
    assert "ItemRemoved" not in copied.after
    assert "CartAbandoned" not in copied.after
    assert f"became {len(new)}; all checked" in str(copied)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4), st.integers(1, 3)), max_size=30), st.booleans())
def test_what_the_carts_amount_to_stays(adds, merging):
    source = MemoryEventStore(clock=ticking())
    for key in "abc":
        source.append(StreamId("cart", key), [NewEvent(CartCreated("Ana", "EUR"))])
    for key, quantity, batch in adds:
        source.append(StreamId("cart", key), [NewEvent(ItemAdded("socks", quantity, EUR)) for _ in range(batch)])
    rewrite = merged if merging else Each(change)
    check = same_fold(cart.decider, NEW_CART)
    copied = copy(source, lambda clock: MemoryEventStore(NEW, clock), rewrite, check)
    for stream, events in by_stream(source).items():
        now = [each.event for each in copied.store.read(stream)]
        assert NEW_CART.fold(now) == cart.decider.fold(each.event for each in events)
    if merging:
        assert all(
            not (isinstance(a.event, ItemAdded) and isinstance(b.event, ItemAdded))
            for events in by_stream(copied.store).values()
            for a, b in pairwise(events)
        )
    assert sum(copied.before.values()) == len(list(source.read_all()))


def test_streams_may_be_moved(target):
    source = shop(10)
    move = lambda history: [  # noqa: E731
        Rewritten(each.event, each, StreamId("basket", each.stream.key)) for each in history
    ]
    copied = copy(source, target, move)
    assert {each.stream.category for each in copied.store.read_all()} == {"basket"}
    assert [each.event for each in copied.store.read_all()] == [each.event for each in source.read_all()]


def test_afterwards_the_store_tells_the_real_time():
    copied = copy(shop(3), lambda clock: MemoryEventStore(NEW, clock), Each(change))
    before = datetime.now(UTC)
    copied.store.append(StreamId("cart", "new"), [NewEvent(CartCreated("Ben", "EUR"))])
    assert next(copied.store.read(StreamId("cart", "new"))).recorded_time >= before


@pytest.mark.parametrize("rewrite", [Each(change), merged], ids=["each", "merged"])
def test_run_again_it_copies_what_has_come_since(sql_url, rewrite):
    source = shop(10)

    def target(clock):
        return SqlEventStore(sql_url, NEW, clock)

    first = copy(source, target, rewrite)
    first.store.close()
    late = [CartCreated("Ben", "EUR"), ItemAdded("hat", 2, EUR)]
    source.append(StreamId("cart", "late"), [NewEvent(event) for event in late])
    again = copy(source, target, rewrite)
    assert again.found == sum(first.after.values())
    assert f"{again.found} of them by an earlier run" in str(again)
    new = [each.event for each in again.store.read(StreamId("cart", "late"))]
    assert NEW_CART.fold(new) == cart.decider.fold(late)
    again.store.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("appends", [0, 1, 3])
def test_a_copy_that_was_killed_is_gone_on_with(sql_url, way, appends):
    source = shop(12, SqlEventStore(sql_url, clock=ticking()))
    killed = started(copy_until_killed, sql_url, way, appends)
    killed.join(PATIENCE_SECONDS)
    assert killed.exitcode == -signal.SIGKILL
    url, schema = beside(sql_url)
    there = SqlEventStore(url, NEW, schema=schema)
    left = len(list(there.read_all()))
    assert (left > 0) == (appends > 0)
    copied = copy(source, lambda clock: SqlEventStore(url, NEW, clock, schema), WAYS[way], SAME_LINES)
    assert copied.found == left
    whole = copy(source, lambda clock: MemoryEventStore(NEW, clock), WAYS[way]).store
    assert list(map(envelope, there.read_all())) == list(map(envelope, whole.read_all()))
    assert [each.event for each in there.read_all()] == [each.event for each in whole.read_all()]
    for store in (source, there, copied.store):
        store.close()


def test_another_copy_is_not_gone_on_with():
    source = shop(5)
    store = MemoryEventStore(NEW)
    store.append(StreamId("cart", "else"), [NewEvent(CartCreated("Ben", "EUR"))])
    with pytest.raises(CopyDiffers, match=r"event 1 of the new store is CartCreated\(customer='Ben'.*begin again"):
        copy(source, lambda _: store, Each(change))
    assert len(list(store.read_all())) == 1


def test_a_rewrite_that_has_changed_in_between_is_noticed(sqlite_url):
    source = shop(5)
    copy(source, lambda clock: SqlEventStore(sqlite_url, NEW, clock), Each(lambda event: [event])).store.close()
    with pytest.raises(CopyDiffers, match="the rewrite has changed"):
        copy(source, lambda clock: SqlEventStore(sqlite_url, NEW, clock), Each(change))


def test_what_somebody_appends_meanwhile_is_noticed():
    source = shop(5)
    store = None

    def meddle(event):
        if isinstance(event, ItemRemoved) and not list(store.read(StreamId("cart", "meddler"))):
            store.append(StreamId("cart", "meddler"), [NewEvent(CartCreated("Ben", "EUR"))])
        return [event]

    def target(clock):
        nonlocal store
        store = MemoryEventStore(NEW, clock)
        return store

    with pytest.raises(CopyDiffers, match="cart-meddler"):
        copy(source, target, Each(meddle))


def test_a_rewrite_that_changes_what_carts_amount_to_is_refused():
    wrong = Each(lambda event: [] if isinstance(event, ItemRemoved) else [event])
    with pytest.raises(CopyDiffers, match=r"\d+ of \d+ streams are not what they were; cart-.*: it amounted to "):
        copy(shop(), lambda clock: MemoryEventStore(NEW, clock), wrong, same_fold(cart.decider, NEW_CART))


def test_a_rewrite_that_breaks_the_order_is_refused():
    def backwards(history):
        return [Rewritten(each.event, each) for each in reversed(history)]

    with pytest.raises(ValueError, match="in the order of their sources"):
        copy(shop(3), lambda clock: MemoryEventStore(NEW, clock), backwards)


def test_an_event_that_the_new_store_does_not_know_is_refused():
    with pytest.raises(UnknownEventType, match="ItemTakenOut is not registered"):
        copy(shop(), lambda clock: MemoryEventStore(registry, clock), Each(change))


def test_sealed_texts_travel_as_they_are_and_what_is_forgotten_stays_so(tmp_path):
    keys = KeyStore(f"sqlite:///{tmp_path / 'keys.db'}", {1: new_key()})
    sealer = Sealer(keys, personal)
    bank = [EVENTS_OF["ana"], EVENTS_OF["ben"]]
    old, new = f"sqlite:///{tmp_path / 'old.db'}", f"sqlite:///{tmp_path / 'new.db'}"
    with_keys = SqlEventStore(old, sealing=sealer)
    for stream, events in bank:
        with_keys.append(stream, events)
    keys.destroy("ben")
    copied = copy(SqlEventStore(old), lambda clock: SqlEventStore(new, clock=clock), Each(lambda event: [event]))
    reader = SqlEventStore(new, sealing=sealer)
    owners = {str(each.stream): each.event.owner for each in reader.read_all()}
    assert owners == {"account-ana": "Ana", "account-ben": FORGOTTEN}
    for store in (with_keys, copied.store, reader, keys):
        store.close()
