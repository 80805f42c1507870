"""The decider: all of event sourcing in three values.

The shape is Jérémie Chassaing's (https://thinkbeforecoding.com/post/2021/12/17/functional-event-sourcing-decider):
time travel, projections, snapshots and property tests follow from it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import reduce, wraps
from typing import Any, Generic, TypeVar

State = TypeVar("State")
Command = TypeVar("Command")
Event = TypeVar("Event")


class Refused(Exception):
    """A command that the rules of the domain do not allow. The message says why, in the user's words."""


@dataclass(frozen=True, slots=True)
class Decider(Generic[State, Command, Event]):
    """What may happen (``decide``) apart from what it means once it has happened (``evolve``).

    ``decide`` gives the new events, none if there is nothing to do, or raises :class:`Refused`.
    ``evolve`` never refuses: the event is a fact. Both are pure: no clock, no input or output.
    """

    initial: State
    decide: Callable[[Command, State], list[Event]]
    evolve: Callable[[State, Event], State]

    def fold(self, events: Iterable[Event], state: State | None = None) -> State:
        """The state after ``events``, starting from ``state`` (default: the initial one)."""
        return reduce(self.evolve, events, self.initial if state is None else state)

    def splitting(self, parts: Callable[[Any], Iterable[Event]]) -> "Decider[State, Command, Any]":
        """The same decider for a history in which one event stands for several: ``parts(event)`` gives them, in order.

        For an event that became two. It is folded part by part in one step, and stays one event with one version and
        one position. ``parts`` is pure, and gives ``[event]`` for every other event.
        """
        evolve_part = self.evolve  # not `self` in the closure: the fingerprint of a fold looks for functions there

        @wraps(evolve_part)
        def evolve(state: State, event: Any) -> State:
            return reduce(evolve_part, parts(event), state)

        return replace(self, evolve=evolve)
