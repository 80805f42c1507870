"""The five cures by name, what they cure, and four ways to apply one wrongly."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from eventlab.pitfalls.systems.commit_order.advisory_lock import LastOfEachCategory, lock_all, lock_category
from eventlab.pitfalls.systems.commit_order.gap_token import GapToken
from eventlab.pitfalls.systems.commit_order.gaps import PAST_XMAX, timer
from eventlab.pitfalls.systems.commit_order.high_water_mark import HighWaterMark
from eventlab.pitfalls.systems.commit_order.reading import Reader
from eventlab.pitfalls.systems.commit_order.snapshot_xmin import BelowHorizon
from eventlab.pitfalls.systems.commit_order.table_lock import lock_table
from eventlab.pitfalls.systems.commit_order.unprotected import LastPosition, no_lock

SHORT_SECONDS = 0.02  # shorter than the first transaction is held: a reader reads until it is over


@dataclass(frozen=True)
class Cure:
    """``lock`` is what an append does before it draws a position, ``reader`` makes a subscriber that begins at zero."""

    lock: Callable[[Connection, str], None]
    reader: Callable[[], Reader]


NONE = "none"
CURES: Mapping[str, Cure] = {
    "table lock": Cure(lock_table, LastPosition),
    "advisory lock": Cure(lock_all, LastPosition),
    "advisory lock per category": Cure(lock_category, LastOfEachCategory),
    "pg_snapshot_xmin": Cure(no_lock, BelowHorizon),
    "gap token": Cure(no_lock, GapToken),
    "high-water mark": Cure(no_lock, HighWaterMark),
}
TRAPS: Mapping[str, Cure] = {
    "advisory lock per category, one reader for all": Cure(lock_category, LastPosition),
    "gap token with a short timer": Cure(no_lock, lambda: GapToken(timer(SHORT_SECONDS))),
    "high-water mark with a short timer": Cure(no_lock, lambda: HighWaterMark(timer(SHORT_SECONDS))),
    "high-water mark by pg_snapshot_xmax": Cure(no_lock, lambda: HighWaterMark(PAST_XMAX)),
}
ARMS: Mapping[str, Cure] = {NONE: Cure(no_lock, LastPosition), **CURES, **TRAPS}
