"""The picture of both times as Python sees it: what each point says, what is sent, what stays without a kernel."""

import re
from datetime import UTC, date, datetime, timedelta
from html import escape
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets import TraitError

from eventlab.domain import account, cart
from eventlab.domain.account import AccountOpened, Corrected, Deposited, Withdrawn
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.history import as_believed, bitemporal
from eventlab.inputs.generate import demo_account, demo_carts, demo_store
from eventlab.show import two_times
from eventlab.show.two_times import _regions
from eventlab.store import MemoryEventStore

ANA = StreamId("account", "ana")


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def store_of(story) -> MemoryEventStore:
    now = at(1, 0)
    store = MemoryEventStore(clock=lambda: now)
    for event, valid, recorded in story:
        now = recorded
        store.append(ANA, [NewEvent(event, valid_time=valid)])
    return store


STORY = [
    (AccountOpened("Ana", "EUR", eur("500"), date(2026, 3, 1)), at(1, 9), at(1, 9)),
    (Withdrawn(eur("150"), date(2026, 3, 2), "Rent"), at(2, 6), at(2, 6)),
    (Deposited(eur("2000"), date(2026, 3, 5), "Salary"), at(2, 5), at(5, 8)),
    (Corrected(eur("6"), date(2026, 3, 6), "no fee <b>"), at(3, 2), at(6, 9)),
]
STORE = store_of(STORY)
BOTH = bitemporal(STORE, account.decider, ANA)
DAYS = st.integers(1, 6).map(lambda day: at(day, 12))
BOOKINGS = st.tuples(st.integers(-300, 300).filter(bool), DAYS)
STORIES = st.lists(BOOKINGS, max_size=8).map(
    lambda found: [
        STORY[0],
        *(
            ((Deposited if minor > 0 else Withdrawn)(Money(abs(minor), "EUR"), date(2026, 3, 1)), valid, at(n, 12))
            for n, (minor, valid) in enumerate(found, start=1)
        ),
    ]
)


@pytest.fixture(scope="module")
def shown():
    return two_times(BOTH, "balance")


def test_it_opens_at_the_end_or_where_one_asks():
    assert two_times(BOTH, "balance").state.balance == eur("1856")
    monday_on_tuesday = two_times(BOTH, "balance", time="2026-03-02T23:00Z", known_at=at(3, 18))
    assert (monday_on_tuesday.time, monday_on_tuesday.known_at) == (at(2, 6), at(2, 6))
    assert monday_on_tuesday.state.balance == eur("-150")


@pytest.mark.parametrize("place", list(product(range(len(BOTH.valid)), range(len(BOTH.recorded)))))
def test_every_point_says_what_was_believed_and_what_it_was_in_the_end(shown, place):
    shown.valid, shown.recorded = place
    time, known_at = BOTH.valid[place[0]], BOTH.recorded[place[1]]
    believed = as_believed(STORE, account.decider, ANA, time=time, known_at=known_at)
    end = as_believed(STORE, account.decider, ANA, time=time, known_at=BOTH.recorded[-1])
    assert shown.state == believed
    assert shown._now["headline"].endswith(f"balance {believed.balance}")
    assert f": {end.balance} " in shown._now["when"]
    known = [str(event) for event, valid, recorded in STORY if valid <= time and recorded <= known_at]
    later = [str(event) for event, valid, recorded in STORY if valid <= time and recorded > known_at]
    assert sorted(row[2] for row in shown._now["known"]["rows"]) == sorted(known)
    assert sorted(row[2] for row in shown._now["later"]["rows"]) == sorted(later)
    assert shown._now["when"].startswith("Nothing") != bool(later)


def test_a_point_is_described_in_words(shown):
    shown.valid, shown.recorded = 2, 1
    assert shown._now["headline"] == (
        "Known at 2026-03-02 06:00:00 UTC about 2026-03-02 06:00:00 UTC: balance -150.00 EUR"
    )
    assert shown._now["when"] == "1 event was recorded later: 1,850.00 EUR as known at 2026-03-06 09:00:00 UTC."


def test_a_move_in_the_browser_is_heard_in_python(shown):
    heard = []
    shown.observe(lambda change: heard.append((change["name"], change["new"])), ["valid", "recorded"])
    shown.valid = shown.recorded = 0
    shown.set_state({"valid": 3, "recorded": 2})  # what arrives when somebody points
    assert {("valid", 3), ("recorded", 2)} <= set(heard)
    assert shown.state == BOTH.states[2][3]
    assert "balance 1,850.00 EUR" in shown._now["headline"]


@pytest.mark.parametrize("axis", ["valid", "recorded"])
@pytest.mark.parametrize("place", [-1, 4])
def test_a_place_that_is_not_there_is_refused_and_nothing_moves(shown, axis, place):
    shown.valid = shown.recorded = 1
    with pytest.raises(TraitError, match=f"no {axis} place {place}: they go from 0 to 3"):
        setattr(shown, axis, place)
    assert shown.state == BOTH.states[1][1]


