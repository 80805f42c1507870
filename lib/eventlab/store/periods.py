"""Closing the books: streams that end with their period, so that none gets long and no state has to be kept beside."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from eventlab.domain.decider import Decider
from eventlab.events.envelope import NewEvent, StreamId, Version
from eventlab.store.contract import START, Append, EventStore, NoStream

State = TypeVar("State")
Command = TypeVar("Command")


def close_books(
    store: EventStore,
    decider: Decider[State, Command, Any],
    stream: StreamId,
    closing: Command,
    following: StreamId,
    opening: Callable[[State, Any], Sequence[object]],
) -> State:
    """End ``stream`` with the event that the command ``closing`` leads to, and begin ``following``: both or neither.

    ``opening(state, event)`` gives the first events of ``following``, from the state of ``stream`` after its closing
    event; they have to carry all that decisions need. Returns that state.
    Raises what ``decide`` raises; WrongExpectedVersion when someone else wrote to ``stream`` or began ``following``;
    ValueError when the command does not lead to exactly one event.
    """
    events, version = store.load(stream)
    state = decider.fold(events)
    ended = decider.decide(closing, state)
    if len(ended) != 1:
        raise ValueError(f"{closing} leads to {len(ended)} events; books are closed by one")
    state = decider.fold(ended, state)
    first = [NewEvent(event) for event in opening(state, ended[0])]
    store.append_all([Append(stream, [NewEvent(ended[0])], version), Append(following, first, NoStream)])
    return state


def load_since(store: EventStore, stream: StreamId, kind: type) -> tuple[list[object], Version]:
    """As ``load``, from the last event of type ``kind`` on, that one included; all events when there is none.

    Within one stream this is enough for what that event carries, and for nothing else. Costs a read of the period,
    however long the stream is. Raises NotSupported for a Kafka log, which cannot be read backwards.
    """
    found = []
    for each in store.read(stream, backwards=True):
        found.append(each)
        if isinstance(each.event, kind):
            break
    return [each.event for each in reversed(found)], found[0].version if found else START
