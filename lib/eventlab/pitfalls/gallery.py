"""The catalogue as one: every pitfall by its id, run in both arms, and the verdict."""

import importlib
import pkgutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

import pandas as pd

from eventlab.cluster import Kafka
from eventlab.pitfalls import consumers, log, producers, systems
from eventlab.pitfalls.experiment import Pitfall, Verdict

_GROUPS = (producers, consumers, log, systems)


@cache
def gallery() -> dict[str, Pitfall]:
    """Every pitfall that has a module, P1 first."""
    names = (f"{group.__name__}.{found.name}" for group in _GROUPS for found in pkgutil.iter_modules(group.__path__))
    modules = map(importlib.import_module, names)
    found: list[Pitfall] = [module.PITFALL for module in modules if hasattr(module, "PITFALL")]
    return {pitfall.id: pitfall for pitfall in sorted(found, key=lambda pitfall: int(pitfall.id.removeprefix("P")))}


def pitfall(id_: str) -> Pitfall:
    """The one with this id (``"P5"``). Raises ValueError for an id that there is not."""
    try:
        return gallery()[id_.upper()]
    except KeyError:
        raise ValueError(f"There is no pitfall {id_!r}; there are: {', '.join(gallery())}.") from None


@dataclass(frozen=True)
class Trial:
    """Both arms with one seed; ``seconds`` is what both took together.

    In a notebook it shows itself: the verdict, then the picture of each arm (lanes, where there are records).
    """

    pitfall: Pitfall
    broken: Verdict
    cured: Verdict
    seconds: float

    @property
    def shown(self) -> bool:
        """Whether the anomaly was there in the broken arm, and not in the cured one."""
        return self.broken.count > 0 and self.cured.count == 0

    def verdict(self) -> pd.DataFrame:
        """A row for each arm."""
        arms = {"broken": (self.pitfall.broken, self.broken), "cured": (self.pitfall.cured, self.cured)}
        return pd.DataFrame(
            {
                "arm": arms.keys(),
                "with": [told(arm) for arm, _ in arms.values()],
                "count": [result.count for _, result in arms.values()],
                "of": [result.of for _, result in arms.values()],
                "what": self.pitfall.unit,
            }
        )

    def __repr__(self) -> str:
        return f"{self.pitfall.id} broken: {self.broken!r}; cured: {self.cured!r}"

    def _ipython_display_(self) -> None:
        from IPython.display import display

        from eventlab.show import markup

        sentence = f"{self.pitfall.id}. {self.pitfall.hypothesis} {'Shown, and cured.' if self.shown else 'Not shown.'}"
        page = f"<p><b>{escape(sentence)}</b></p>{markup.frame_table(self.verdict())}"
        display({"text/plain": repr(self), "text/html": page}, raw=True)  # type: ignore[no-untyped-call]
        for result in (self.broken, self.cured):
            display(result.picture())  # type: ignore[no-untyped-call]


def told(arm: Mapping[str, object]) -> str:
    """An arm in words: ``key = cart``."""
    return ", ".join(f"{name} = {value}" for name, value in arm.items())


def try_out(kafka: Kafka, id_: str, *, seed: int | None = None) -> Trial:
    """Run both arms of a pitfall. Raises ValueError for an unknown id and LabError when the cluster does not answer."""
    chosen = pitfall(id_)
    seed = chosen.seed if seed is None else seed
    began = time.monotonic()
    broken = chosen.run(kafka, **chosen.broken, seed=seed)
    cured = chosen.run(kafka, **chosen.cured, seed=seed)
    return Trial(chosen, broken, cured, time.monotonic() - began)


def summary(trials: Sequence[Trial]) -> dict[str, Any]:
    """One JSON object for the trials of one pitfall.

    ``broken`` is the least that the broken arm showed in any of them, ``cured`` the most that the cured arm did;
    ``seconds`` the longest trial; ``repeated`` how many of ``repeat`` trials showed the anomaly and its cure.
    """
    return {
        "id": trials[0].pitfall.id,
        "broken": min(trial.broken.count for trial in trials),
        "cured": max(trial.cured.count for trial in trials),
        "unit": trials[0].pitfall.unit,
        "seconds": round(max(trial.seconds for trial in trials), 2),
        "repeat": len(trials),
        "repeated": sum(trial.shown for trial in trials),
    }


def repeat(kafka: Kafka, id_: str, times: int, seed: int | None = None) -> Iterator[Trial]:
    """So many trials of a pitfall, each with a seed of its own: ``seed``, ``seed`` + 1, …"""
    first = pitfall(id_).seed if seed is None else seed
    return (try_out(kafka, id_, seed=first + n) for n in range(times))
