"""Following in batches, and where the log ends: the same events as a subscription gives, many at a time."""

from collections.abc import Iterator, Sequence
from itertools import chain
from threading import Thread

from eventlab.events.envelope import Recorded
from eventlab.store import BEGINNING, EventStore

from .samples import CART, OTHER, PATIENCE_SECONDS, quantities, several

SHORT_SECONDS = 0.2


def take_batches(count: int, batches: Iterator[Sequence[Recorded]]) -> list[Recorded]:
    """Batches until ``count`` events came, and no event more."""
    taken: list[Recorded] = []
    while len(taken) < count:
        batch = next(batches, ())
        assert batch, f"only {len(taken)} of {count} events came"
        taken += batch
    assert len(taken) == count
    return taken


def test_an_empty_store_has_its_head_at_the_beginning(store: EventStore) -> None:
    assert store.head() == BEGINNING


def test_the_head_is_the_position_of_the_last_event(store: EventStore) -> None:
    assert store.append(CART, several([1, 2])).positions[-1] == store.head()
    assert store.append(OTHER, several([3])).positions[-1] == store.head()
    assert list(store.read_all(after=store.head())) == []


def test_batches_together_are_all_events_and_none_is_empty(store: EventStore) -> None:
    store.append(CART, several(range(2_500)))
    store.append(OTHER, several([3]))
    batches = list(store.follow(idle=SHORT_SECONDS))
    assert all(batches)
    assert list(chain.from_iterable(batches)) == list(store.read_all())


def test_following_begins_after_a_position(store: EventStore) -> None:
    first = store.append(CART, several([1, 2, 3])).positions[0]
    assert quantities(chain.from_iterable(store.follow(after=first, idle=SHORT_SECONDS))) == [2, 3]
    assert list(store.follow(after=store.head(), idle=SHORT_SECONDS)) == []


def test_following_an_empty_store_ends_when_nothing_comes(store: EventStore) -> None:
    assert list(store.follow(idle=SHORT_SECONDS)) == []


def test_batches_come_live(store: EventStore) -> None:
    store.append(CART, several([1]))
    batches = store.follow(idle=PATIENCE_SECONDS)
    assert quantities(take_batches(1, batches)) == [1]
    store.append(CART, several([2, 3]))
    assert quantities(take_batches(2, batches)) == [2, 3]
    store.append(OTHER, several([4]))
    assert quantities(take_batches(1, batches)) == [4]


def test_one_who_waits_for_a_batch_is_woken(store: EventStore) -> None:
    seen: list[int] = []
    batches = store.follow(idle=PATIENCE_SECONDS)
    waiting = Thread(target=lambda: seen.extend(quantities(take_batches(2, batches))))
    waiting.start()
    store.append(CART, several([1]))
    store.append(OTHER, several([2]))
    waiting.join(PATIENCE_SECONDS)
    assert seen == [1, 2]
