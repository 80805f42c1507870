"""All carts and accounts at once are what the deciders fold, one by one, at every cut."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlab.domain import account, cart
from eventlab.domain.account import commands as ask
from eventlab.domain.decider import Decider, Refused
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.events.registry import TypeRegistry
from eventlab.forgetting import KeyStore, Personal, Sealer, SubjectForgotten, by_stream, forget, new_key
from eventlab.history import population
from eventlab.history.population import ACCOUNTS, CARTS, Kind
from eventlab.store import Append, MemoryEventStore, SqlEventStore

from .stories import ACCOUNT_EVENTS, CART_EVENTS, DAY, START, eur

STREAMS = 2
NOW = datetime(2026, 3, 2, tzinfo=UTC)
Said = list[tuple[int, object, datetime]]
"""Which stream, a command or an event, its valid time."""

_PRODUCTS = st.sampled_from(["trousers", "socks"])
_QUANTITIES = st.integers(0, 3)
_MONEY = st.integers(-1, 9_000).map(lambda minor: Money(minor, "EUR"))
_DAYS = st.integers(0, 3).map(lambda days: DAY + timedelta(days=days))
CART_COMMANDS: st.SearchStrategy[object] = st.one_of(
    st.just(cart.CreateCart("ana", "EUR")),
    st.builds(cart.AddItem, _PRODUCTS, _QUANTITIES, _MONEY),
    st.builds(cart.RemoveItem, _PRODUCTS, _QUANTITIES),
    st.builds(cart.ChangeQuantity, _PRODUCTS, _QUANTITIES),
    st.sampled_from([cart.CheckOut(), cart.Abandon("no activity")]),
)
ACCOUNT_COMMANDS: st.SearchStrategy[object] = st.one_of(
    st.just(ask.OpenAccount("ana", "EUR", eur("50"), DAY)),
    *(st.builds(each, _MONEY, _DAYS) for each in (ask.Deposit, ask.Withdraw)),
    st.builds(ask.Correct, _MONEY, _DAYS, st.just("not hers")),
    st.builds(ask.SendTransfer, _MONEY, _DAYS, st.just("Ben")),
    st.builds(ask.AuthoriseCard, _MONEY, _DAYS, st.sampled_from(["baker", "fuel"]), st.just(3)),
    st.builds(ask.SettleCard, _MONEY, _DAYS, st.sampled_from(["baker", "fuel"]), st.just("7")),
    st.builds(ask.ReleaseAuthorisation, _DAYS, st.sampled_from(["baker", "fuel"])),
    st.builds(ask.ClosePeriod, _DAYS),
    st.builds(ask.CloseAccount, _DAYS, st.just("moved")),
)
# What no decider would decide, but an import may bring.
ODD_CARTS: st.SearchStrategy[object] = st.one_of(
    CART_EVENTS,
    st.sampled_from([cart.CartCreated("ben", "EUR"), cart.CheckedOut(eur("1")), cart.CartAbandoned("late")]),
    st.sampled_from(
        [cart.ItemAdded("socks", 0, eur("1")), cart.QuantityChanged("socks", 1, 0), cart.ItemRemoved("hat", -1)]
    ),
)
ODD_ACCOUNTS: st.SearchStrategy[object] = st.one_of(
    ACCOUNT_EVENTS,
    st.sampled_from([account.AccountOpened("ben", "EUR", eur("7"), DAY), account.AccountClosed(DAY, "")]),
    st.sampled_from([account.FraudScored(1, "baker", DAY), account.BalanceBroughtForward(eur("3"), DAY)]),
)


def said(what: st.SearchStrategy[object], least: int, most: int) -> st.SearchStrategy[Said]:
    """Mostly valid when it is recorded; now and then booked late or ahead."""
    hours = st.one_of(st.just(None), st.just(None), st.integers(-3, 20))
    told = st.lists(st.tuples(st.integers(1, STREAMS), what, hours), min_size=least, max_size=most)
    return told.map(
        lambda all_: [
            (number, thing, START + (timedelta(minutes=minute) if hour is None else timedelta(hours=hour)))
            for minute, (number, thing, hour) in enumerate(all_)
        ]
    )


def stored(category: str, events: Sequence[tuple[int, object, datetime]]) -> MemoryEventStore:
    """Recorded one minute after the other, among events of other streams."""
    times = iter(START + timedelta(minutes=minute) for minute in range(10 * len(events) + 1))
    store = MemoryEventStore(clock=lambda: next(times))
    for number, event, valid in events:
        store.append(StreamId(category, str(number)), [NewEvent(event, valid_time=valid)])
        if number == 1:
            store.append(StreamId("other", "1"), [NewEvent(event)])
    return store


def decided(decider: Decider[Any, Any, Any], commands: Said) -> list[tuple[int, object, datetime]]:
    """What the decider makes of the commands; those that it refuses leave nothing."""
    states: dict[int, Any] = {}
    events = []
    for number, command, valid in commands:
        try:
            new = decider.decide(command, states.get(number, decider.initial))
        except Refused:
            continue
        states[number] = decider.fold(new, states.get(number))
        events += [(number, event, valid) for event in new]
    return events


def check_every_cut(
    kind: Kind, decider: Decider[Any, Any, Any], events: Sequence[tuple[int, object, datetime]]
) -> None:
    store = stored(kind.category, events)
    log = [recorded for recorded in store.read_all() if recorded.stream.category == kind.category]
    if not log:
        with pytest.raises(LookupError, match=f"no stream {kind.category}-… in this store"):
            population.read(store, kind)
        return
    all_ = population.read(store, kind)
    cuts: list[tuple[dict[str, Any], list[Any]]] = [
        ({"position": p}, [r for r in log if r.position <= p]) for p in range(store.head() + 1)
    ]
    for axis in ("valid", "recorded"):
        for time in sorted({getattr(r, f"{axis}_time") for r in log}):
            cuts.append(({"time": time, "axis": axis}, [r for r in log if getattr(r, f"{axis}_time") <= time]))
    for when, known in cuts:
        streams = list(dict.fromkeys(r.stream for r in log if r in known))
        folded = [
            {
                "stream": str(stream),
                **kind.row(decider.fold(r.event for r in known if r.stream == stream)),
                "events": sum(r.stream == stream for r in known),
            }
            for stream in streams
        ]
        assert sorted(all_.as_of(**when).to_dicts(), key=str) == sorted(folded, key=str), when


@settings(max_examples=20, deadline=None)  # every cut of a history takes its time
@given(said(CART_COMMANDS, 10, 30))
def test_all_carts_are_what_the_decider_folds_at_every_cut(commands: Said) -> None:
    begun: Said = [(number, cart.CreateCart("ana", "EUR"), START) for number in range(1, STREAMS + 1)]
    check_every_cut(CARTS, cart.decider, decided(cart.decider, begun + commands))


@settings(max_examples=20, deadline=None)  # every cut of a history takes its time
@given(said(ACCOUNT_COMMANDS, 10, 30))
def test_all_accounts_are_what_the_decider_folds_at_every_cut(commands: Said) -> None:
    begun: Said = [(number, ask.OpenAccount("ana", "EUR", eur("50"), DAY), START) for number in range(1, STREAMS + 1)]
    check_every_cut(ACCOUNTS, account.decider, decided(account.decider, begun + commands))


@settings(max_examples=20, deadline=None)  # every cut of a history takes its time
@given(said(ODD_CARTS, 0, 12))
def test_carts_with_events_that_no_rule_allows_are_folded_as_well(events: Said) -> None:
    begun = (1, cart.CartCreated("ana", "EUR"), START)
    check_every_cut(CARTS, cart.decider, [begun, *events])


@settings(max_examples=20, deadline=None)  # every cut of a history takes its time
@given(said(ODD_ACCOUNTS, 1, 12))
def test_accounts_with_events_that_no_rule_allows_are_folded_as_well(events: Said) -> None:
    check_every_cut(ACCOUNTS, account.decider, events)


SHOP = [
    (1, cart.CartCreated("ana", "EUR"), START),
    (1, cart.ItemAdded("trousers", 3, eur("40")), START + timedelta(hours=1)),
    (2, cart.CartCreated("ben", "EUR"), START + timedelta(hours=2)),
    (1, cart.ItemAdded("trousers", 1, eur("30")), START + timedelta(hours=3)),
    (1, cart.ItemRemoved("trousers", 2), START + timedelta(hours=4)),
    (1, cart.CheckedOut(eur("60")), START + timedelta(hours=5)),
]


def test_a_cart_is_as_the_customer_saw_it() -> None:
    carts = population.read(stored("cart", SHOP), CARTS)
    assert carts.as_of(time="2026-03-01T15:30+00:00").to_dicts() == [
        {"stream": "cart-1", "status": "open", "customer": "ana", "currency": "EUR",
         "total_minor": 120_00, "lines": 1, "pieces": 4, "events": 3},
        {"stream": "cart-2", "status": "open", "customer": "ben", "currency": "EUR",
         "total_minor": 0, "lines": 0, "pieces": 0, "events": 1},
    ]  # fmt: skip
    assert carts.as_of(time="2026-03-01T14:00 Europe/Berlin")["total_minor"].to_list() == [120_00]


def test_what_changed_in_a_population_and_what_it_adds_up_to() -> None:
    carts = population.read(stored("cart", SHOP), CARTS)
    found = carts.diff(START + timedelta(hours=1), START + timedelta(hours=5))
    state = ["status", "total_minor", "pieces"]
    pairs = ["stream", *[f"{name}_{when}" for name in state for when in ("before", "after")]]
    assert found.changed.select(pairs).rows() == [
        ("cart-1", "open", "checked out", 120_00, 60_00, 3, 2),
        ("cart-2", None, "open", None, 0, None, 0),
    ]
    assert found.totals.to_dicts() == [
        {"status": "checked out", "currency": "EUR", "carts_before": 0, "carts_after": 1,
         "total_minor_before": 0, "total_minor_after": 60_00},
        {"status": "open", "currency": "EUR", "carts_before": 1, "carts_after": 1,
         "total_minor_before": 120_00, "total_minor_after": 0},
    ]  # fmt: skip
    assert carts.diff(START, START).changed.is_empty()
    for beginning in (0, START - timedelta(days=1)):
        end = carts.head if beginning == 0 else START + timedelta(hours=9)
        assert carts.diff(beginning, end).changed["stream"].to_list() == ["cart-1", "cart-2"]


@settings(max_examples=20, deadline=None)
@given(said(CART_COMMANDS, 10, 30), st.data())
def test_a_difference_is_that_of_the_two_states(commands: Said, data: st.DataObject) -> None:
    begun: Said = [(1, cart.CreateCart("ana", "EUR"), START)]
    carts = population.read(stored("cart", decided(cart.decider, begun + commands)), CARTS)
    a, b = sorted(data.draw(st.integers(0, carts.head)) for _ in range(2))
    before, after = (
        {row.pop("stream"): row for row in carts.as_of(position=moment).drop("events").to_dicts()} for moment in (a, b)
    )
    found = carts.diff(a, b)
    assert set(found.changed["stream"]) == {key for key in after if before.get(key) != after[key]}
    for when, states in (("before", before), ("after", after)):
        assert found.totals[f"carts_{when}"].sum() == len(states)
        assert found.totals[f"total_minor_{when}"].sum() == sum(state["total_minor"] for state in states.values())


def test_a_file_holds_the_same_population(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventlab.history.population.columns._GROUP", 2)
    store, file = stored("cart", SHOP), tmp_path / "carts.parquet"
    written = population.read(store, CARTS, file)
    opened, held = population.open_file(file), population.read(store, CARTS)
    assert (opened.kind, opened.head) == (CARTS, store.head())
    for each in (written, opened):
        assert each.columns.collect().equals(held.columns.collect())
        assert each.as_of(position=4).equals(held.as_of(position=4))
    assert list(tmp_path.iterdir()) == [file], "nothing is left beside it"


def test_the_order_of_events_survives_a_file_that_is_read_by_many_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The latest price of each product counts, wherever in the file it stands."""
    monkeypatch.setattr("eventlab.history.population.columns._GROUP", 500)
    streams, rounds = 200, 60
    events: list[Any] = [cart.CartCreated("ana", "EUR")]
    events += [cart.ItemAdded(f"product {n % 3}", 1, Money(n * 7919 % 1000, "EUR")) for n in range(1, rounds)]
    store = MemoryEventStore(clock=lambda: START)
    for event in events:
        store.append_all([Append(StreamId("cart", str(n)), [NewEvent(event)]) for n in range(streams)])
    carts = population.read(store, CARTS, tmp_path / "carts.parquet")
    for round_ in (rounds, 41, 17):
        row = {**CARTS.row(cart.decider.fold(events[:round_])), "events": round_}
        found = carts.as_of(position=round_ * streams)
        assert found.to_dicts() == [{"stream": f"cart-{n}", **row} for n in range(streams)]


