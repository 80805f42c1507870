"""From recorded events to a state: what all of time travel rests on."""

from collections.abc import Iterable
from typing import cast

from eventlab.domain.decider import Command, Decider, Event, State
from eventlab.events.envelope import Recorded


def folded(decider: Decider[State, Command, Event], events: Iterable[Recorded]) -> State:
    """The state after ``events``, starting from the decider's initial one."""
    return decider.fold(cast(Event, recorded.event) for recorded in events)
