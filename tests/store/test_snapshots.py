"""Snapshots: the same state as all events give, at any place; when in doubt, the events."""

import uuid
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
import sqlalchemy
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import text

from eventlab.domain import account, cart
from eventlab.domain.account import Account, Deposit, Deposited, OpenAccount
from eventlab.domain.decider import Decider, Refused
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId, Version
from eventlab.events.errors import Unwritable
from eventlab.inputs.generate import demo_account, demo_carts
from eventlab.store import MemoryEventStore, MemorySnapshots, SqlEventStore, SqlSnapshots, execute, state
from eventlab.store.snapshots import Snapshots

ANA = StreamId("account", "ana")
DAY = date(2026, 3, 1)
HISTORY = demo_account(seed=4)
CARTS = list(demo_carts(seed=9, n=30).values())


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


def deposit(amount: str = "10") -> NewEvent:
    return NewEvent(Deposited(eur(amount), DAY))


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def both(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Callable[..., Snapshots]]]:
    """A store and what makes snapshots beside it."""
    if request.param == "memory":
        yield MemoryEventStore(), MemorySnapshots
        return
    if request.param == "sqlite":
        store = SqlEventStore(request.getfixturevalue("sqlite_url"))
    else:
        store = SqlEventStore(request.getfixturevalue("postgres_server"), schema=f"t{uuid.uuid4().hex}")
    yield store, lambda **settings: SqlSnapshots(store, **settings)
    store.close()


@settings(deadline=None)
@given(
    st.sampled_from([(account.decider, HISTORY), *((cart.decider, story) for story in CARTS)]),
    st.lists(st.integers(0, 220), max_size=4).map(sorted),
    st.integers(1, 60),
)
def test_snapshot_and_tail_are_all_events_wherever_the_snapshot_stands(case: Any, cuts: list[int], every: int) -> None:
    decider, history = case
    stream, store, snapshots = StreamId("any", "1"), MemoryEventStore(), MemorySnapshots(every=every)
    stored = 0
    for cut in [*cuts, len(history)]:
        if history[stored:cut]:
            store.append(stream, history[stored:cut])
        stored = max(stored, min(cut, len(history)))
        loaded = snapshots.load(store, decider, stream)
        assert loaded.state == decider.fold(new.event for new in history[:stored])
        assert (loaded.version, loaded.trouble) == (stored, "")
        assert loaded.snapshot + loaded.folded == stored
        assert snapshots.load(store, decider, stream).folded < every


def test_every_n_events_a_load_keeps_one(both: Any) -> None:
    store, kept = both
    snapshots = kept(every=50)
    store.append(ANA, HISTORY[:49])
    assert snapshots.load(store, account.decider, ANA).folded == 49
    assert snapshots.streams(snapshots.fold(account.decider)) == []
    store.append(ANA, HISTORY[49:70])
    assert snapshots.load(store, account.decider, ANA).folded == 70
    again = snapshots.load(store, account.decider, ANA)
    assert (again.snapshot, again.folded) == (70, 0)
    assert again.state == account.decider.fold(new.event for new in HISTORY[:70])
    assert again.state.holds == account.decider.fold(new.event for new in HISTORY[:70]).holds
    store.append(ANA, HISTORY[70:130])
    assert state(store, account.decider, ANA, snapshots) == state(store, account.decider, ANA)
    assert snapshots.streams(snapshots.fold(account.decider)) == [ANA]
    assert snapshots.load(store, account.decider, ANA).snapshot == 130
    assert snapshots.verify(store, account.decider, ANA) == (ANA, 130, "")


def test_a_command_is_decided_on_a_snapshot_and_its_tail(both: Any) -> None:
    store, kept = both
    snapshots = kept(every=5)
    execute(store, account.decider, ANA, OpenAccount("Ana", "EUR", eur("0"), DAY), snapshots=snapshots)
    for _ in range(12):
        execute(store, account.decider, ANA, Deposit(eur("1"), DAY), snapshots=snapshots)
    assert snapshots.verify(store, account.decider, ANA).version == 10
    with pytest.raises(Refused, match=r"12\.00 EUR is available"):
        execute(store, account.decider, ANA, account.Withdraw(eur("12.01"), DAY), snapshots=snapshots)
    assert store.load(ANA)[1] == 13


def test_another_program_finds_it(sqlite_url: str) -> None:
    store = SqlEventStore(sqlite_url)
    store.append(ANA, HISTORY)
    SqlSnapshots(store, every=10).load(store, account.decider, ANA)
    store.close()
    store = SqlEventStore(sqlite_url)
    loaded = SqlSnapshots(store).load(store, account.decider, ANA)
    assert (loaded.snapshot, loaded.folded) == (len(HISTORY), 0)
    store.close()


