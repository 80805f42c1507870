"""What several readers of the same two topics make of them, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import altair
import pandas as pd

from eventlab import show
from eventlab.pitfalls.consumers.two_topics.bank import Event, TariffSet
from eventlab.pitfalls.consumers.two_topics.view import Line, View
from eventlab.show import markup
from eventlab.show.charts import HEIGHT, WIDTH, Figure
from eventlab.show.palette import BLUE, GREEN, ORANGE, VERMILLION

_ROW_HEIGHT = 64  # pixels
_NAMES_WIDTH = 110  # of the readers' names, in pixels: browsers take other fonts than the one that is measured here
_COLOURS = {"Basic": BLUE, "Plus": ORANGE, "Gold": GREEN}
_UNKNOWN, _GREY = "no tariff", "#767676"  # on white and on black 4.5 : 1
_WRONG = " ✕ wrong"


@dataclass(frozen=True)
class Readings:
    """``workload``: what was sent, in both topics together. ``views``: what each reader has in the end, by its name."""

    workload: Sequence[Event]
    views: Mapping[str, View]
    unit: str

    @cached_property
    def statements(self) -> pd.DataFrame:
        """What each account pays in all, in cents, by every reader: a row per account, a column per reader."""
        accounts = dict.fromkeys(event.account for event in self.workload)
        lines = {name: pd.DataFrame(_row(line) for line in view.lines) for name, view in self.views.items()}
        sums = {name: frame.groupby("account")["fee"].sum().reindex(accounts) for name, frame in lines.items()}
        return pd.DataFrame(sums).fillna(0).astype(int)

    @cached_property
    def wrong(self) -> tuple[str, ...]:
        """The accounts of which the readers do not show the same payments with the same tariffs."""
        shown = [{line.payment: line.tariff for line in view.lines} for view in self.views.values()]
        payments = dict.fromkeys(payment for each in shown for payment in each)
        return tuple(
            dict.fromkeys(payment.account for payment in payments if len({each.get(payment) for each in shown}) > 1)
        )

    @property
    def count(self) -> int:
        """How many accounts they differ about."""
        return len(self.wrong)

    @property
    def of(self) -> int:
        """How many accounts there are."""
        return len(self.statements)

    def table(self) -> pd.DataFrame:
        """A row per reader: the hash of its view, the fees in EUR, payments with a wrong tariff or none yet."""
        return pd.DataFrame(
            {
                "reader": self.views.keys(),
                "hash": [view.hash for view in self.views.values()],
                "fees": [f"{sum(line.fee for line in view.lines) / 100:.2f}" for view in self.views.values()],
                "payments": [len(view.lines) for view in self.views.values()],
                "wrong tariff": [sum(line.wrong for line in view.lines) for view in self.views.values()],
                "held or marked": [len(view.waiting) for view in self.views.values()],
            }
        )

    def picture(self, account: str | None = None) -> Figure:
        """One account as each reader met it, by default the first that they differ about."""
        account = account or (self.wrong or tuple(self.statements.index))[0]
        frame = pd.DataFrame(row for name, view in self.views.items() for row in _met(name, view, account))
        said = [
            f"{name}: {', '.join(f'{row.what} {row.says}{_WRONG * row.wrong}' for row in rows.itertuples())}"
            for name, rows in frame.groupby("reader", sort=False)
        ]
        alt = f"What happened to {account}, from left to right as each reader came to it. {'. '.join(said)}."
        return show.figure(_rows(frame), alt, frame[["reader", "step", "what", "tariff", "says", "wrong"]])

    def waiting(self) -> Figure:
        """How many payments were incomplete, after each event that a reader took."""
        frame = pd.DataFrame(
            {"reader": name, "events": number, "incomplete": count}
            for name, view in self.views.items()
            for number, count in enumerate(view.open, start=1)
        )
        most = frame.groupby("reader", sort=False)["incomplete"].agg(["max", "last"])
        said = ", ".join(f"{name} {row['max']} at most and {row['last']} in the end" for name, row in most.iterrows())
        alt = f"Payments that lack their tariff, by the number of events taken: {said}."
        chart = altair.Chart(frame, width=WIDTH, height=HEIGHT).mark_line(interpolate="step-after")
        encoded = chart.encode(
            x=altair.X("events:Q", title="events taken"),
            y=altair.Y("incomplete:Q", title="payments without their tariff"),
            color=altair.Color("reader:N", sort=None, title=None).legend(orient="top", labelLimit=0),
            strokeDash=altair.StrokeDash("reader:N", sort=None, title=None),
        )
        table = most.rename(columns={"max": "at most", "last": "in the end"}).reset_index()
        return show.figure(encoded, alt, table)

    def __repr__(self) -> str:
        return f"{self.count} of {self.of} {self.unit}"

    def _repr_html_(self) -> str:
        return f"<b>{self.count} of {self.of}</b> {escape(self.unit)}{markup.frame_table(self.table())}"


def _row(line: Line) -> dict[str, object]:
    return {"account": line.payment.account, "fee": line.fee}


def _met(reader: str, view: View, account: str) -> list[dict[str, Any]]:
    """What the reader did about the account, one thing after the other."""
    mine = [each for each in view.applied if _account(each) == account]
    return [{"reader": reader, "step": step, **_in_words(each)} for step, each in enumerate(mine, start=1)]


def _account(each: TariffSet | Line) -> str:
    return each.account if isinstance(each, TariffSet) else each.payment.account


def _in_words(each: TariffSet | Line) -> dict[str, Any]:
    if isinstance(each, TariffSet):
        return {"what": "tariff", "tariff": each.tariff, "says": each.tariff, "wrong": False}
    tariff = each.tariff.tariff if each.tariff else _UNKNOWN
    says = "?" if each.marked else f"{each.fee / 100:.2f}"
    return {"what": "payment", "tariff": tariff, "says": says, "wrong": each.wrong}


def _rows(frame: pd.DataFrame) -> Any:
    readers = list(dict.fromkeys(frame["reader"]))
    base = altair.Chart(frame).encode(
        x=altair.X("step:Q", title="as the reader came to it")
        .axis(tickMinStep=1, grid=False)
        .scale(domain=[0.5, frame["step"].max() + 0.5], nice=False),
        y=altair.Y("reader:N", sort=readers, title=None).axis(minExtent=_NAMES_WIDTH),
    )
    colour = altair.Color("tariff:N", title=None).scale(domain=[*_COLOURS, _UNKNOWN], range=[*_COLOURS.values(), _GREY])
    marks = base.mark_point(filled=True, size=170, opacity=1, strokeWidth=1).encode(
        color=colour.legend(orient="top"),
        shape=altair.Shape("what:N", title=None)
        .scale(domain=["tariff", "payment"], range=["square", "circle"])
        .legend(orient="top"),
    )
    says = base.mark_text(dy=-16).encode(text="says:N")
    wrong = base.mark_text(dy=17, color=VERMILLION, text=_WRONG.strip()).transform_filter("datum.wrong")
    layers = altair.layer(marks, says, wrong)
    return layers.properties(width=WIDTH, height=_ROW_HEIGHT * len(readers))
