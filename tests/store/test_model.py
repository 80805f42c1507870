"""Random histories: every store answers as a list in memory would."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlab.domain.cart import ItemAdded
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId, Version
from eventlab.store import (
    Any,
    EventStore,
    Expected,
    MemoryEventStore,
    NoStream,
    SqlEventStore,
    StreamExists,
    WrongExpectedVersion,
)

STREAMS = [StreamId("cart", key) for key in "ab"]

appends = st.tuples(
    st.sampled_from(STREAMS),
    st.integers(1, 3),
    st.sampled_from([Any, NoStream, StreamExists]) | st.integers(0, 6).map(Version),
    st.booleans(),
)


class Model:
    """What the contract says, with lists."""

    def __init__(self) -> None:
        self.log: list[tuple[StreamId, NewEvent]] = []
        self.appended: list[tuple[StreamId, list[NewEvent]]] = []

    def stream(self, stream: StreamId) -> list[NewEvent]:
        return [new for where, new in self.log if where == stream]

    def allows(self, stream: StreamId, expected: Expected) -> bool:
        length = len(self.stream(stream))
        spoken = {Any: True, NoStream: length == 0, StreamExists: length > 0}
        return spoken.get(expected, expected == length)


def check(store: EventStore, history: list[tuple[StreamId, int, Expected, bool]]) -> None:
    model = Model()
    for number, (stream, size, expected, repeat) in enumerate(history):
        new = [NewEvent(ItemAdded(f"{number}.{each}", 1, Money(1, "EUR"))) for each in range(size)]
        if model.allows(stream, expected):
            first = store.append(stream, new, expected)
            before = len(model.stream(stream))
            model.log.extend((stream, each) for each in new)
            model.appended.append((stream, new))
            assert list(first.versions) == list(range(before + 1, before + size + 1))
        else:
            with pytest.raises(WrongExpectedVersion) as caught:
                store.append(stream, new, expected)
            assert caught.value.actual == len(model.stream(stream))
        if repeat and model.appended:
            store.append(*model.appended[number % len(model.appended)])
    everything = list(store.read_all())
    assert [(recorded.stream, recorded.id, recorded.event) for recorded in everything] == [
        (stream, new.id, new.event) for stream, new in model.log
    ]
    for stream in STREAMS:
        assert [(recorded.version, recorded.id) for recorded in store.read(stream)] == [
            (version, new.id) for version, new in enumerate(model.stream(stream), start=1)
        ]
    assert list(store.subscribe(idle=0)) == everything


histories = st.lists(appends, max_size=12)


@given(histories)
def test_memory(history: list[tuple[StreamId, int, Expected, bool]]) -> None:
    check(MemoryEventStore(), history)


@settings(max_examples=25, deadline=None)
@given(histories)
def test_sqlite(history: list[tuple[StreamId, int, Expected, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = SqlEventStore(f"sqlite:///{Path(folder) / 'events.db'}")
        try:
            check(store, history)
        finally:
            store.close()
