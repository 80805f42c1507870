from typing import Any

import pytest
from hypothesis import given

from eventlab.domain import account
from eventlab.domain.decider import Decider
from eventlab.events.envelope import StreamId
from eventlab.history import as_of, steps

from .stories import ACCOUNT, ANA, CASES, Story, store_of


@given(CASES)
def test_each_step_is_the_state_as_of_its_version(case: tuple[Decider[Any, Any, Any], StreamId, Story]) -> None:
    decider, stream, story = case
    store = store_of(stream, story)
    walked = steps(store, decider, stream)
    assert [(step.event, step.time) for step in walked] == [(event, valid) for event, valid, _ in story]
    for number, step in enumerate(walked, start=1):
        assert step.version == number
        assert step.state == as_of(store, decider, stream, version=number)


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
