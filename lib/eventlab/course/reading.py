"""A reader that looks at a view again and again while something is done to it, and keeps what it saw."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

import altair
import pandas as pd
from sqlalchemy import Engine, Table, func, select

from eventlab import show
from eventlab.show.charts import HEIGHT, WIDTH, Figure
from eventlab.show.palette import BLUE, GREEN, ORANGE, VERMILLION

_PAUSE_SECONDS = 0.001  # between two looks
_MARGIN = 10  # looks before and after, so that the picture shows how it was and how it is
_THICK = 8  # pixels of a bar
_COLOURS = {"empty": VERMILLION, "half": ORANGE, "whole, wrong": BLUE, "whole, right": GREEN}


@dataclass(frozen=True, slots=True)
class Look:
    """One query of the reader: when (seconds from the first), how many rows there were, and what it calls that."""

    at: float
    rows: int
    found: str


@dataclass
class Reading:
    """All looks, in order. ``whole`` is the number of rows that were there before."""

    whole: int
    looks: list[Look] = field(default_factory=list)

    def count(self, *found: str) -> int:
        """How many looks found one of these: empty; half; whole, wrong; whole, right."""
        return sum(look.found in found for look in self.looks)

    @property
    def torn(self) -> float:
        """The percentage of looks that found the view empty or half."""
        return 100 * self.count("empty", "half") / len(self.looks)

    def table(self) -> pd.DataFrame:
        """The spans in which the reader found the same: from when to when (seconds), rows, looks."""
        spans: list[dict[str, object]] = []
        for look in self.looks:
            if not spans or (spans[-1]["found"], spans[-1]["rows"]) != (look.found, look.rows):
                if spans:
                    spans[-1]["until"] = look.at
                spans.append({"from": look.at, "until": look.at, "found": look.found, "rows": look.rows, "looks": 0})
            spans[-1] |= {"looks": int(str(spans[-1]["looks"])) + 1, "until": look.at}
        return pd.DataFrame(spans).round({"from": 3, "until": 3})

    def picture(self) -> Figure:
        """The rows that the reader found, over time, in the colour of what it found."""
        frame = self.table()
        there = [found for found in _COLOURS if found in set(frame["found"])]
        colour = altair.Color("found:N", title=None).scale(domain=there, range=[_COLOURS[found] for found in there])
        chart = (
            altair.Chart(frame, width=WIDTH, height=HEIGHT)
            .mark_bar(size=_THICK)
            .encode(
                x=altair.X("from:Q", title="seconds"),
                x2="until:Q",
                y=altair.Y("rows:Q", title="rows that the reader found").scale(zero=True),
                color=colour,
            )
        )
        said = ", ".join(f"{self.count(found)} {found}" for found in there)
        alt = f"Rows of the view over time, as the reader found them: of {len(self.looks)} looks {said}."
        return show.figure(chart, alt, frame)

    def __repr__(self) -> str:
        return f"{len(self.looks)} looks: " + ", ".join(f"{self.count(found)} {found}" for found in _COLOURS)


@contextmanager
def reading(engine: Engine, view: Table, number: str, one: str, right: int) -> Iterator[Reading]:
    """Look at ``view`` a few times before the block, for as long as it lasts, and a few times after.

    Every look is one query: how many rows, and what column ``number`` says in the row whose key is ``one``, of which
    ``right`` is the true value. Raises what the query raised, at the end of the block.
    """
    (key,) = view.primary_key
    query = select(func.count(), func.max(view.c[number]).filter(key == one)).select_from(view)
    stop, ready, failed = Event(), Event(), list[BaseException]()
    with engine.connect() as connection:
        seen = Reading(int(connection.execute(query).one()[0]))
    began = time.monotonic()

    def look() -> None:
        with engine.connect() as connection:
            left = _MARGIN
            while left:
                left -= stop.is_set()
                rows, value = connection.execute(query).one()
                connection.rollback()  # the next look is a transaction of its own
                seen.looks.append(Look(time.monotonic() - began, rows, _found(rows, seen.whole, value == right)))
                if len(seen.looks) == _MARGIN:
                    ready.set()
                time.sleep(_PAUSE_SECONDS)

    def guarded() -> None:
        try:
            look()
        except BaseException as error:  # raised below, in the thread that asked
            failed.append(error)
        finally:
            ready.set()

    thread = Thread(target=guarded, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
    if failed:
        raise failed[0]


def _found(rows: int, whole: int, right: bool) -> str:
    if rows == 0:
        return "empty"
    if rows < whole:
        return "half"
    return "whole, right" if right else "whole, wrong"
