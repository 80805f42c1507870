"""Reading one stream: its events only, in order, between two versions."""

import pytest

from eventlab.domain.cart import EVENTS, ItemAdded
from eventlab.events.envelope import StreamId, Version
from eventlab.events.errors import UnknownSchemaVersion
from eventlab.events.registry import TypeRegistry
from eventlab.store import EventStore

from .backends import DURABLE, Backend
from .samples import CART, OTHER, quantities, several


def test_a_stream_that_is_not_there_is_empty(store: EventStore) -> None:
    store.append(OTHER, several([9]))
    assert list(store.read(CART)) == []


def test_after_is_not_read_and_until_is(store: EventStore) -> None:
    store.append(CART, several([1, 2, 3, 4, 5]))
    assert quantities(store.read(CART, after=Version(2))) == [3, 4, 5]
    assert quantities(store.read(CART, until=Version(2))) == [1, 2]
    assert quantities(store.read(CART, after=Version(1), until=Version(4))) == [2, 3, 4]
    assert quantities(store.read(CART, after=Version(5))) == []
    assert quantities(store.read(CART, until=Version(0))) == []
    assert quantities(store.read(CART, until=Version(99))) == [1, 2, 3, 4, 5]


def test_versions_stay_when_only_a_part_is_read(store: EventStore) -> None:
    store.append(CART, several([1, 2, 3]))
    assert [recorded.version for recorded in store.read(CART, after=Version(1))] == [2, 3]


@pytest.mark.parametrize("key", ["1", "10", "1-1", "1 ", "ä", "Ä", "a", "A", "%", "1%", "🧺", "x" * 500])
def test_streams_with_similar_names_do_not_mix(store: EventStore, key: str) -> None:
    stream = StreamId("cart", key)
    store.append(StreamId("cart", "1_"), several([7]))
    store.append(StreamId("cart", key + "0"), several([8]))
    store.append(StreamId("carts", key), several([9]))
    store.append(stream, several([1, 2]))
    events = list(store.read(stream))
    assert quantities(events) == [1, 2]
    assert {recorded.stream for recorded in events} == {stream}


def test_a_read_gives_what_was_there_when_it_was_called(store: EventStore) -> None:
    store.append(CART, several([1]))
    events = store.read(CART)
    store.append(CART, several([2]))
    assert quantities(events) == [1]


def test_a_reader_may_append_while_it_reads(store: EventStore) -> None:
    store.append(CART, several(range(1_500)))
    for read, _ in enumerate(store.read(CART), start=1):
        if read % 500 == 0:
            store.append(CART, several([read]))
    assert read == 1_500


def test_an_event_that_cannot_be_read_is_named_with_its_place(backend: Backend) -> None:
    registry = TypeRegistry(EVENTS)
    store = backend.open(registry)
    store.append(CART, several([1, 2]))
    registry.register(ItemAdded, schema_version=2)
    with pytest.raises(UnknownSchemaVersion, match=r"cart-17 version 2 \(position 2\): ItemAdded.*version 1.*reads 2"):
        list(store.read(CART, after=Version(1)))


@DURABLE
def test_another_client_reads_the_same(backend: Backend, store: EventStore) -> None:
    store.append(CART, several([1, 2]))
    assert list(backend.open().read(CART)) == list(store.read(CART))
