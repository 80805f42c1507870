"""What a store gave as it is stored goes back into an empty one: every event as it was, at its place, byte for byte."""

import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest

from eventlab.events.envelope import NewEvent, Position, StreamId
from eventlab.inputs.generate import demo_account, demo_carts
from eventlab.store import EventStore, StoreError

from .backends import Backend

ANA = StreamId("account", "ana")


@pytest.fixture
def other(backend: Backend, request: pytest.FixtureRequest) -> Iterator[EventStore]:
    """An empty store of the same kind."""
    found = backend
    if backend.where.startswith("sqlite"):
        found = replace(backend, where=f"sqlite:///{request.getfixturevalue('tmp_path') / 'other.db'}")
    elif backend.schema is not None:
        found = replace(backend, schema=f"t{uuid.uuid4().hex}")
    elif backend.cluster is not None:
        found = replace(backend, where=request.getfixturevalue("kafka").topic("other"))
    store = found.open()
    yield store
    store.close()


def fill(store: EventStore) -> None:
    for stream, events in demo_carts(seed=3, n=6).items():
        store.append(stream, events)
    cause = uuid.uuid4()
    told = [
        NewEvent(each.event, causation=cause, correlation=uuid.uuid4(), metadata={"who": "Zoë ☕", "via": ""})
        for each in demo_account()[:20]
    ]
    store.append(ANA, told)


def test_restored_events_are_those_that_were_stored(store: EventStore, other: EventStore) -> None:
    fill(store)
    stored = list(store.read_stored())
    assert [each.position for each in store.read_all()] == [each.position for each in stored]
    assert other.restore(store.read_stored()) == len(stored)
    assert list(other.read_stored()) == stored
    assert list(other.read_all()) == list(store.read_all())
    assert list(other.read(ANA)) == list(store.read(ANA))


def test_a_part_is_read_as_it_is_stored(store: EventStore) -> None:
    fill(store)
    stored = list(store.read_stored())
    middle = list(store.read_stored(stored[4].position, stored[20].position))
    assert middle == stored[5:21]


def test_a_restored_store_goes_on(store: EventStore, other: EventStore) -> None:
    fill(store)
    other.restore(store.read_stored())
    before = list(store.read(ANA))[-1]
    answer = other.append(ANA, [NewEvent(before.event)])
    assert answer.versions == (before.version + 1,)
    assert answer.positions[0] > store.head() - 1
    assert answer.positions[0] > max(each.position for each in store.read_all())


def test_a_store_that_is_not_empty_takes_nothing_back(store: EventStore, other: EventStore) -> None:
    fill(store)
    fill_one = NewEvent(demo_account()[0].event)
    other.append(ANA, [fill_one])
    with pytest.raises(StoreError, match="has events already"):
        other.restore(store.read_stored())
    assert [each.id for each in other.read_all()] == [fill_one.id]


@pytest.mark.parametrize("backend", ["memory", "sqlite", "postgres"], indirect=True)  # a log takes record by record
def test_what_breaks_off_is_not_restored(store: EventStore, other: EventStore) -> None:
    fill(store)

    def broken() -> Iterator[object]:
        for each in store.read_stored():
            if each.position == 12:
                raise StoreError("the archive ends here")
            yield each

    with pytest.raises(StoreError, match="the archive ends here"):
        other.restore(broken())
    assert (list(other.read_all()), other.head()) == ([], 0)


def test_gaps_are_kept_or_refused(store: EventStore, other: EventStore, backend: Backend) -> None:
    fill(store)
    every_second = [each for each in store.read_stored() if each.position % 2]
    if backend.name in ("memory", "kafka"):
        with pytest.raises(StoreError, match="this store counts its events"):
            other.restore(every_second)
        return
    assert other.restore(every_second) == len(every_second)
    assert [each.position for each in other.read_all()] == [each.position for each in every_second]
    last = every_second[-1].position
    added = other.append(StreamId("account", "new"), [NewEvent(demo_account()[0].event)])
    assert added.positions == (Position(last + 1),)
