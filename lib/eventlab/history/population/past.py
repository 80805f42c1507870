"""One kind of entities over time: the state of each of them at any moment."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import polars as pl

from eventlab.events.envelope import Position
from eventlab.history.moments import (
    Axis,
    Moment,
    check_axis,
    check_position,
    check_span,
    in_order,
    instant,
    whole_number,
)
from eventlab.history.population.difference import PopulationDifference, difference
from eventlab.history.population.kind import Kind


@dataclass(frozen=True, eq=False, repr=False)
class Population:
    """The events of all entities of one kind, as columns; :func:`read` makes it. It is read only.

    ``head`` is the last position of the store when it was read.
    """

    kind: Kind
    columns: pl.LazyFrame
    head: Position

    def __repr__(self) -> str:
        return f"<every {self.kind.category}, up to position {self.head}>"

    def as_of(
        self, *, time: datetime | str | None = None, position: int | None = None, axis: Axis = "valid"
    ) -> pl.DataFrame:
        """One row per entity: its state with all that had happened at a ``time`` or ``position``, itself included.

        The states are those of :func:`eventlab.history.as_of`, and so is the ``axis``. Amounts are in minor units;
        ``events`` is the number of events folded. The rows are in the order in which the entities came into the store;
        one that had no event yet has no row. A version is an address in one stream only, and is not asked here.

        It costs one scan through the columns, and memory for a few numbers per entity. A cart from whose middle the
        moment leaves out an event, since it was booked late, is folded by the decider instead: some 10 µs an event.
        Raises ValueError for a position that is not there, and for a time without a zone, before the first event or in
        the future.
        """
        if time is not None and position is None:
            return self._at(instant(time), axis)
        if position is not None and time is None:
            return self._at(whole_number(position, "position"), axis)
        raise ValueError("as of when? Give either a time or a position")

    def diff(self, a: Moment, b: Moment, *, axis: Axis = "valid") -> PopulationDifference:
        """Which entities changed after ``a`` and up to ``b``, two positions or two times, and from what to what.

        ``a`` may be before the first event. Raises ValueError when ``a`` is after ``b``, when they are not of one kind,
        and as :meth:`as_of` does.
        """
        a, b = in_order(a, b, "position")
        after = self._at(b, axis)
        nothing_yet = not isinstance(a, int) and instant(a) < self._span[f"{axis}_first"]
        return difference(self.kind, after.clear() if nothing_yet else self._at(a, axis), after)

    def _at(self, moment: Moment, axis: Axis) -> pl.DataFrame:
        check_axis(axis)
        if isinstance(moment, int):
            check_position(moment, self.head)
            happened = pl.col("position") <= moment
        else:
            time, span = instant(moment), self._span
            last = max(span["valid_last"], span["recorded_last"])
            check_span(time, span[f"{axis}_first"], last, f"the first {self.kind.category}")
            happened = pl.col(f"{axis}_time") <= time.astimezone(UTC)
        names = self.columns.filter(pl.col("version") == 1).select("entity", "stream").collect(engine="streaming")
        states = self.kind.states(self.columns.filter(happened)).sort("entity")
        return names.join(states, on="entity", maintain_order="right").drop("entity")

    @cached_property
    def _span(self) -> dict[str, datetime]:
        times = {"valid": pl.col("valid_time"), "recorded": pl.col("recorded_time")}
        firsts = {f"{axis}_first": time.min() for axis, time in times.items()}
        lasts = {f"{axis}_last": time.max() for axis, time in times.items()}
        return self.columns.select(**firsts, **lasts).collect(engine="streaming").row(0, named=True)
