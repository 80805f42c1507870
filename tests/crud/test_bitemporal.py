"""The bitemporal table believes what the events say; what it keeps of a booking, and what it refuses."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from eventlab.crud import BitemporalAccount, BitemporalBalance, Database
from eventlab.crud.bitemporal import FOREVER
from eventlab.domain.account import AccountOpened, Deposited, Withdrawn, decider
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.history import as_believed
from eventlab.store import MemoryEventStore

START = datetime(2026, 3, 2, tzinfo=UTC)
ANA = StreamId("account", "ana")


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


class Clock:
    now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(sql_url: str, clock: Clock) -> Iterator[Database]:
    database = Database(sql_url, clock=clock)
    with database.transaction("bank") as session:
        BitemporalAccount.open(session, "ana", "Ana Brandt", "EUR", START)
    yield database
    database.close()


def day(n: int) -> datetime:
    return START + timedelta(days=n)


def rows(session: Session) -> list[tuple[int, int, int, int, int]]:
    """The table, its times as days since the start; -1 is never."""
    return [
        (*((-1 if at == FOREVER else (at - START).days) for at in times), minor)
        for *times, minor in session.execute(
            select(
                BitemporalBalance.valid_from,
                BitemporalBalance.valid_to,
                BitemporalBalance.recorded_from,
                BitemporalBalance.recorded_to,
                BitemporalBalance.balance_minor,
            ).order_by(BitemporalBalance.recorded_from, BitemporalBalance.valid_from)
        )
    ]


# Amounts in cents, valid and recorded days; recorded in that order, often several at one moment.
BOOKINGS = st.lists(st.tuples(st.integers(-300, 300).filter(bool), st.integers(0, 6), st.integers(0, 6)), max_size=10)
DAYS = st.integers(0, 7)


@given(BOOKINGS.map(lambda found: sorted(found, key=lambda each: each[2])), DAYS, DAYS)
def test_it_gives_the_same_answers_as_the_events_and_as_the_log_filtered_by_hand(
    bookings: list[tuple[int, int, int]], time: int, known_at: int
) -> None:
    clock = Clock()
    store, database = MemoryEventStore(clock=clock), Database("sqlite://", clock=clock)
    store.append(ANA, [NewEvent(AccountOpened("Ana", "EUR", eur("0"), START.date()), valid_time=START)])
    with database.transaction("bank") as session:
        account = BitemporalAccount.open(session, "ana", "Ana", "EUR", START)
        for minor, valid, recorded in bookings:
            clock.now = day(recorded)
            event = (Deposited if minor > 0 else Withdrawn)(Money(abs(minor), "EUR"), day(recorded).date())
            store.append(ANA, [NewEvent(event, valid_time=day(valid))])
            account.book(Money(minor, "EUR"), day(valid))
        clock.now = day(7)
        believed = account.balance(day(time), day(known_at))
    assert believed.minor == sum(minor for minor, valid, recorded in bookings if valid <= time and recorded <= known_at)
    assert believed == as_believed(store, decider, ANA, time=day(time), known_at=day(known_at)).balance
    store.close()
    database.close()


def test_a_backdated_booking_ends_what_was_believed_and_writes_every_later_period_anew(
    database: Database, clock: Clock
) -> None:
    with database.transaction("bank") as session:
        account = session.get_one(BitemporalAccount, "ana")
        clock.now = day(1)
        assert account.book(eur("100"), day(1)) == 3
        clock.now = day(2)
        assert account.book(eur("-30"), day(2)) == 3
        clock.now = day(5)
        assert account.book(eur("7"), START + timedelta(hours=1, days=0)) == 7
    with database.transaction("reader") as session:
        assert [row for row in rows(session) if row[3] == -1] == [
            (0, 0, 5, -1, 0),  # until one o'clock of the first day
            (0, 1, 5, -1, 700),
            (1, 2, 5, -1, 10700),
            (2, -1, 5, -1, 7700),
        ]
        account = session.get_one(BitemporalAccount, "ana")
        assert account.balance(day(2), known_at=day(2)) == eur("70")
        assert account.balance(day(2), known_at=day(5)) == eur("77")


def test_bookings_of_one_moment_leave_no_row_that_nobody_ever_believed(database: Database, clock: Clock) -> None:
    with database.transaction("bank") as session:
        account = session.get_one(BitemporalAccount, "ana")
        clock.now = day(1)
        for amount in ("5", "6", "-4"):
            account.book(eur(amount), day(0))
        assert rows(session) == [(0, -1, 0, 1, 0), (0, -1, 1, -1, 700)]


def test_two_bookings_that_cancel_out_are_not_to_be_found(database: Database, clock: Clock) -> None:
    """What the lesson says: the table keeps balances, not what happened."""
    with database.transaction("bank") as session:
        account = session.get_one(BitemporalAccount, "ana")
        clock.now = day(1)
        account.book(eur("250"), day(1))
        account.book(eur("-250"), day(1))
        assert {row[-1] for row in rows(session)} == {0}


def test_writers_at_the_same_time_lose_nothing(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.transaction("bank") as session:
        BitemporalAccount.open(session, "ana", "Ana Brandt", "EUR", START)

    def teller(number: int) -> None:
        for n in range(10):
            with database.transaction(f"teller {number}") as session:
                session.get_one(BitemporalAccount, "ana").book(eur("1"), day(n))

    with ThreadPoolExecutor(4) as tellers:
        list(tellers.map(teller, range(4)))
    with database.transaction("reader") as session:
        now = datetime.now(UTC)
        account = session.get_one(BitemporalAccount, "ana")
        assert [account.balance(day(n), now) for n in range(10)] == [eur(str(4 * (n + 1))) for n in range(10)]
    database.close()


def test_a_row_is_superseded_once(database: Database, clock: Clock) -> None:
    """What a writer who has not locked the account would do."""
    with pytest.raises(IntegrityError), database.transaction("cowboy") as session:
        session.add(
            BitemporalBalance(
                account_id="ana",
                valid_from=START,
                valid_to=FOREVER,
                recorded_from=day(1),
                recorded_to=FOREVER,
                balance_minor=1,
            )
        )


@pytest.mark.parametrize(
    ("amount", "valid_from", "error", "message"),
    [
        (Money(1, "USD"), day(1), Refused, "cannot book 0.01 USD: the account is in EUR"),
        (eur("1"), day(-1), Refused, "cannot book at 2026-03-01 .*: the account begins later"),
        (eur("1"), FOREVER, Refused, "ends with the year 9999"),
        (eur("1"), datetime(2026, 3, 3), ValueError, "2026-03-03 00:00:00 has no time zone"),  # noqa: DTZ001
    ],
)
def test_a_booking_that_cannot_be_is_refused_and_changes_nothing(
    database: Database, clock: Clock, amount: Money, valid_from: datetime, error: type[Exception], message: str
) -> None:
    clock.now = day(2)
    with pytest.raises(error, match=message), database.transaction("bank") as session:
        session.get_one(BitemporalAccount, "ana").book(amount, valid_from)
    with database.transaction("reader") as session:
        assert rows(session) == [(0, -1, 0, -1, 0)]


def test_a_clock_that_went_back_is_refused(database: Database, clock: Clock) -> None:
    clock.now = day(3)
    with database.transaction("bank") as session:
        session.get_one(BitemporalAccount, "ana").book(eur("1"), day(1))
    clock.now = day(2)
    with (
        pytest.raises(ValueError, match=r"the clock says 2026-03-04 .*, but something was recorded at 2026-03-05"),
        database.transaction("bank") as session,
    ):
        session.get_one(BitemporalAccount, "ana").book(eur("1"), day(1))


@pytest.mark.parametrize(
    ("time", "known_at", "message"),
    [
        (day(-1), day(0), "nothing was known at 2026-03-02 .* about ana at 2026-03-01"),
        (day(0), day(-1), "nothing was known at 2026-03-01"),
        (day(0), day(3), r"2026-03-05 .* is in the future \(now is 2026-03-04"),
        (datetime(2026, 3, 3), day(0), "has no time zone"),  # noqa: DTZ001
        (day(0), datetime(2026, 3, 3), "has no time zone"),  # noqa: DTZ001
    ],
)
def test_a_question_that_has_no_answer_is_an_error(
    database: Database, clock: Clock, time: datetime, known_at: datetime, message: str
) -> None:
    clock.now = day(2)
    with database.transaction("reader") as session:
        account = session.get_one(BitemporalAccount, "ana")
        with pytest.raises(ValueError, match=message):
            account.balance(time, known_at)


def test_an_account_that_is_there_is_not_opened_again(database: Database) -> None:
    with pytest.raises(Refused, match="ana exists already"), database.transaction("bank") as session:
        BitemporalAccount.open(session, "ana", "Ana Brandt", "EUR", START)


def test_an_account_out_of_its_transaction_says_so(database: Database) -> None:
    with database.transaction("reader") as session:
        account = session.get_one(BitemporalAccount, "ana")
    with pytest.raises(RuntimeError, match="the account ana belongs to no open transaction"):
        account.balance(START, START)
