"""Reading everything: one order for all streams, the order of the commits."""

from eventlab.events.envelope import Position
from eventlab.store import EventStore

from .samples import CART, OTHER, quantities, several


def test_an_empty_store_has_nothing_to_read(store: EventStore) -> None:
    assert list(store.read_all()) == []


def test_all_streams_are_read_in_the_order_of_their_appends(store: EventStore) -> None:
    store.append(CART, several([1, 2]))
    store.append(OTHER, several([3]))
    store.append(CART, several([4]))
    events = list(store.read_all())
    assert quantities(events) == [1, 2, 3, 4]
    assert [recorded.stream for recorded in events] == [CART, CART, OTHER, CART]
    assert [recorded.version for recorded in events] == [1, 2, 1, 3]


def test_one_event_has_one_position_however_it_is_read(store: EventStore) -> None:
    store.append(OTHER, several([9]))
    store.append(CART, several([1, 2]))
    assert [recorded for recorded in store.read_all() if recorded.stream == CART] == list(store.read(CART))


def test_all_after_one_position_until_another_are_read(store: EventStore) -> None:
    _, second, third, _ = store.append(CART, several([1, 2, 3, 4])).positions
    assert quantities(store.read_all(after=second)) == [3, 4]
    assert quantities(store.read_all(until=second)) == [1, 2]
    assert quantities(store.read_all(after=second, until=third)) == [3]
    assert quantities(store.read_all(after=Position(99))) == []
    assert quantities(store.read_all(until=Position(0))) == []


def test_reading_on_from_any_position_leaves_no_gap(store: EventStore) -> None:
    store.append(CART, several([1, 2]))
    store.append(OTHER, several([3, 4]))
    everything = list(store.read_all())
    for number, recorded in enumerate(everything, start=1):
        assert list(store.read_all(after=recorded.position)) == everything[number:]


def test_reading_all_gives_what_was_there_when_it_was_called(store: EventStore) -> None:
    store.append(CART, several([1]))
    events = store.read_all()
    store.append(OTHER, several([2]))
    assert quantities(events) == [1]


def test_a_long_log_is_read_whole_while_it_grows(store: EventStore) -> None:
    store.append(CART, several(range(2_500)))
    seen = []
    for recorded in store.read_all():
        seen.append(recorded)
        if len(seen) % 500 == 0:
            store.append(OTHER, several([0]))
    assert quantities(seen) == list(range(2_500))
