"""What changed in a population between two moments: which entities, from what to what, and what it adds up to."""

from dataclasses import dataclass

import polars as pl

from eventlab.history.population.kind import Kind


@dataclass(frozen=True, eq=False)
class PopulationDifference:
    """``changed``: one row per entity whose state is another one, with each column before and after.

    Nothing (null) stands before in a row of an entity that was not there yet. ``totals``: all entities, changed or not,
    by status and currency: how many there were before and after, and the sum of their amounts in minor units.
    """

    changed: pl.DataFrame
    totals: pl.DataFrame


def difference(kind: Kind, before: pl.DataFrame, after: pl.DataFrame) -> PopulationDifference:
    """From one :meth:`Population.as_of <eventlab.history.population.Population.as_of>` to a later one."""
    columns = [name for name in after.columns if name != "stream"]
    both = after.rename({name: f"{name}_after" for name in columns}).join(
        before.rename({name: f"{name}_before" for name in columns}), on="stream", how="left", maintain_order="left"
    )
    # An event need not change anything that the columns tell: how many there are is not part of the state.
    state = [name for name in columns if name != "events"]
    another = pl.any_horizontal(pl.col(f"{name}_before").ne_missing(pl.col(f"{name}_after")) for name in state)
    pairs = [f"{name}_{when}" for name in columns for when in ("before", "after")]
    return PopulationDifference(both.filter(another).select("stream", *pairs), _totals(kind, before, after))


def _totals(kind: Kind, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    by = ["status", "currency"]
    sums = [
        frame.group_by(by).agg(
            pl.len().cast(pl.Int64).alias(f"{kind.category}s_{when}"),
            pl.col(kind.amount).sum().alias(f"{kind.amount}_{when}"),
        )
        for when, frame in (("before", before), ("after", after))
    ]
    joined = sums[0].join(sums[1], on=by, how="full", coalesce=True)
    counted = [f"{kind.category}s_before", f"{kind.category}s_after", f"{kind.amount}_before", f"{kind.amount}_after"]
    return joined.select(*by, *[pl.col(name).fill_null(0) for name in counted]).sort(by)
