"""Appending to several streams: all or nothing over all of them, numbered and answered stream by stream."""

import pytest

from eventlab.events.envelope import NewEvent, StreamId, Version
from eventlab.events.errors import UnknownEventType
from eventlab.store import Any, Append, EventStore, NoStream, StreamExists, WrongExpectedVersion

from .samples import CART, OTHER, Unheard, added, quantities, several

THIRD = StreamId("cart", "25")


def test_an_append_of_one_stream_is_the_same_either_way(store: EventStore) -> None:
    [answer] = store.append_all([Append(CART, several([1, 2]))])
    assert answer.versions == (1, 2)
    assert answer.positions == tuple(recorded.position for recorded in store.read(CART))
    assert quantities(store.read(CART)) == [1, 2]


def test_several_streams_are_answered_in_their_order_with_versions_of_their_own(store: EventStore) -> None:
    store.append(OTHER, several([8, 9]))
    answers = store.append_all(
        [Append(THIRD, several([1])), Append(OTHER, several([2, 3])), Append(CART, several([4]))]
    )
    assert [answer.versions for answer in answers] == [(1,), (3, 4), (1,)]
    assert [quantities(store.read(stream)) for stream in (THIRD, OTHER, CART)] == [[1], [8, 9, 2, 3], [4]]


def test_positions_over_several_streams_grow_in_the_order_of_the_appends(store: EventStore) -> None:
    answers = store.append_all(
        [Append(THIRD, several([1, 2])), Append(CART, several([3])), Append(OTHER, several([4, 5]))]
    )
    positions = [position for answer in answers for position in answer.positions]
    assert positions == sorted(set(positions))
    assert [recorded.position for recorded in store.read_all()] == positions
    assert quantities(store.read_all()) == [1, 2, 3, 4, 5]


def test_many_streams_with_many_events_go_in_one_append(store: EventStore) -> None:
    streams = [StreamId("cart", f"many {number}") for number in range(60)]
    answers = store.append_all([Append(stream, several(range(40))) for stream in streams])
    assert {answer.versions for answer in answers} == {tuple(range(1, 41))}
    assert quantities(store.read_all()) == list(range(40)) * 60


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("expected", [NoStream, Version(1), Version(3), StreamExists], ids=str)
def test_one_stale_expectation_stores_nothing_anywhere(store: EventStore, expected: object, place: int) -> None:
    """The stream THIRD is at version 2, or for StreamExists not there."""
    if expected is not StreamExists:
        store.append(THIRD, several([8, 9]))
    before = list(store.read_all())
    appends = [Append(CART, several([1]), NoStream), Append(OTHER, several([2]), Any)]
    appends.insert(place, Append(THIRD, several([3]), expected))  # type: ignore[arg-type]
    with pytest.raises(WrongExpectedVersion) as caught:
        store.append_all(appends)
    assert (caught.value.stream, caught.value.expected, caught.value.actual) == (THIRD, expected, len(before))
    assert list(store.read_all()) == before


def test_right_expectations_are_stored_together(store: EventStore) -> None:
    store.append(CART, several([1]))
    store.append(OTHER, several([2]))
    store.append_all(
        [
            Append(CART, several([3]), Version(1)),
            Append(THIRD, several([4]), NoStream),
            Append(OTHER, several([5]), StreamExists),
        ]
    )
    assert quantities(store.read_all()) == [1, 2, 3, 4, 5]


def test_one_wrong_event_stores_nothing_in_any_stream(store: EventStore) -> None:
    with pytest.raises(UnknownEventType, match="Unheard"):
        store.append_all([Append(CART, several([1])), Append(OTHER, [added(2), NewEvent(Unheard())])])
    assert list(store.read_all()) == []


def test_several_streams_repeated_get_the_first_answers_and_store_nothing(store: EventStore) -> None:
    appends = [Append(CART, several([1, 2]), NoStream), Append(OTHER, several([3]), NoStream)]
    first = store.append_all(appends)
    store.append(CART, several([4]))
    assert store.append_all(appends) == first
    assert store.append_all(appends[::-1]) == first[::-1]
    assert store.append(OTHER, appends[1].events) == first[1]
    assert quantities(store.read_all()) == [1, 2, 3, 4]


def test_ids_known_in_only_one_of_the_streams_are_refused(store: EventStore) -> None:
    known = Append(CART, several([1]))
    store.append_all([known, Append(THIRD, several([2]))])
    with pytest.raises(ValueError, match="only some"):
        store.append_all([known, Append(OTHER, several([3]))])
    with pytest.raises(ValueError, match="only some"):
        store.append_all([Append(OTHER, several([3])), known])
    assert quantities(store.read_all()) == [1, 2]


def test_ids_known_in_another_of_the_streams_are_refused(store: EventStore) -> None:
    one, two = several([1]), several([2])
    store.append_all([Append(CART, one), Append(OTHER, two)])
    with pytest.raises(ValueError, match="already stored in cart-17"):
        store.append_all([Append(OTHER, one), Append(CART, two)])
    assert quantities(store.read_all()) == [1, 2]


def test_a_stream_that_comes_twice_is_refused(store: EventStore) -> None:
    with pytest.raises(ValueError, match="comes twice"):
        store.append_all([Append(CART, several([1])), Append(OTHER, several([2])), Append(CART, several([3]))])
    assert list(store.read_all()) == []


def test_an_id_that_comes_twice_in_several_streams_is_refused(store: EventStore) -> None:
    event = added(1)
    with pytest.raises(ValueError, match="same id"):
        store.append_all([Append(CART, [event]), Append(OTHER, [event])])
    assert list(store.read_all()) == []


def test_a_stream_without_events_refuses_the_others_too(store: EventStore) -> None:
    with pytest.raises(ValueError, match="empty"):
        store.append_all([Append(CART, several([1])), Append(OTHER, [])])
    assert list(store.read_all()) == []
