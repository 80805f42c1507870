"""What a reader still finds of each story: an event by event picture of what a topic, or a reader, has lost."""

import altair
import pandas as pd

from eventlab import show
from eventlab.pitfalls.history import History
from eventlab.show.charts import WIDTH, Figure
from eventlab.show.palette import BLUE, VERMILLION

_ROW = 17  # pixels: the height of a row
_MARK = 90  # square pixels
_LOOKS = {"read": (BLUE, "square"), "never read": (VERMILLION, "cross")}


def left(history: History) -> Figure:
    """A row for each story that was written, its versions from left to right: those that were read, and the others.

    Below it, a table with a row per story. What was not acknowledged is left out.
    """
    acknowledged = [attempt.fact for attempt in history.sent if attempt.status == "ok"]
    events = pd.DataFrame(
        {
            "story": [fact.key for fact in acknowledged],
            "version": [fact.version for fact in acknowledged],
            "event": ["read" if fact in history.places else "never read" for fact in acknowledged],
        }
    )
    stories = list(events["story"].unique())
    marks = altair.Chart(events, width=WIDTH, height=_ROW * len(stories)).mark_point(filled=True, size=_MARK)
    marks = marks.encode(
        x=altair.X("version:Q").axis(tickMinStep=1, grid=False).scale(domain=[0.5, events["version"].max() + 0.5]),
        y=altair.Y("story:N", sort=stories, title=None),
        color=altair.Color("event:N", title=None, legend=altair.Legend(orient="top")).scale(
            domain=list(_LOOKS), range=[colour for colour, _ in _LOOKS.values()]
        ),
        shape=altair.Shape("event:N", title=None).scale(
            domain=list(_LOOKS), range=[shape for _, shape in _LOOKS.values()]
        ),
        opacity=altair.value(1),
    )
    table = _table(events, stories)
    marks = marks.properties(autosize=altair.AutoSizeParams(type="fit-x", contains="padding"))  # names are part of it
    return show.figure(marks, _alt(table), table)


def _table(events: pd.DataFrame, stories: list[str]) -> pd.DataFrame:
    read = events["event"] == "read"
    begin = read & (events["version"] == 1)
    rows = {
        "written": events.groupby("story").size(),
        "read": read.groupby(events["story"]).sum(),
        "begins at version 1": begin.groupby(events["story"]).any().map({True: "yes", False: "no"}),
    }
    return pd.DataFrame(rows).loc[stories].reset_index()


def _alt(table: pd.DataFrame) -> str:
    whole = (table["read"] == table["written"]).sum()
    gone = (table["read"] == 0).sum()
    headless = ((table["read"] > 0) & (table["begins at version 1"] == "no")).sum()
    return (
        f"Stories as rows ({len(table)}), their events from left to right, {table['written'].sum()} in all, of which "
        f"{table['read'].sum()} were read. Whole: {whole} stories; without their beginning: {headless}; "
        f"not read at all: {gone}."
    )
