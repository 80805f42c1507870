"""The decider: all of event sourcing in three values.

The shape is Jérémie Chassaing's (https://thinkbeforecoding.com/post/2021/12/17/functional-event-sourcing-decider):
time travel, projections, snapshots and property tests follow from it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Generic, TypeVar

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
