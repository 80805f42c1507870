"""Given, when, then: a decider is tested by its past, a command, and what must come of it."""

from dataclasses import dataclass
from typing import Any

import pytest

from eventlab.domain.decider import Decider, Refused


@dataclass(frozen=True)
class Case:
    decider: Decider[Any, Any, Any]
    past: tuple[object, ...]
    command: object = None

    def when(self, command: object) -> "Case":
        return Case(self.decider, self.past, command)

    def then(self, *events: object) -> None:
        """Exactly these events; none of them: nothing happens."""
        assert self.decider.decide(self.command, self.decider.fold(self.past)) == list(events)

    def then_nothing(self) -> None:
        self.then()

    def then_refused(self, message: str) -> None:
        """Refused, with a message that contains ``message``."""
        with pytest.raises(Refused) as refusal:
            self.decider.decide(self.command, self.decider.fold(self.past))
        assert message in str(refusal.value)


def given(decider: Decider[Any, Any, Any], *past: object) -> Case:
    return Case(decider, past)