def test_it_is_read_out_of_a_database_that_stays_as_it_is(sqlite_url: str) -> None:
    store = SqlEventStore(sqlite_url)
    for number, event, valid in SHOP:
        store.append(StreamId("cart", str(number)), [NewEvent(event, valid_time=valid)])
    before = list(store.read_all())
    carts = population.read(store, CARTS)
    assert carts.as_of(time=START + timedelta(hours=5)).equals(
        population.read(stored("cart", SHOP), CARTS).as_of(time=START + timedelta(hours=5))
    )
    assert list(store.read_all()) == before
    store.append(StreamId("cart", "3"), [NewEvent(cart.CartCreated("eve", "EUR"))])
    assert carts.as_of(time=datetime.now(UTC)).height == 2, "what comes later is not part of it"


def test_who_was_forgotten_has_no_name_here_either(sqlite_url: str) -> None:
    keys = KeyStore(sqlite_url, {1: new_key()})
    personal = Personal({cart.CartCreated: {"customer": by_stream}, SubjectForgotten: {}})
    store = MemoryEventStore(TypeRegistry(personal), sealing=Sealer(keys, personal))
    for number in (1, 2):
        store.append(StreamId("cart", str(number)), [NewEvent(cart.CartCreated("ana", "EUR"))])
    forget(store, keys, "1", "a letter")
    keys.close()
    named = population.read(store, CARTS).as_of(position=store.head())
    assert named["customer"].to_list() == ["(forgotten)", "ana"]


