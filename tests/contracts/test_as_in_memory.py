"""Random appends over several streams: a database answers, refuses and stores as the store in memory does."""

from typing import Any as Anything

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventlab.events.envelope import NewEvent, StreamId, Version
from eventlab.store import (
    Any,
    Append,
    EventStore,
    MemoryEventStore,
    NoStream,
    StreamExists,
    WrongExpectedVersion,
)

from .samples import added

EVENTS = 30  # few enough for ids to come again
KEYS = "abc"
EXPECTED: list[Anything] = [NoStream, StreamExists, *map(Version, range(4))]

# Mostly allowed, on one to three streams: the form of a call is tried elsewhere.
expectations = st.just(Any) | st.sampled_from(EXPECTED)
batches = st.tuples(st.integers(0, EVENTS - 3), st.integers(1, 3)).map(lambda span: range(span[0], sum(span)))
appends = st.tuples(st.sampled_from(KEYS), batches, expectations)
made_calls = st.lists(appends, min_size=1, max_size=3, unique_by=lambda append: append[0])
# An earlier call again is a repeated append.
calls = st.lists(made_calls, min_size=5, max_size=12).flatmap(
    lambda made: st.lists(st.sampled_from(made), min_size=1, max_size=5).map(lambda again: made + again)
)


def answer(store: EventStore, call: list[Append]) -> object:
    """The versions, or what was wrong. The positions are where the events are read."""
    try:
        answers = store.append_all(call)
    except (WrongExpectedVersion, ValueError) as error:
        return type(error), str(error)
    for each, found in zip(call, answers, strict=True):
        read = {recorded.id: recorded for recorded in store.read(each.stream)}
        assert found.positions == tuple(read[new.id].position for new in each.events)
    return [found.versions for found in answers]


@pytest.mark.parametrize("backend", ["sqlite", "postgres"], indirect=True)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=calls)
def test_random_appends_over_several_streams(store: EventStore, calls: list[Anything]) -> None:
    """Each example has streams and ids of its own, behind what the examples before it left."""
    model, begin = MemoryEventStore(), store.head()
    events: list[NewEvent] = [added(number) for number in range(EVENTS)]
    run = events[0].id
    for call in calls:
        made = [
            Append(StreamId("cart", f"{run} {key}"), [events[number] for number in numbers], expected)
            for key, numbers, expected in call
        ]
        assert answer(store, made) == answer(model, made)
    found = [(each.stream, each.version, each.id, each.event) for each in store.read_all(after=begin)]
    assert found == [(each.stream, each.version, each.id, each.event) for each in model.read_all()]
