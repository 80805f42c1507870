"""The timeline as Python sees it: what it shows at each version, what it sends, what it leaves without a kernel."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets import TraitError

from eventlab.domain import account, cart
from eventlab.domain.money import Money
from eventlab.events.envelope import StreamId, Version
from eventlab.history import Step, as_of, steps
from eventlab.inputs.generate import demo_account, demo_carts, demo_store
from eventlab.show import timeline
from eventlab.show.timeline import _Line

ANA, CART = StreamId("account", "ana"), StreamId("cart", "1")
STORE = demo_store({ANA: demo_account(4), **demo_carts(1, 3)})
STEPS = steps(STORE, account.decider, ANA)
SOON = datetime(2026, 3, 3, tzinfo=UTC)


@dataclass
class Purse:
    balance: Money | None


def history(*amounts, gap=timedelta(hours=1)):
    """Steps whose state is only a balance."""
    return [
        Step(Version(version), SOON + version * gap, f"event {version}", None, Purse(amount))
        for version, amount in enumerate(amounts, start=1)
    ]


@pytest.fixture(scope="module")
def shown():
    return timeline(STEPS, "balance")


def test_it_opens_at_the_latest_version(shown):
    assert timeline(STEPS, "balance").step == STEPS[-1]


def test_a_day_at_the_end_of_the_line_stays_in_the_picture():
    days = history(*(Money.of(amount, "EUR") for amount in ("1.00", "2.00", "3.00")), gap=timedelta(days=1))
    assert re.search(r'text-anchor="end"[^>]*>Mar 06</text>', _Line.of(days, "balance").svg())


@given(version=st.integers(1, len(STEPS)))
def test_every_version_shows_its_event_its_changes_and_the_state_as_of_it(shown, version):
    shown.version = version
    now, step = shown._now, STEPS[version - 1]
    assert shown.step == step
    assert (now["version"], now["event"]) == (version, str(step.event))
    assert dict([row[:2] for row in now["state"]])["balance"] == str(
        as_of(STORE, account.decider, ANA, version=version).balance
    )
    assert now["value"] == float(step.state.balance.amount)
    assert [name for name, before, after in now["changes"]] == [change.field for change in step.changes]
    marked = {name for name, _, changed in now["state"] if changed}
    gone = {change.field for change in step.changes if change.after is None}
    assert marked == {change.field for change in step.changes} - gone


def test_a_step_is_said_in_one_sentence_for_those_who_listen(shown):
    shown.version = 2
    assert shown._now["spoken"] == (
        f"Version 2 of {len(STEPS)}, 2026-01-02 09:05:00 UTC: {STEPS[1].event}. Balance {STEPS[1].state.balance}"
    )


def test_a_move_in_the_browser_is_heard_in_python(shown):
    heard = []
    shown.observe(lambda change: heard.append(change["new"]), "version")
    shown.version = 5
    shown.set_state({"version": 7})  # what arrives when the slider is moved
    assert heard[-1] == 7
    assert shown._now["version"] == 7


@pytest.mark.parametrize("version", [0, -1, len(STEPS) + 1])
def test_a_version_that_is_not_there_is_refused_and_nothing_moves(shown, version):
    shown.version = 3
    with pytest.raises(TraitError, match=f"no version {version}: this history has versions 1 to {len(STEPS)}"):
        shown.version = version
    assert shown.step == STEPS[2]


def test_a_cart_is_followed_by_its_total():
    walked = steps(STORE, cart.decider, CART)
    shown = timeline(walked, "total")
    assert shown._now["value"] == float(walked[-1].state.total.amount)
    assert shown.alt.startswith(f"The total in EUR over versions 1 to {len(walked)}, ")


def test_the_alt_text_gives_the_extremes_and_the_end(shown):
    balances = [step.state.balance for step in STEPS]
    lowest, highest = balances.index(min(balances)) + 1, balances.index(max(balances)) + 1
    assert f"lowest {min(balances)} at version {lowest}" in shown.alt
    assert f"highest {max(balances)} at version {highest}" in shown.alt
    assert f"at the end {balances[-1]}" in shown.alt


@given(st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=4000))
def test_the_line_of_a_long_history_is_drawn_with_few_points_that_keep_every_extreme(amounts):
    line = _Line.of(history(*[Money(amount, "EUR") for amount in amounts], gap=timedelta(seconds=1)), "balance")
    drawn = line.points()
    assert (drawn["value"].min(), drawn["value"].max()) == (min(amounts) / 100, max(amounts) / 100)
    assert drawn["value"].iloc[0] == amounts[0] / 100
    assert drawn["value"].iloc[-1] == amounts[-1] / 100
    assert drawn["time"].is_monotonic_increasing


def test_a_hundred_thousand_events_are_not_sent_to_the_browser():
    shown = timeline(
        history(*[Money(n * 37 % 9973, "EUR") for n in range(100_000)], gap=timedelta(seconds=1)), "balance"
    )
    state = shown.get_state()
    assert len(shown._line.points()) <= 4 * 721, "four points per pixel column"
    assert len(state["_times"]) == 8 * 100_000
    assert len(state["_picture"]) < 300_000
    assert len(str(state["_now"])) < 5_000


def test_versions_of_one_moment_can_be_shown():
    shown = timeline(history(Money(100, "EUR"), Money(200, "EUR"), gap=timedelta(0)), "balance")
    shown.version = 1
    assert shown._now["value"] == 1
    frame = shown._shape["frame"]
    assert frame["start"] < frame["end"]
    assert frame["low"] < frame["high"]


def test_a_number_that_is_not_there_yet_leaves_a_gap():
    shown = timeline(history(None, Money(100, "EUR")), "balance")
    shown.version = 1
    assert shown._now["value"] is None
    assert len(shown._line.points()) == 1
    assert "no value yet" in timeline(history(None, None), "balance").alt


def test_times_are_sent_as_milliseconds(shown):
    sent = np.frombuffer(shown._times, "<f8")
    assert datetime.fromtimestamp(sent[0] / 1000, UTC) == STEPS[0].time
    assert len(sent) == len(STEPS)


def test_without_a_kernel_there_is_a_picture_with_alt_text_and_tables(shown):
    shown.version = 9
    data, _ = shown._repr_mimebundle_()
    page = data["text/html"]
    assert "application/json" not in data
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "<svg" in page
    assert re.search(r'role="img" aria-label="The balance in EUR over versions 1 to \d+', page)
    assert f"<caption>What version 9 changed: {escape(str(STEPS[8].event))}</caption>" in page
    assert f"<td>{STEPS[8].state.balance}</td>" in page
    assert "http" not in page.replace("http://www.w3.org/", ""), "nothing is loaded from the network"


def test_the_picture_without_a_kernel_holds_no_html_of_the_data():
    walked = history(Money(100, "EUR"))
    step = Step(walked[0].version, walked[0].time, "<script>alert(1)</script>", None, walked[0].state)
    page = timeline([step], "balance")._repr_mimebundle_()[0]["text/html"]
    assert "<script" not in page


def test_no_history_is_a_clear_error():
    with pytest.raises(ValueError, match="the stream has no events"):
        timeline([], "balance")


def test_a_missing_version_is_a_clear_error():
    with pytest.raises(ValueError, match="version 3 is missing"):
        timeline([*STEPS[:2], *STEPS[3:]], "balance")


def test_a_number_that_the_state_does_not_have_is_a_clear_error():
    with pytest.raises(ValueError, match=r"no 'total' for the chart to follow; it has status, owner, .*available"):
        timeline(STEPS, "total")
