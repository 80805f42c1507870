"""Subscribing: catch up, then live, in commit order, no gap and no duplicate."""

from contextlib import closing
from threading import Thread

from eventlab.store import EventStore

from .samples import CART, OTHER, PATIENCE_SECONDS, quantities, several, take

SHORT_SECONDS = 0.2


def test_a_subscription_catches_up_and_ends_when_nothing_comes(store: EventStore) -> None:
    store.append(CART, several([1, 2]))
    store.append(OTHER, several([3]))
    assert list(store.subscribe(idle=SHORT_SECONDS)) == list(store.read_all())


def test_a_subscription_to_an_empty_store_ends_too(store: EventStore) -> None:
    assert list(store.subscribe(idle=SHORT_SECONDS)) == []


def test_a_subscription_begins_after_a_position(store: EventStore) -> None:
    first = store.append(CART, several([1, 2])).positions[0]
    assert quantities(store.subscribe(after=first, idle=SHORT_SECONDS)) == [2]


def test_what_is_appended_later_comes_live(store: EventStore) -> None:
    store.append(CART, several([1]))
    subscription = store.subscribe(idle=PATIENCE_SECONDS)
    assert quantities(take(1, subscription)) == [1]
    store.append(CART, several([2, 3]))
    assert quantities(take(2, subscription)) == [2, 3]
    store.append(OTHER, several([4]))
    assert quantities(take(1, subscription)) == [4]


def test_one_who_waits_is_woken(store: EventStore) -> None:
    seen: list[int] = []
    waiting = Thread(target=lambda: seen.extend(quantities(take(1, store.subscribe(idle=PATIENCE_SECONDS)))))
    waiting.start()
    store.append(CART, several([1]))
    waiting.join(PATIENCE_SECONDS)
    assert seen == [1]


def test_a_subscription_can_be_closed_before_its_end(store: EventStore) -> None:
    store.append(CART, several([1, 2]))
    with closing(store.subscribe()) as subscription:
        assert quantities(take(1, subscription)) == [1]
    assert list(subscription) == []


def test_two_subscriptions_do_not_take_from_each_other(store: EventStore) -> None:
    one, two = store.subscribe(idle=PATIENCE_SECONDS), store.subscribe(idle=PATIENCE_SECONDS)
    store.append(CART, several([1, 2]))
    assert take(2, one) == take(2, two) == list(store.read_all())


def test_who_stops_and_comes_back_misses_nothing_and_sees_nothing_twice(store: EventStore) -> None:
    store.append(CART, several([1, 2, 3]))
    before = take(2, store.subscribe(idle=PATIENCE_SECONDS))
    store.append(OTHER, several([4]))
    rest = list(store.subscribe(after=before[-1].position, idle=SHORT_SECONDS))
    assert before + rest == list(store.read_all())