# -- never trusted over the events ----------------------------------------------------------------------------------


def of_fees(now: Account, event: account.Event) -> Account:
    """Another meaning of the same events: fees are waived."""
    return now if isinstance(event, account.FeeCharged) else account.evolve(now, event)


def test_a_snapshot_of_another_fold_is_not_used(both: Any) -> None:
    store, kept = both
    snapshots = kept(every=10)
    store.append(ANA, HISTORY)
    old = snapshots.load(store, account.decider, ANA).state
    waived = Decider(account.decider.initial, account.decide, of_fees)
    loaded = snapshots.load(store, waived, ANA)
    assert (loaded.snapshot, loaded.trouble) == (0, "")
    assert loaded.state == waived.fold(new.event for new in HISTORY) != old
    # Both programs may run for a while; then the old one is gone.
    assert snapshots.load(store, account.decider, ANA).state == old
    assert snapshots.keep_only([snapshots.fold(waived)]) == 1
    assert snapshots.load(store, waived, ANA).snapshot == len(HISTORY)
    assert snapshots.streams(snapshots.fold(account.decider)) == []


class WithFees(Struct, frozen=True):
    """The account's balance in a shape that has a field more: with its default it can be read from the old JSON."""

    balance: Money = Money(0, "XXX")
    fees: Money | None = None


class WithText(Struct, frozen=True):
    text: str = ""


class Plain(Struct, frozen=True):
    balance: Money = Money(0, "XXX")


def test_a_snapshot_of_another_shape_is_not_used() -> None:
    store, snapshots = MemoryEventStore(), MemorySnapshots(every=1)
    store.append(ANA, [deposit()])
    same = lambda now, event: type(now)(event.amount)  # noqa: E731
    snapshots.load(store, Decider(Plain(), account.decide, same), ANA)
    assert snapshots.load(store, Decider(WithFees(), account.decide, same), ANA).snapshot == 0


def test_a_revision_counted_up_drops_it() -> None:
    store, kept = MemoryEventStore(), MemorySnapshots(every=1)
    store.append(ANA, HISTORY)
    kept.load(store, account.decider, ANA)
    later = MemorySnapshots(every=1, revision=2)
    later._kept_ones = kept._kept_ones
    assert later.load(store, account.decider, ANA).snapshot == 0


def test_a_stream_that_ends_before_its_snapshot_wins(both: Any) -> None:
    store, kept = both
    snapshots = kept(every=10)
    store.append(ANA, HISTORY)
    ahead = snapshots.take(store, account.decider, ANA)
    restored = MemoryEventStore()  # the backup of the night before
    restored.append(ANA, HISTORY[:100])
    assert "the stream does not go so far" in snapshots.verify(restored, account.decider, ANA).trouble
    with pytest.warns(RuntimeWarning, match="account-ana: its snapshot is ignored.*does not go so far"):
        loaded = snapshots.load(restored, account.decider, ANA)
    assert loaded.state == account.decider.fold(new.event for new in HISTORY[:100])
    assert (loaded.version, loaded.snapshot) == (100, 0)
    assert snapshots.find(ANA, ahead.fold) != ahead
    assert snapshots.load(restored, account.decider, ANA).snapshot == 100


def test_the_history_that_really_happened_wins(both: Any) -> None:
    store, kept = both
    snapshots = kept(every=3)
    store.append(ANA, [deposit() for _ in range(3)])
    snapshots.load(store, account.decider, ANA)
    other = MemoryEventStore()
    other.append(ANA, [deposit("99") for _ in range(5)])
    with pytest.warns(RuntimeWarning, match="another history: at version 3 stands another event"):
        assert snapshots.load(other, account.decider, ANA).state.balance == eur("495")


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: replace(kept, state=kept.state.replace("EUR", "CHF")),
        lambda kept: replace(kept, state=kept.state[:-5]),
        lambda kept: replace(kept, state=""),
        lambda kept: replace(kept, version=Version(kept.version - 1)),
        lambda kept: replace(kept, checksum=""),
    ],
)
def test_a_damaged_one_is_ignored_and_dropped(both: Any, damage: Any) -> None:
    store, kept = both
    snapshots = kept(every=1000)
    store.append(ANA, HISTORY)
    snapshots.put(damage(snapshots.take(store, account.decider, ANA)))
    assert snapshots.verify(store, account.decider, ANA).trouble
    with pytest.warns(RuntimeWarning, match="its snapshot is ignored"):
        assert snapshots.load(store, account.decider, ANA).state == account.decider.fold(e.event for e in HISTORY)
    assert snapshots.streams(snapshots.fold(account.decider)) == []
    assert snapshots.load(store, account.decider, ANA).trouble == ""


