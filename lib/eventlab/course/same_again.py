"""Lesson 02 measures: do the same events give the same state again, twice, on other servers, on other days?"""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from random import Random
from typing import Any

import altair
import msgspec
import pandas as pd

from eventlab import show
from eventlab.course.sales import (
    CODEC,
    Event,
    Evolve,
    Loaded,
    Story,
    VoucherGiven,
    check_out,
    fold,
    load,
    on,
    worked_out,
    written_down,
)
from eventlab.domain import cart
from eventlab.domain.cart import CheckedOut
from eventlab.domain.decider import Refused
from eventlab.events.envelope import NewEvent
from eventlab.inputs.generate import demo_carts
from eventlab.show import words
from eventlab.show.charts import HEIGHT, WIDTH, Figure


def answers(commands: Iterable[cart.Command]) -> Iterator[str]:
    """What the cart's decider says to each command, one after the other: the events, or why it refuses."""
    state = cart.decider.initial
    for command in commands:
        try:
            events = cart.decider.decide(command, state)
        except Refused as reason:
            yield f"{_said(command)} → refused: {reason}"
        else:
            yield f"{_said(command)} → {'; '.join(map(str, events)) or 'nothing to do'}"
            state = cart.decider.fold(events, state)


def _said(command: cart.Command) -> str:
    return f"{type(command).__name__}({', '.join(words.value(part) for part in msgspec.structs.astuple(command))})"


def bought(seed: int = 1, n: int = 1400) -> list[list[NewEvent]]:
    """Of ``n`` generated carts, from Monday 2 March 2026 on, those that were checked out, each with its times."""
    return [history for history in demo_carts(seed, n).values() if isinstance(history[-1].event, CheckedOut)]


def with_facts(histories: Iterable[Sequence[NewEvent]], seed: int = 1) -> list[list[Event]]:
    """The same purchases in the cured shop, where day, number and voucher were decided once, when it happened."""
    rng = Random(seed)  # noqa: S311 a history that repeats, not a secret
    stories: list[list[Event]] = []
    for number, history in enumerate(histories, start=1):
        *shopping, end = history
        story: list[Any] = [new.event for new in shopping]
        assert end.valid_time is not None
        paid = check_out(cart.decider.fold(story), end.valid_time.date(), f"2026-{number:05}")
        lucky = [VoucherGiven()] if rng.random() < 1 / 3 else []
        stories.append([*story[:1], *lucky, *story[1:], *paid])
    return stories


def points_on(evolve: Evolve, stories: Iterable[Story], day: date) -> int:
    """All points of the shop, when the stories are loaded on ``day``."""
    on_that_day = on(evolve, day)
    return sum(fold(on_that_day, story).points for story in stories)


def servers(evolve: Evolve, stories: Iterable[Story], day: date, hash_seeds: Iterable[int]) -> list[Loaded]:
    """What servers of the shop make of the same stored bytes on the same day: a Python process per hash seed.

    Without ``PYTHONHASHSEED`` each process draws a seed of its own; here they are given, so that a run repeats.
    """
    stored = msgspec.json.encode([[CODEC.encode(event) for event in story] for story in stories])
    command = [sys.executable, "-m", "eventlab.course.sales", evolve.__name__, day.isoformat()]

    def answer(seed: int) -> Loaded:
        environment = os.environ | {"PYTHONHASHSEED": str(seed)}
        done = subprocess.run(command, input=stored, stdout=subprocess.PIPE, env=environment, check=True)
        return msgspec.json.decode(done.stdout, type=Loaded)

    with ThreadPoolExecutor() as pool:
        return list(pool.map(answer, hash_seeds))


def three_tests(
    evolve: Evolve, stories: Sequence[Story], day: date, other_day: date, hash_seeds: Sequence[int] = (1, 2, 3, 4)
) -> pd.DataFrame:
    """For how many stories each field comes out the same again: a row per field, a column per test.

    Loaded twice by one process on ``day``; by one server per hash seed on that day; on ``day`` and on ``other_day``.
    """
    once, again = (load(on(evolve, day), stories) for _ in range(2))
    tests = {
        "twice in one process": [once, again],
        f"on {len(hash_seeds)} servers": servers(evolve, stories, day, hash_seeds),
        "on another day": [once, load(on(evolve, other_day), stories)],
    }
    return pd.DataFrame(
        {
            test: [sum(len(set(same)) == 1 for same in zip(*field, strict=True)) for field in zip(*loads, strict=True)]
            for test, loads in tests.items()
        },
        index=pd.Index(Loaded._fields, name="the same again"),
    )


def week(stories: Sequence[Story], noted: Sequence[Story], first: date) -> Figure:
    """All points of the shop on each of eight days from ``first`` on, from the same events: both shops side by side."""
    days = [first + timedelta(days=n) for n in range(8)]
    ways: tuple[tuple[str, Evolve, Sequence[Story]], ...] = (
        ("worked out", worked_out, stories),
        ("written down", written_down, noted),
    )
    table = pd.DataFrame(
        [
            {"loaded on": f"{day:%a %d %b}", "points": points_on(evolve, kept, day), "points are": way}
            for way, evolve, kept in ways
            for day in days
        ]
    )
    chart = (
        altair.Chart(table, width=WIDTH, height=HEIGHT)
        .mark_bar()
        .encode(
            x=altair.X("loaded on", type="nominal", sort=None).axis(labelAngle=0),
            y=altair.Y("points", type="quantitative"),
            color=altair.Color("points are", type="nominal"),
            xOffset="points are:N",
        )
    )
    spread = table.groupby("points are")["points"].agg(["min", "max"])
    told = [
        f"{way}, from {low:,} to {high:,}" if low != high else f"{way}, {low:,} on every day"
        for way, low, high in spread.itertuples()
    ]
    alt = f"All points of the shop, from the same events loaded on each day from {days[0]} to {days[-1]}: "
    return show.figure(chart, f"{alt}{'; '.join(told)}.", table)
