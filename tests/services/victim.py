"""A service's program that kills itself at one point of its work: ``EVENTLAB_DIES`` is ``step:n``, at its n-th time."""

import os
import signal
from collections.abc import Callable
from typing import Any

from eventlab.services import program

STEP, _, NUMBER = os.environ["EVENTLAB_DIES"].partition(":")


def dying(step: Callable[..., Any]) -> Callable[..., Any]:
    left = int(NUMBER)

    def die(*arguments: Any) -> None:
        nonlocal left
        step(*arguments)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return die


setattr(program.Service, STEP, dying(getattr(program.Service, STEP)))
program._main()
