"""Optimistic concurrency: an append says what it believes, and is refused when that is no longer so."""

import pytest

from eventlab.events.envelope import Version
from eventlab.store import Any, EventStore, NoStream, StreamExists, WrongExpectedVersion

from .samples import CART, FEW_AND_MANY, OTHER, quantities, several


def test_an_append_at_the_expected_version_is_stored(store: EventStore) -> None:
    store.append(CART, several([1, 2]))
    assert store.append(CART, several([3]), expected=Version(2)).versions == (3,)


@pytest.mark.parametrize("many", FEW_AND_MANY)
def test_an_append_at_a_stale_version_is_refused(store: EventStore, many: int) -> None:
    store.append(CART, several([1, 2]))
    with pytest.raises(WrongExpectedVersion) as caught:
        store.append(CART, several(range(many)), expected=Version(1))
    assert (caught.value.stream, caught.value.expected, caught.value.actual) == (CART, 1, 2)
    assert all(text in str(caught.value) for text in ("cart-17", "version 1", "version 2", "nothing was stored"))
    assert quantities(store.read(CART)) == [1, 2]


def test_an_append_at_a_version_to_come_is_refused(store: EventStore) -> None:
    store.append(CART, several([1]))
    with pytest.raises(WrongExpectedVersion):
        store.append(CART, several([2]), expected=Version(2))
    assert quantities(store.read(CART)) == [1]


def test_no_stream_is_expected_once(store: EventStore) -> None:
    store.append(OTHER, several([9]))
    assert store.append(CART, several([1]), expected=NoStream).versions == (1,)
    with pytest.raises(WrongExpectedVersion, match=r"'no stream'.*version 1"):
        store.append(CART, several([2]), expected=NoStream)
    assert quantities(store.read(CART)) == [1]


def test_version_zero_is_no_stream(store: EventStore) -> None:
    store.append(CART, several([1]), expected=Version(0))
    with pytest.raises(WrongExpectedVersion):
        store.append(CART, several([2]), expected=Version(0))


def test_a_stream_may_be_expected_to_exist(store: EventStore) -> None:
    with pytest.raises(WrongExpectedVersion, match="'stream exists'"):
        store.append(CART, several([1]), expected=StreamExists)
    store.append(CART, several([1]))
    assert store.append(CART, several([2]), expected=StreamExists).versions == (2,)


def test_any_is_always_right(store: EventStore) -> None:
    store.append(CART, several([1]), expected=Any)
    assert store.append(CART, several([2]), expected=Any).versions == (2,)
    assert quantities(store.read(CART)) == [1, 2]