def test_one_that_was_forged_with_its_checksum_is_found_by_comparing(both: Any) -> None:
    store, kept = both
    snapshots = kept()
    store.append(ANA, HISTORY)
    snapshot = snapshots.take(store, account.decider, ANA)
    assert snapshots.verify(store, account.decider, ANA).trouble == ""
    assert snapshot.state.count('"minor":50000') == 1  # the overdraft limit
    forged = replace(snapshot, state=snapshot.state.replace('"minor":50000', '"minor":90000'))
    snapshots.put(replace(forged, checksum=forged.sum()))
    trouble = snapshots.verify(store, account.decider, ANA).trouble
    assert trouble.startswith("the snapshot says Account(")
    assert ("minor=90000" in trouble, "minor=50000" in trouble) == (True, True)


def test_a_stream_that_is_erased_leaves_no_snapshot(both: Any) -> None:
    store, kept = both
    snapshots = kept(every=1)
    for stream in (ANA, StreamId("account", "ben")):
        store.append(stream, [deposit()])
        snapshots.load(store, account.decider, stream)
    snapshots.delete(ANA)
    assert snapshots.streams(snapshots.fold(account.decider)) == [StreamId("account", "ben")]


# -- what can go wrong ----------------------------------------------------------------------------------------------


def test_a_state_that_json_cannot_hold_is_said_by_name() -> None:
    store, snapshots = MemoryEventStore(), MemorySnapshots(every=1)
    store.append(ANA, [deposit()])
    decider: Decider[Any, Any, Any] = Decider((1,), account.decide, lambda now, event: (object(),))
    with pytest.raises(Unwritable, match=r"tuple cannot be kept as a snapshot: .* make the state a msgspec\.Struct"):
        snapshots.take(store, decider, ANA)
    with pytest.warns(RuntimeWarning, match="no snapshot was kept"):
        assert snapshots.load(store, decider, ANA).version == 1
    rounded: Decider[Any, Any, Any] = Decider({1}, account.decide, lambda now, event: {(1, 2)})
    with pytest.raises(Unwritable, match="set cannot be kept as a snapshot"):
        snapshots.take(store, rounded, ANA)


def test_nothing_to_keep_and_nothing_kept(both: Any) -> None:
    store, kept = both
    snapshots = kept()
    assert snapshots.load(store, account.decider, ANA) == (account.decider.initial, 0, 0, 0, "")
    with pytest.raises(LookupError, match="account-ana has no events"):
        snapshots.take(store, account.decider, ANA)
    with pytest.raises(LookupError, match="account-ana has no snapshot"):
        snapshots.verify(store, account.decider, ANA)
    with pytest.raises(ValueError, match="every 1 event or more, not every 0"):
        kept(every=0)


def test_a_disk_that_is_full_costs_time_and_no_state(sqlite_url: str) -> None:
    store = SqlEventStore(sqlite_url)
    store.append(ANA, HISTORY)
    snapshots = SqlSnapshots(store, every=1)
    limit = "PRAGMA max_page_count = 1"  # no page more than there are: SQLite answers as on a full disk
    sqlalchemy.event.listen(store.engine, "checkout", lambda made, *_: made.execute(limit))
    big = Decider(WithText(), account.decide, lambda now, _: WithText(now.text + "x" * 10_000))
    with pytest.warns(RuntimeWarning, match="account-ana: no snapshot was kept.*the disk is full"):
        loaded = snapshots.load(store, big, ANA)
    assert loaded.state == big.fold(new.event for new in HISTORY)
    assert "free some space" in loaded.trouble
    assert snapshots.streams(snapshots.fold(big)) == []
    store.close()


def test_a_table_that_is_gone_costs_time_and_no_state(sql_url: str) -> None:
    store = SqlEventStore(sql_url)
    store.append(ANA, HISTORY)
    snapshots = SqlSnapshots(store, every=1)
    with store.engine.begin() as connection:
        connection.execute(text("DROP TABLE snapshots"))
    with pytest.warns(RuntimeWarning, match="its table is gone"):
        loaded = snapshots.load(store, account.decider, ANA)
    assert loaded.state == account.decider.fold(new.event for new in HISTORY)
    assert "its table is gone" in loaded.trouble
    store.close()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 150), st.integers(1, 150))
def test_a_race_between_two_who_keep_one_leaves_a_right_one(first: int, second: int) -> None:
    """The slower one may put an older snapshot over a newer one: it is right all the same."""
    store, snapshots = MemoryEventStore(), MemorySnapshots(every=1000)
    store.append(ANA, HISTORY[:first])
    slow = snapshots.take(store, account.decider, ANA)
    store.append(ANA, HISTORY[first : first + second])
    snapshots.take(store, account.decider, ANA)
    snapshots.put(slow)
    assert snapshots.load(store, account.decider, ANA).state == state(store, account.decider, ANA)
