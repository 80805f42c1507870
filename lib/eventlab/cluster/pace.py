"""Whether somebody who works through what others write keeps up with them, from two looks at how far he is."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Look:
    """One look: ``at`` in seconds by a clock that never goes back, how much is left, and how much is done."""

    at: float
    lag: int
    done: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is left, and how fast it is done and grows, per second, in the ``seconds`` before.

    ``aside``: how much was set aside on the way, and waits for somebody to mend it.
    """

    lag: int
    seconds: float
    done_per_second: float
    new_per_second: float
    aside: int = 0

    @classmethod
    def between(cls, first: Look, last: Look, aside: int = 0) -> "Pace":
        """From two looks at different times."""
        seconds = last.at - first.at
        done = max(0, last.done - first.done)
        new = max(0, last.lag + done - first.lag)
        return cls(last.lag, seconds, done / seconds, new / seconds, aside)

    @property
    def falls_by(self) -> float:
        """By how much per second the lag falls; below zero it grows."""
        return self.done_per_second - self.new_per_second

    @property
    def there_in(self) -> float | None:
        """In how many seconds nothing will be left, if it goes on like this. None: never."""
        if self.lag == 0:
            return 0.0
        return self.lag / self.falls_by if self.falls_by > 0 else None

    def keeps_up(self, allowed: int = 0) -> bool:
        """Whether no more than ``allowed`` is left or it becomes less, or at least not more while work is done.

        Work that comes in larger pieces than two looks are apart (a commit every five seconds) seems to stand still:
        look for longer. What was set aside is not kept up with.
        """
        moves = self.done_per_second > 0 and self.falls_by >= 0
        return not self.aside and (self.lag <= allowed or moves)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        there = None if self.there_in is None else round(self.there_in, 1)
        rates = {"done_per_second": round(self.done_per_second, 1), "new_per_second": round(self.new_per_second, 1)}
        return {"seconds": round(self.seconds, 1), **rates, "there_in": there}

    def __str__(self) -> str:
        """``120 behind, falls by 35/s, there in 3 s``."""
        aside = f", {self.aside:,} set aside" if self.aside else ""
        if self.lag == 0:
            return f"nothing behind, {self.done_per_second:,.0f}/s{aside}"
        if self.there_in is not None:
            how = f"falls by {self.falls_by:,.0f}/s, there in {self.there_in:,.0f} s"
        elif self.falls_by < 0:
            how = f"grows by {-self.falls_by:,.0f}/s"
        else:
            how = f"does not change, {self.done_per_second:,.0f}/s" if self.done_per_second else "stands still"
        return f"{self.lag:,} behind, {how}{aside}"
