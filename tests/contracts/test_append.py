"""Appending: numbered, in order, all or nothing, and only what can be read back."""

import pytest

from eventlab.domain.cart import ItemAdded
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent
from eventlab.events.errors import UnknownEventType, Unwritable
from eventlab.store import EventStore, Unavailable

from .samples import CART, OTHER, Unheard, added, quantities, several


def test_versions_count_each_stream_from_one(store: EventStore) -> None:
    assert store.append(CART, several([1, 2])).versions == (1, 2)
    assert store.append(OTHER, several([3])).versions == (1,)
    assert store.append(CART, several([4])).versions == (3,)


def test_positions_grow_over_all_streams(store: EventStore) -> None:
    answers = [store.append(CART, several([1, 2])), store.append(OTHER, several([3])), store.append(CART, several([4]))]
    positions = [position for answer in answers for position in answer.positions]
    assert positions == sorted(set(positions))
    assert positions[0] > 0


def test_the_answer_is_where_the_events_are_read(store: EventStore) -> None:
    store.append(OTHER, several([9]))
    answer = store.append(CART, several([1, 2, 3]))
    events = list(store.read(CART))
    assert tuple(recorded.version for recorded in events) == answer.versions
    assert tuple(recorded.position for recorded in events) == answer.positions
    assert quantities(events) == [1, 2, 3]


# PostgreSQL takes as many in one statement; more are copied into its table.
@pytest.mark.parametrize("many", [399, 2_500])
def test_a_large_append_keeps_its_order(store: EventStore, many: int) -> None:
    answer = store.append(CART, several(range(many)))
    assert answer.versions == tuple(range(1, many + 1))
    assert answer.positions == tuple(sorted(set(answer.positions)))
    assert quantities(store.read(CART)) == list(range(many))


def test_an_empty_append_is_refused(store: EventStore) -> None:
    with pytest.raises(ValueError, match="empty"):
        store.append(CART, [])


def test_an_event_that_is_not_registered_is_refused_with_its_whole_append(store: EventStore) -> None:
    with pytest.raises(UnknownEventType, match="Unheard"):
        store.append(CART, [added(1), NewEvent(Unheard())])
    assert list(store.read_all()) == []


def test_an_event_that_could_not_be_read_back_is_refused_with_its_whole_append(store: EventStore) -> None:
    wrong = NewEvent(ItemAdded("trousers", "two", Money(1, "EUR")))  # type: ignore[arg-type]
    with pytest.raises(Unwritable, match=r"\$\.quantity"):
        store.append(CART, [added(1), wrong])
    assert list(store.read_all()) == []


def test_metadata_that_is_not_text_is_refused_with_its_whole_append(store: EventStore) -> None:
    wrong = NewEvent(added(1).event, metadata={"tries": 3})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="tries"):
        store.append(CART, [added(1), wrong])
    assert list(store.read_all()) == []


def test_an_append_that_fails_stores_none_of_its_events(store: EventStore) -> None:
    """A store may take an event of 3 MB or refuse it, but not keep its companions when it refuses."""
    large = added(2, product="t" * 3_000_000)
    try:
        store.append(CART, [added(1), large, added(3)])
    except Unavailable:
        assert quantities(store.read(CART)) == []
    else:
        assert quantities(store.read(CART)) == [1, 2, 3]


def test_a_repeated_id_in_one_append_is_refused(store: EventStore) -> None:
    event = added(1)
    with pytest.raises(ValueError, match="same id"):
        store.append(CART, [event, added(2), event])
    assert list(store.read_all()) == []
