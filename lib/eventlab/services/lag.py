"""How far each service is behind, over time: what a monitor of consumer groups shows."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, Literal

import altair
import pandas as pd

from eventlab import show
from eventlab.show.charts import HEIGHT, WIDTH, Figure

_PAUSE_SECONDS = 0.03  # between two looks
_ABOVE = -8  # pixels
MARGIN = {"left": 24, "top": 5, "right": 32, "bottom": 5}  # pixels: a browser's letters are wider than the picture's


@dataclass
class Watch:
    """All looks, in order: the seconds since the first one, and each service's lag. ``marks``: what was done when."""

    began: float = field(default_factory=time.monotonic)
    looks: list[tuple[float, Mapping[str, int]]] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)

    def mark(self, what: str) -> None:
        """Note that this is done now."""
        self.marks.append((round(time.monotonic() - self.began, 2), what))

    def most(self, service: str) -> int:
        """The most records that a service was seen to be behind."""
        return max(lag[service] for _, lag in self.looks)

    def table(self) -> pd.DataFrame:
        """A row per look and service: seconds, service, events behind."""
        rows = [(round(at, 2), service, lag) for at, look in self.looks for service, lag in look.items()]
        return pd.DataFrame(rows, columns=["seconds", "service", "events behind"])

    def picture(self) -> Figure:
        """A line per service, and what was done to them."""
        table, marks = self.table(), pd.DataFrame(self.marks, columns=["seconds", "done"])
        lines = (
            altair.Chart(table, width=WIDTH, height=HEIGHT)
            .mark_line(interpolate="step-after")
            .encode(
                x="seconds:Q",
                y="events behind:Q",
                color=altair.Color("service:N", title=None, sort=None),
                strokeDash=altair.StrokeDash("service:N", title=None, sort=None),
            )
        )
        rules = altair.Chart(marks).mark_rule(strokeDash=[2, 2], color="currentColor").encode(x="seconds:Q")
        # Above its rule, on the side where there is room.
        late = marks["seconds"] > table["seconds"].max() / 2
        text = [_text(marks[~late], "left"), _text(marks[late], "right")]
        said = [f"{service} up to {self.most(service)}" for service in self.looks[0][1]]
        done = [f"{what} after {at} s" for at, what in self.marks]
        alt = f"Events behind over time, a line per service: {', '.join(said)}. {'; '.join(done)}."
        return show.figure(altair.layer(lines, rules, *text, padding=MARGIN), alt, table)


def _text(marks: pd.DataFrame, align: Literal["left", "right"]) -> Any:
    return altair.Chart(marks).mark_text(align=align, y=_ABOVE).encode(x="seconds:Q", text="done:N")


@contextmanager
def watching(lag: Callable[[], Mapping[str, int]]) -> Iterator[Watch]:
    """Look again and again for as long as the block lasts. Raises at its end what a look raised."""
    watch, stop, failed = Watch(), Event(), list[BaseException]()

    def look() -> None:
        try:
            while True:
                last = stop.is_set()
                watch.looks.append((time.monotonic() - watch.began, lag()))
                if last:
                    return
                stop.wait(_PAUSE_SECONDS)
        except BaseException as error:  # raised below, in the thread that asked
            failed.append(error)

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        stop.set()
        thread.join()
    if failed:
        raise failed[0]