def test_what_cannot_be_read_out_leaves_nothing_behind(tmp_path: Path) -> None:
    store, file = stored("cart", [*SHOP, (1, account.FraudScored(1, "baker", DAY), START)]), tmp_path / "carts.parquet"
    file.write_text("what was there")
    with pytest.raises(ValueError, match="cart-1 version 6 is a FraudScored, which is not an event of a cart"):
        population.read(store, CARTS, file)
    assert [each.name for each in tmp_path.iterdir()] == ["carts.parquet"]
    assert file.read_text() == "what was there"


@pytest.mark.parametrize("content", [b"", b"PAR1 not really", b"stream,version"])
def test_a_file_that_is_no_population_is_an_error(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "carts.parquet"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="does not hold the events of a population"):
        population.open_file(file)


def test_a_file_that_was_cut_off_or_is_not_there_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "carts.parquet"
    with pytest.raises(FileNotFoundError):
        population.open_file(file)
    population.read(stored("cart", SHOP), CARTS, file)
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match="does not hold the events of a population"):
        population.open_file(file)
    pl.DataFrame({"stream": ["cart-1"]}).write_parquet(file)
    with pytest.raises(ValueError, match="does not hold the events of a population"):
        population.open_file(file)


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({}, "either a time or a position"),
        ({"time": START, "position": 1}, "either a time or a position"),
        ({"time": START - timedelta(hours=1)}, "there was nothing at 2026-03-01 11:00.*: the first cart begins at"),
        ({"time": "9999-01-01T00:00Z"}, "is in the future"),
        ({"time": datetime(2026, 3, 1, 12)}, "has no time zone"),  # noqa: DTZ001
        ({"time": date(2026, 3, 1)}, "is a whole day"),
        ({"time": "2026-03-01T12:00 Europe/Berln"}, "did you mean Europe/Berlin"),
        ({"time": START, "axis": "system"}, "no time axis 'system'"),
        ({"position": -1}, "there is no position -1"),
        ({"position": "3"}, "a position is a whole number, not '3'"),
        ({"position": 99}, "there is no position 99: the last event has position 11"),
    ],
)
def test_a_moment_that_cannot_be_is_an_error_in_words(when: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        population.read(stored("cart", SHOP), CARTS).as_of(**when)


@pytest.mark.parametrize(("a", "b"), [(3, 2), (START + timedelta(hours=2), START)])
def test_a_difference_goes_forward(a: Any, b: Any) -> None:
    carts = population.read(stored("cart", SHOP), CARTS)
    with pytest.raises(ValueError, match="give the earlier moment first"):
        carts.diff(a, b)
    with pytest.raises(ValueError, match="give two positions or two times"):
        carts.diff(1, START)


@pytest.mark.parametrize(
    ("kind", "events", "message"),
    [
        (CARTS, [*SHOP, (1, cart.ItemAdded("hat", 1, Money(1, "USD")), START)], "the total of cart-1 is not an amount"),
        (CARTS, [*SHOP, (1, cart.CartCreated("ana", "USD"), START)], "the total of cart-1 is not an amount"),
        (
            ACCOUNTS,
            [(7, account.Deposited(Money(1, code), DAY), START) for code in ("EUR", "USD")],
            "the balance of account-7 is not an amount: its bookings mix currencies",
        ),
    ],
)
def test_what_mixes_currencies_has_no_amount(kind: Kind, events: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        population.read(stored(kind.category, events), kind).as_of(time=START + timedelta(hours=6))
