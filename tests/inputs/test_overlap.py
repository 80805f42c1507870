"""The same file adds nothing, an overlapping one only what is new: however a history is cut into files."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.inputs import writers
from tests.inputs.statements import ACCOUNT, entries, statement, statements

from eventlab.domain import account
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.inputs import AccountStatement, Entry, InputError, import_file
from eventlab.store import Any, Appended, EventStore, Expected, MemoryEventStore, SqlEventStore

quick = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
STREAM = StreamId("account", ACCOUNT)


def put(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "statement"
    path.write_bytes(data)
    return path


def history(store: EventStore) -> list[object]:
    """What is stored, the bookings of one day in no particular order."""
    events = [recorded.event for recorded in store.read(STREAM)]
    return sorted(events, key=lambda event: (event.on, repr(event)))  # type: ignore[attr-defined]


def balance(store: EventStore) -> Money:
    return account.decider.fold(recorded.event for recorded in store.read(STREAM)).balance  # type: ignore[misc]


def plain_csv(part: AccountStatement) -> bytes:
    """A file without balances and without ids, as hard as it gets."""
    return writers.plain_csv(replace(part, entries=tuple(replace(entry, balance=None) for entry in part.entries)))


def imported_at_once(tmp_path: Path, data: bytes) -> EventStore:
    store = MemoryEventStore()
    import_file(put(tmp_path, data), store)
    return store


def ascii_only(whole: AccountStatement) -> AccountStatement:
    return replace(
        whole, entries=tuple(replace(e, text=e.text.encode("ascii", "replace").decode()) for e in whole.entries)
    )


@quick
@given(whole=statements(min_size=1), data=st.data())
def test_the_same_file_again_adds_nothing(tmp_path: Path, whole: AccountStatement, data: st.DataObject) -> None:
    write = data.draw(st.sampled_from([plain_csv, writers.plain_csv, writers.mt940, writers.camt053]))
    store = MemoryEventStore()
    first = import_file(put(tmp_path, write(whole)), store)
    before = list(store.read_all())
    again = import_file(put(tmp_path, write(whole)), store)
    assert (first.read, first.stored, first.known) == (len(whole.entries), len(whole.entries), 0)
    assert (again.read, again.stored, again.known) == (len(whole.entries), 0, len(whole.entries))
    assert list(store.read_all()) == before
    assert again.reconciles == first.reconciles == (None if write is plain_csv else True)


@quick
@given(whole=statements(min_size=1))
def test_opening_and_entries_make_the_closing_balance(tmp_path: Path, whole: AccountStatement) -> None:
    store = imported_at_once(tmp_path, writers.camt053(whole))
    assert whole.closing
    assert balance(store) == whole.closing.amount


@quick
@given(all_entries=entries(min_size=2, max_size=14), data=st.data())
def test_overlapping_exports_of_whole_days_come_to_the_same_history(
    tmp_path: Path, all_entries: tuple[Entry, ...], data: st.DataObject
) -> None:
    """As a person exports: from some day on, up to some later day, with or without balances."""
    whole = ascii_only(statement(all_entries, opening=1000))
    write = data.draw(st.sampled_from([plain_csv, writers.mt940]))
    days = sorted({entry.booked for entry in whole.entries})
    store, start = MemoryEventStore(), 0
    while start < len(days):
        end = data.draw(st.integers(start, len(days) - 1), label="last day of the file")
        store_part(tmp_path, store, write(days_of(whole, days[start], days[end])))
        if end == len(days) - 1:
            break
        start = data.draw(st.integers(start, end + 1), label="first day of the next file")
    assert history(store) == history(imported_at_once(tmp_path, write(whole)))


def store_part(tmp_path: Path, store: EventStore, data: bytes) -> None:
    report = import_file(put(tmp_path, data), store)
    assert report.reconciles is not False, report


def days_of(whole: AccountStatement, first: date, last: date) -> AccountStatement:
    inside = [n for n, entry in enumerate(whole.entries) if first <= entry.booked <= last]
    return part_of(whole, inside[0], inside[-1] + 1)


def part_of(whole: AccountStatement, begin: int, end: int) -> AccountStatement:
    assert whole.opening
    held = sum((entry.amount for entry in whole.entries[:begin]), whole.opening.amount)
    return statement(whole.entries[begin:end], held.minor)


@quick
@given(all_entries=entries(min_size=2, max_size=14), data=st.data())
def test_pages_that_break_within_a_day_come_to_the_same_history(
    tmp_path: Path, all_entries: tuple[Entry, ...], data: st.DataObject
) -> None:
    """As a bank cuts a long statement: each page begins with the balance that the one before ends with."""
    whole = ascii_only(statement(all_entries, opening=1000))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole.entries) - 1)), label="cuts"))
    pages = [part_of(whole, a, b) for a, b in zip([0, *cuts], [*cuts, len(whole.entries)], strict=True)]
    # A page of nothing but pairs that cancel out, on a day with the same pairs, looks like that day again.
    assume(all(page.total.minor for page in pages))
    store = MemoryEventStore()
    for page in pages:
        store_part(tmp_path, store, writers.mt940(page))
    assert history(store) == history(imported_at_once(tmp_path, writers.mt940(whole)))
    for page in pages:
        assert import_file(put(tmp_path, writers.mt940(page)), store).stored == 0
    one_file = imported_at_once(tmp_path, b"".join(map(writers.mt940, pages)))
    assert history(one_file) == history(store)


def coffee(day: int, text: str = "coffee") -> Entry:
    return Entry(date(2026, 3, day), Money(-300, "EUR"), text)


def test_two_coffees_are_two_entries_and_stay_two(tmp_path: Path) -> None:
    store = MemoryEventStore()
    one, two = statement((coffee(2),)), statement((coffee(2), coffee(2)))
    assert import_file(put(tmp_path, plain_csv(one)), store).stored == 1
    assert import_file(put(tmp_path, plain_csv(two)), store).stored == 1
    assert import_file(put(tmp_path, plain_csv(two)), store).stored == 0
    assert import_file(put(tmp_path, plain_csv(one)), store).stored == 0
    assert balance(store) == Money(-600, "EUR")


def test_the_second_page_of_a_day_brings_its_own_coffee(tmp_path: Path) -> None:
    store = MemoryEventStore()
    whole = statement((coffee(2), coffee(2)), opening=1000)
    for page in (part_of(whole, 0, 1), part_of(whole, 1, 2)):
        report = import_file(put(tmp_path, writers.mt940(page)), store)
        assert (report.stored, report.reconciles) == (1, True)
    assert balance(store) == Money(400, "EUR")


def test_a_payment_and_its_refund_on_one_day_are_known_in_an_overlapping_file(tmp_path: Path) -> None:
    store = MemoryEventStore()
    pair = (coffee(2), replace(coffee(2), amount=Money(300, "EUR")))
    import_file(put(tmp_path, writers.mt940(statement(pair, opening=1000))), store)
    report = import_file(put(tmp_path, writers.mt940(statement((*pair, coffee(3)), opening=1000))), store)
    assert (report.stored, report.known, report.reconciles) == (1, 2, True)


def test_older_days_are_refused_with_nothing_stored(tmp_path: Path) -> None:
    store = MemoryEventStore()
    import_file(put(tmp_path, writers.mt940(statement((coffee(10),), opening=1000))), store)
    before = list(store.read_all())
    with pytest.raises(InputError, match="is older than the beginning of account-DE89") as error:
        import_file(put(tmp_path, writers.mt940(statement((coffee(4), coffee(10)), opening=1300))), store)
    assert error.value.file == "statement"
    assert "oldest file first" in error.value.do
    assert list(store.read_all()) == before


def test_a_gap_is_reported_and_can_be_filled_later(tmp_path: Path) -> None:
    store = MemoryEventStore()
    whole = statement((coffee(2), coffee(9), coffee(16)), opening=1000)
    first, middle, last = (part_of(whole, n, n + 1) for n in range(3))
    assert import_file(put(tmp_path, writers.mt940(first)), store).reconciles
    report = import_file(put(tmp_path, writers.mt940(last)), store)
    assert report.reconciles is False
    assert "begins with 4.00 EUR, the account stood at 7.00 EUR: import what lies in between" in report.reasons[0]
    report = import_file(put(tmp_path, writers.mt940(middle)), store)
    assert report.reconciles, report
    assert "entries booked before 2026-03-16, the last day stored so far: 1" in report.notes[0]
    assert balance(store) == Money(100, "EUR")


def test_the_same_statement_in_another_format_is_refused(tmp_path: Path) -> None:
    store = MemoryEventStore()
    whole = statement((coffee(2), coffee(3)), opening=1000)
    import_file(put(tmp_path, writers.mt940(whole)), store)
    other = replace(whole, entries=tuple(replace(entry, text="CARD 4711 COFFEE") for entry in whole.entries))
    with pytest.raises(InputError, match="stored already under other words"):
        import_file(put(tmp_path, plain_csv(other)), store)
    assert balance(store) == Money(400, "EUR")


def test_an_entry_of_the_same_day_and_amount_is_new_when_the_balances_say_so(tmp_path: Path) -> None:
    store = MemoryEventStore()
    import_file(put(tmp_path, writers.mt940(statement((coffee(2),), opening=1000))), store)
    bakery = statement((coffee(2, "bakery"),), opening=700)
    report = import_file(put(tmp_path, writers.mt940(bakery)), store)
    assert (report.stored, report.reconciles) == (1, True)


def test_another_currency_is_refused(tmp_path: Path) -> None:
    store = MemoryEventStore()
    import_file(put(tmp_path, plain_csv(statement((coffee(2),)))), store)
    dollars = AccountStatement(ACCOUNT, "USD", (replace(coffee(3), amount=Money(-300, "USD")),))
    with pytest.raises(InputError, match="is in USD, but account-DE89370400440532013000 is in EUR"):
        import_file(put(tmp_path, writers.plain_csv(dollars)), store)


def test_ofx_is_checked_from_the_second_file_on(tmp_path: Path) -> None:
    store = MemoryEventStore()
    whole = statement(tuple(replace(coffee(day), bank_id=f"F{day}") for day in (2, 3, 4)), opening=1000)
    first = import_file(put(tmp_path, writers.ofx1(part_of(whole, 0, 2))), store)
    assert first.reconciles is None
    assert "computed back" in first.reasons[0]
    second = import_file(put(tmp_path, writers.ofx1(part_of(whole, 1, 3))), store)
    assert (second.stored, second.known, second.reconciles) == (1, 1, True)
    missing = replace(whole, entries=(replace(coffee(5), bank_id="F5"),), closing=None)
    off = replace(statement(missing.entries, opening=50), account=ACCOUNT)
    third = import_file(put(tmp_path, writers.ofx1(off)), store)
    assert third.reconciles is False
    assert "-2.50 EUR" in third.reasons[0] or "-0.50 EUR" in third.reasons[0]


def test_the_same_on_real_databases(tmp_path: Path, sql_url: str) -> None:
    store = SqlEventStore(sql_url)
    whole = statement(tuple(coffee(2 + n // 3) for n in range(12)), opening=10_000)
    for data in (writers.mt940(part_of(whole, 0, 6)), writers.mt940(whole), writers.mt940(whole)):
        assert import_file(put(tmp_path, data), store).reconciles
    assert balance(store) == Money(10_000 - 12 * 300, "EUR")
    assert len(history(store)) == 13
    store.close()


class Contested(MemoryEventStore):
    """A store into which somebody else imports another file just before our first append."""

    def __init__(self, other: Path) -> None:
        super().__init__()
        self._other: Path | None = other

    def append(self, stream: StreamId, events: Sequence[NewEvent], expected: Expected = Any) -> Appended:
        other, self._other = self._other, None
        if other:
            import_file(other, self)
        return super().append(stream, events, expected)


@pytest.mark.parametrize("theirs", [(0, 2), (1, 3), (0, 3)])
def test_two_imports_at_once_come_to_one_history(tmp_path: Path, theirs: tuple[int, int]) -> None:
    whole = statement((coffee(2), coffee(3), coffee(3)), opening=1000)
    other = tmp_path / "other"
    other.write_bytes(plain_csv(part_of(whole, *theirs)))
    store = Contested(other)
    import_file(put(tmp_path, plain_csv(whole)), store)
    assert history(store) == history(imported_at_once(tmp_path, plain_csv(whole)))


def test_every_event_knows_its_day_and_its_place_in_the_file(tmp_path: Path) -> None:
    store = imported_at_once(tmp_path, writers.mt940(statement((coffee(2),), opening=1000)))
    brought, booked = store.read(STREAM)
    assert str(booked.valid_time) == "2026-03-02 00:00:00+00:00"
    assert booked.metadata == {"file": "statement", "where": "line 5, field 61"}
    assert isinstance(brought.event, account.BalanceBroughtForward)
    assert brought.valid_time <= booked.valid_time


@pytest.mark.parametrize("later", [0, 1, 5])
def test_a_statement_may_close_days_after_its_last_entry(tmp_path: Path, later: int) -> None:
    whole = statement((coffee(2),), opening=1000)
    assert whole.closing
    closed = replace(whole, closing=replace(whole.closing, on=whole.closing.on + timedelta(days=later)))
    store = MemoryEventStore()
    assert import_file(put(tmp_path, writers.mt940(closed)), store).reconciles


def test_a_bank_may_date_its_closing_balance_before_the_last_entry(tmp_path: Path) -> None:
    whole = statement((coffee(2), coffee(4)), opening=1000)
    assert whole.closing
    early = replace(whole, closing=replace(whole.closing, on=date(2026, 3, 3)))
    assert import_file(put(tmp_path, writers.mt940(early)), MemoryEventStore()).reconciles
