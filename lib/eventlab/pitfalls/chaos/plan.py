"""What will go wrong, in which order: a pure function of a seed, so that a run can be had again."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

Kind = Literal["kill", "kill alone", "pause", "restart", "cut requests", "cut answers", "kill readers"]
KINDS: tuple[Kind, ...] = get_args(Kind)
OF_A_BROKER: tuple[Kind, ...] = ("kill", "kill alone", "pause", "restart")

BROKERS = 3
QUIET = (1.0, 3.0)  # seconds
# The shortest are over before the brokers notice (3 s), the longest outlast what a writer waits for its answer (10 s).
LASTS: dict[Kind, tuple[float, float]] = {
    "kill": (0.5, 8.0),
    "kill alone": (1.0, 2.0),  # long enough to write something, and too short for the brokers to notice
    "pause": (0.5, 12.0),
    "cut requests": (0.5, 12.0),
    "cut answers": (0.5, 12.0),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: after how many seconds of quiet it begins, and how many it lasts.

    ``kill``: a broker is dead (SIGKILL), then started again. ``kill alone``: the others stand still so long, then it is
    killed, and what it alone has goes with it; they go on, and it is started again. ``pause``: it stands still
    (SIGSTOP). ``restart``: it is stopped politely and started again, which takes its own time. ``cut requests`` and
    ``cut answers``: every request to write, or the answer to it, is lost, and its connection with it. ``kill readers``:
    SIGKILL for the processes of the view and of the copies, which start again. ``broker`` is None where it is not about
    one.
    """

    kind: Kind
    after: float
    lasts: float = 0.0
    broker: int | None = None

    def __str__(self) -> str:
        what = self.kind if self.broker is None else f"{self.kind} broker {self.broker}"
        return f"{what} for {self.lasts:g} s" if self.lasts else what


def plan(seed: int) -> Iterator[Fault]:
    """Faults without end, to be had one after the other: never does more than one broker lose what it knows.

    Every kind comes once before one comes again.
    """
    chance = Random(seed)  # noqa: S311 a plan that repeats, not a secret
    while True:
        for kind in chance.sample(KINDS, len(KINDS)):
            after = round(chance.uniform(*QUIET), 1)
            lasts = round(chance.uniform(*LASTS[kind]), 1) if kind in LASTS else 0.0
            broker = chance.randint(1, BROKERS)
            yield Fault(kind, after, lasts, broker if kind in OF_A_BROKER else None)