@given(STORIES)
def test_the_regions_are_the_rows_of_a_bitemporal_table(story):
    both = bitemporal(store_of(story), account.decider, ANA)
    regions = list(_regions(both, "balance"))
    for (v, time), (r, known_at) in product(enumerate(both.valid), enumerate(both.recorded)):
        holding = [
            region.value
            for region in regions
            if region.valid_from <= time
            and (region.valid_to is None or time < region.valid_to)
            and region.recorded_from <= known_at
            and (region.recorded_to is None or known_at < region.recorded_to)
        ]
        assert holding == [both.states[r][v].balance]


def test_alt_says_what_the_picture_shows(shown):
    assert shown.alt == (
        "The balance on two time axes: valid time to the right, 2026-03-01 09:00:00 UTC to 2026-03-03 02:00:00 UTC; "
        "recorded time upwards, 2026-03-01 09:00:00 UTC to 2026-03-06 09:00:00 UTC. 2 of 4 events were recorded late. "
        "The latest: corrected by 6.00 EUR: no fee <b>, happened 2026-03-03 02:00:00 UTC, recorded "
        "2026-03-06 09:00:00 UTC."
    )


def test_where_nothing_was_late_it_says_so():
    both = bitemporal(store_of(STORY[:2]), account.decider, ANA)
    assert two_times(both, "balance").alt.endswith("Whatever was believed about a time is still believed.")
    assert "Nothing about that time was recorded later: -150.00 EUR" in two_times(both, "balance")._now["when"]


def test_times_are_sent_as_milliseconds_and_the_axes_hold_them(shown):
    for name, axis in zip(["valid", "recorded"], shown._shape["axes"], strict=True):
        sent = np.frombuffer(getattr(shown, f"_{name}"), "<f8")
        assert [datetime.fromtimestamp(moment / 1000, UTC) for moment in sent] == list(getattr(BOTH, name))
        assert axis["start"] == sent[0]
        assert sent[-1] < axis["end"]


def test_without_a_kernel_there_is_a_picture_with_alt_text_and_tables(shown):
    shown.valid, shown.recorded = 2, 1
    data, _ = shown._repr_mimebundle_()
    page = data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "<svg" in page
    assert re.search(r'role="img" aria-label="The balance on two time axes: .*The cursor stands at: Known at', page)
    assert f"<td>{escape('corrected by 6.00 EUR: no fee <b>')}</td>" not in page, "it happened after that time"
    assert "<caption>Had happened, and was recorded later</caption>" in page
    assert "<td>deposited 2,000.00 EUR: Salary</td>" in page
    assert "<td>-150.00 EUR</td>" in page
    assert "http" not in page.replace("http://www.w3.org/", ""), "nothing is loaded from the network"
    assert ">-150.00<" in page, "a region wide enough says its balance"


def test_the_picture_without_a_kernel_holds_no_html_of_the_data(shown):
    shown.valid, shown.recorded = 3, 3
    assert "<b>" not in shown._repr_mimebundle_()[0]["text/html"]


def test_a_long_history_without_late_events_is_few_regions():
    store = demo_store({ANA: demo_account(4)})
    both = bitemporal(store, account.decider, ANA, since="2026-02-01T00:00Z")
    shown = two_times(both, "balance")
    assert len(shown._regions) <= 2 * len(both.valid)
    assert len(shown._picture) < 300_000
    assert "of them" not in shown._now["known"]["caption"]
    assert shown._now["known"]["caption"].startswith("Known then, the last 8 of ")


def test_a_cart_is_drawn_by_its_total():
    carts = demo_carts(1, 3)
    stream = next(iter(carts))
    both = bitemporal(demo_store(carts), cart.decider, stream)
    assert two_times(both, "total")._now["headline"].endswith(f"total {both.states[-1][-1].total}")


def test_one_event_is_a_picture_too():
    both = bitemporal(store_of(STORY[:1]), account.decider, ANA)
    shown = two_times(both, "balance")
    assert all(axis["start"] < axis["end"] for axis in shown._shape["axes"])
    assert "<svg" in shown._page()


def test_a_number_that_the_state_does_not_have_is_a_clear_error():
    with pytest.raises(ValueError, match=r"the state has no 'total' to draw; it has status, owner, .*available"):
        two_times(BOTH, "total")


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"time": at(1, 8)}, "is before 2026-03-01 09:00:00"),
        ({"known_at": at(1, 8)}, "is before 2026-03-01 09:00:00"),
        ({"time": datetime(2026, 3, 2)}, "has no time zone"),  # noqa: DTZ001
        ({"known_at": "Tuesday"}, "'Tuesday' is not a time"),
        ({"time": BOTH.valid[0] - timedelta(microseconds=1)}, "where this picture of both times begins"),
    ],
)
def test_a_place_outside_the_picture_is_a_clear_error(where, message):
    with pytest.raises(ValueError, match=message):
        two_times(BOTH, "balance", **where)
