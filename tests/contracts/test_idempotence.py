"""The ids of the events make an append safe to repeat: after a timeout nobody knows whether it was stored."""

import pytest

from eventlab.events.envelope import Version
from eventlab.store import EventStore, NoStream

from .samples import CART, FEW_AND_MANY, OTHER, added, quantities, several


@pytest.mark.parametrize("many", FEW_AND_MANY)
def test_a_repeated_append_gets_the_first_answer_and_stores_nothing(store: EventStore, many: int) -> None:
    events = several(range(many))
    first = store.append(CART, events)
    store.append(OTHER, several([9]))
    store.append(CART, several([3]))
    assert store.append(CART, events) == first
    assert quantities(store.read(CART)) == [*range(many), 3]


def test_a_repeated_append_is_answered_although_its_expectation_is_past(store: EventStore) -> None:
    created, changed = several([1]), several([2])
    first = store.append(CART, created, expected=NoStream)
    second = store.append(CART, changed, expected=Version(1))
    assert store.append(CART, created, expected=NoStream) == first
    assert store.append(CART, changed, expected=Version(1)) == second


def test_events_of_two_appends_may_be_repeated_as_one(store: EventStore) -> None:
    one, two = added(1), added(2)
    first, second = store.append(CART, [one]), store.append(CART, [two])
    again = store.append(CART, [one, two])
    assert again.versions == first.versions + second.versions
    assert again.positions == first.positions + second.positions


@pytest.mark.parametrize("many", FEW_AND_MANY)
def test_ids_of_which_only_some_are_known_are_refused(store: EventStore, many: int) -> None:
    known = added(1)
    store.append(CART, [known])
    with pytest.raises(ValueError, match="only some"):
        store.append(CART, [known, *several(range(1, many))])
    with pytest.raises(ValueError, match="only some"):
        store.append(CART, [*several(range(1, many)), known])
    assert quantities(store.read(CART)) == [1]


def test_an_id_of_another_stream_is_refused(store: EventStore) -> None:
    known = added(1)
    store.append(OTHER, [known])
    with pytest.raises(ValueError, match="already stored in cart-4"):
        store.append(CART, [known])
    assert quantities(store.read(CART)) == []
