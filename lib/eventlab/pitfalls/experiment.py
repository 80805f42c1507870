"""The shape of every pitfall: two arms that differ in one argument, and one number counted from what a reader saw."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from html import escape
from typing import Any, Literal, Protocol

import pandas as pd

from eventlab.pitfalls.checkers import Checker, aborted_reads, duplicates, inversions, repeats, version_gaps
from eventlab.pitfalls.history import History, Sent
from eventlab.pitfalls.marks import Mark
from eventlab.pitfalls.record import Record


class Verdict(Protocol):
    """What an arm comes to: one number of what went wrong, and what shows it. Most are a :class:`Result`."""

    @property
    def count(self) -> int:
        """How many are wrong."""
        ...

    @property
    def of(self) -> int:
        """How many there are."""
        ...

    @property
    def unit(self) -> str:
        """What is counted, so that ``3 of 40 <unit>`` is a sentence."""
        ...

    def table(self) -> pd.DataFrame:
        """What was seen, a row each."""
        ...

    def picture(self) -> Any:
        """What a notebook shows of it."""
        ...


@dataclass(frozen=True)
class Result:
    """What producers sent and a fresh reader of the topic read, and what ``metric`` finds wrong with it.

    ``unit`` says what is counted: keys with at least one wrong fact, of all keys. ``marks`` are what the topic had
    beside records, for the lanes.
    """

    history: History
    metric: Checker
    unit: str
    marks: tuple[Mark, ...] = ()

    @property
    def records(self) -> tuple[Record, ...]:
        """What was read, in the order of reading."""
        return self.history.read

    @cached_property
    def wrong(self) -> tuple[str, ...]:
        """The keys with a wrong fact, in the order in which the metric names them."""
        return tuple(dict.fromkeys(fact.key for fact in self.metric(self.history)))

    @property
    def count(self) -> int:
        """How many keys have a wrong record."""
        return len(self.wrong)

    @cached_property
    def of(self) -> int:
        """How many keys there are."""
        return len(self.history.keys)

    @property
    def inversions(self) -> int:
        """How many records were read after a later version of the same key, whatever the metric."""
        return len(inversions(self.history))

    def sorted_by(self, field: Literal["timestamp", "version"]) -> "Result":
        """The same records as if they had been read in the order of ``field`` (ties: as they were read)."""
        ordered = sorted(self.records, key=lambda record: getattr(record, field))
        return replace(self, history=self.history.reread(tuple(ordered)))

    def table(self) -> pd.DataFrame:
        """One row per record in the order of reading, with a column for each thing that can be wrong with a record:

        ``inverted``, ``duplicate`` (its fact was read before), ``gap`` (before it), ``aborted`` (its transaction).
        """
        found = {name: set(checker(self.history)) for name, checker in _FLAGS.items()}
        frame = pd.DataFrame(map(asdict, self.records))
        return frame[_COLUMNS].assign(**{name: [r in wrong for r in self.records] for name, wrong in found.items()})

    def lanes(self, highlight: str | None = None) -> Any:
        """The partitions as lanes, with what is wrong marked; ``highlight`` is the key to look at."""
        from eventlab.show import lanes

        return lanes(self.table(), highlight, self.marks)

    def picture(self) -> Any:
        """What a notebook shows of it: the lanes."""
        return self.lanes()

    def __repr__(self) -> str:
        return f"{self.count} of {self.of} {self.unit}"

    def _repr_html_(self) -> str:
        return f"<b>{self.count} of {self.of}</b> {escape(self.unit)}"


@dataclass(frozen=True)
class Pitfall:
    """One entry of the catalogue.

    ``run(kafka, seed=…, **arm)`` takes either arm, ``broken`` or ``cured``: the same argument with another value.
    ``metric`` counts in the history that ``run`` gets to :meth:`result`; None: its verdict is of another kind.
    ``budget`` is in seconds for one arm on a running cluster with ``brokers`` brokers. ``sources`` are public pages.
    """

    id: str
    hypothesis: str
    workload: str
    metric: Checker | None
    unit: str
    run: Callable[..., Verdict]
    broken: Mapping[str, object]
    cured: Mapping[str, object]
    seed: int
    budget: float
    brokers: Literal[1, 3]
    sources: Sequence[str]

    def result(
        self,
        read: Iterable[Record],
        sent: Iterable[Sent] = (),
        to_end: bool = True,
        marks: Iterable[Mark] = (),
    ) -> Result:
        """The verdict on what a reader saw and, where the metric asks for it, what producers know that they sent.

        ``to_end``: whether the reader got to the end of every partition (:class:`History`). ``marks``: what is in the
        topic beside records (:func:`eventlab.pitfalls.marks.marks`).
        """
        assert self.metric
        return Result(History(tuple(read), tuple(sent), to_end), self.metric, self.unit, tuple(marks))


def _read_before(history: History) -> list[Record]:
    """The fact stands there twice, or the same record was delivered again."""
    return [*duplicates(history), *repeats(history)]


_FLAGS: Mapping[str, Checker] = {
    "inverted": inversions,
    "duplicate": _read_before,
    "gap": version_gaps,
    "aborted": aborted_reads,
}
_COLUMNS = ["order", "partition", "offset", "key", "version", "type", "label", "timestamp", "producer"]
