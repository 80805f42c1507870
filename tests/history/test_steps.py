from typing import Any

import pytest
from hypothesis import given

from eventlab.domain import account
from eventlab.domain.decider import Decider
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.history import as_of, steps
from eventlab.store import MemoryEventStore

from .stories import ACCOUNT, ANA, CASES, START, Story, store_of


@given(CASES)
def test_each_step_is_the_state_as_of_its_version(case: tuple[Decider[Any, Any, Any], StreamId, Story]) -> None:
    decider, stream, story = case
    store = store_of(stream, story)
    walked = steps(store, decider, stream)
    assert [(step.event, step.time) for step in walked] == [(event, valid) for event, valid, _ in story]
    for number, step in enumerate(walked, start=1):
        assert step.version == number
        assert step.state == as_of(store, decider, stream, version=number)


def test_a_long_history_keeps_few_states_and_every_place_in_it_can_be_had() -> None:
    folded = 0

    def evolve(state: int, event: object) -> int:
        nonlocal folded
        folded += 1
        return state + 1

    store = MemoryEventStore(clock=lambda: START)
    store.append(ACCOUNT, [NewEvent(ANA[1][0]) for _ in range(3_000)])
    walked = steps(store, Decider(0, lambda _command, _state: [], evolve), ACCOUNT)
    everything = list(walked)
    assert [step.state for step in everything] == list(range(1, 3_001))
    for place in (0, 99, 100, 1_777, 2_999, -1, -3_000):
        folded = 0
        assert walked[place] == everything[place]
        assert folded <= 100
    for part in (
        slice(240, 260),
        slice(-5, None),
        slice(0, 0),
        slice(2_000, 100),
        slice(100, 50, -7),
        slice(None, 9, 2),
    ):
        assert walked[part] == everything[part]
    with pytest.raises(IndexError):
        walked[3_000]


def test_a_step_says_what_it_changed() -> None:
    changes = [
        [str(change) for change in step.changes] for step in steps(store_of(ACCOUNT, ANA), account.decider, ACCOUNT)
    ]
    assert changes[2] == [
        "balance: 224.80 EUR → 212.40 EUR",
        "booked until: 2026-03-02 → 2026-03-03",
        "available: 324.80 EUR → 312.40 EUR",
    ]


def test_a_stream_that_is_not_there_is_an_error() -> None:
    with pytest.raises(LookupError, match="there is no stream account-ben"):
        steps(store_of(ACCOUNT, ANA), account.decider, StreamId("account", "ben"))
