"""The bank of lesson 05: Ana's March, much of which became known late, as a row, a bitemporal table and events."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import sqlalchemy

from eventlab import crud
from eventlab.course.time_travel import Tables
from eventlab.crud.base import UtcTime
from eventlab.domain.account import (
    Booking,
    ChargeFee,
    Command,
    Correct,
    CreditInterest,
    Deposit,
    Event,
    OpenAccount,
    ReceiveTransfer,
    SendTransfer,
    Withdraw,
    decider,
    signed,
)
from eventlab.domain.interest import interest
from eventlab.domain.money import Money
from eventlab.domain.reissue import Reissue
from eventlab.domain.statements import statement
from eventlab.events.envelope import NewEvent, Recorded, StreamId
from eventlab.history import as_believed, learned, on_record
from eventlab.show import markup
from eventlab.store import MemoryEventStore

ANA = StreamId("account", "ana")
MARCH = date(2026, 3, 1), date(2026, 3, 31)
CREDIT, OVERDRAFT = Decimal("0.02"), Decimal("0.095")
"""The bank's rates per year, above and below zero."""

SENT = datetime(2026, 4, 1, 6, tzinfo=UTC)
"""When the statement of March went into the post."""

_LAST_DAY = date(2026, 4, 8)  # on which something becomes known
_EVENING = 20  # o'clock: the bank's day is over


def _euro(amount: str) -> Money:
    return Money.of(amount, "EUR")


def _at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def _when(told: datetime, valid: datetime) -> dict[str, Any]:
    """Booking and value date of what happened at one time and became known at another."""
    return {"on": told.date(), "value_date": None if told.date() == valid.date() else valid.date()}


# When the bank was told, when it had happened, and what to book, given both.
_Fact = tuple[datetime, datetime, Callable[..., Command]]
_OVERDRAWN, _SALARY, _CASH, _SAVINGS = "LETTER-03-03", "SAL-2026-02", "ATM-0310", "STO-2026-03"
_FACTS: tuple[_Fact, ...] = (
    (_at(2, 2, 9), _at(2, 2, 9), lambda on, **_: OpenAccount("Ana Brandt", "EUR", _euro("500"), on)),
    (_at(2, 2, 9, 5), _at(2, 2, 9, 5), lambda **w: Deposit(_euro("850"), text="Cash deposit at the counter", **w)),
    (_at(2, 16, 4), _at(2, 14, 11), lambda **w: Withdraw(_euro("62.40"), text="Supermarket Elbmarkt", **w)),
    (_at(2, 20, 18), _at(2, 20, 18), lambda **w: Withdraw(_euro("100"), text="Cash machine Main Station", **w)),
    (_at(2, 27, 6), _at(2, 27, 6), lambda **w: Withdraw(_euro("64.90"), text="Direct debit Stadtwerke", **w)),
    (_at(3, 2, 6), _at(3, 2, 6), lambda **w: SendTransfer(_euro("890"), to="Housing Cooperative", text="rent", **w)),
    (_at(3, 3, 2), _at(3, 3, 2),
     lambda **w: ChargeFee(_euro("5"), text="letter about your overdraft", reference=_OVERDRAWN, **w)),
    (_at(3, 5, 8), _at(3, 2, 5),
     lambda **w: ReceiveTransfer(_euro("2350"), sender="Lund & Sons", text="salary", reference=_SALARY, **w)),
    (_at(3, 6, 10, 15), _at(3, 3, 2),
     lambda **w: Correct(_euro("5"), reason="the salary was late", corrects=_OVERDRAWN, **w)),
    (_at(3, 9, 4), _at(3, 7, 14, 20), lambda **w: Withdraw(_euro("23.90"), text="Bookshop Lenz", **w)),
    (_at(3, 10, 11), _at(3, 10, 11),
     lambda **w: Withdraw(_euro("210"), text="Cash machine Market Square", reference=_CASH, **w)),
    (_at(3, 17, 15, 30), _at(3, 10, 11),
     lambda **w: Correct(_euro("90"), reason="paid out 120, not 210", corrects=_CASH, **w)),
    (_at(3, 18, 4), _at(3, 15, 19, 45), lambda **w: Withdraw(_euro("180"), text="Hotel Hafen", **w)),
    (_at(3, 20, 8), _at(3, 20, 8), lambda **w: SendTransfer(_euro("1000"), to="Ana Brandt", text="savings", **w)),
    (_at(3, 20, 8, 1), _at(3, 20, 8, 1),
     lambda **w: SendTransfer(_euro("1000"), to="Ana Brandt", text="savings", reference=_SAVINGS, **w)),
    (_at(3, 30, 4), _at(3, 28, 12), lambda **w: Withdraw(_euro("71.25"), text="Supermarket Elbmarkt", **w)),
    (_at(4, 2, 4), _at(3, 30, 18, 30), lambda **w: Withdraw(_euro("58.10"), text="Fuel 24", **w)),
    (_at(4, 7, 4), _at(3, 1, 12, 40), lambda **w: Withdraw(_euro("45.80"), text="Restaurant Fischmarkt", **w)),
    (_at(4, 8, 9), _at(3, 20, 8, 1),
     lambda **w: Correct(_euro("1000"), reason="the order ran twice", corrects=_SAVINGS, **w)),
)  # fmt: skip
_INTEREST_AT, _INTEREST_AGAIN_AT = _at(4, 1, 0, 30), _at(4, 8, 9, 30)


@dataclass(frozen=True, slots=True)
class _Told:
    """An event, and when the bank was told of it."""

    event: Event
    valid: datetime
    told: datetime


def _story() -> list[_Told]:
    """Ana's account from 2 February to 8 April 2026, in the order in which the bank was told."""
    story: list[_Told] = []

    def tell(told: datetime, valid: datetime, command: Command) -> None:
        state = decider.fold(each.event for each in story)
        story.extend(_Told(event, valid, told) for event in decider.decide(command, state))

    def accrued() -> tuple[Money, Money]:
        found = interest([each.event for each in story], *MARCH, CREDIT, OVERDRAFT)
        return found.credit, found.overdraft

    def end_of_march() -> None:
        paid, taken = accrued()
        tell(_INTEREST_AT, _INTEREST_AT, CreditInterest(paid, _INTEREST_AT.date(), "credit interest of March"))
        tell(_INTEREST_AT, _INTEREST_AT, ChargeFee(taken, _INTEREST_AT.date(), "overdraft interest of March"))
        booked.extend([paid, -taken])

    booked: list[Money] = []
    for told, valid, command in _FACTS:
        if told > _INTEREST_AT and not booked:
            end_of_march()
        tell(told, valid, command(**_when(told, valid)))
    paid, taken = accrued()
    difference = paid - taken - (booked[0] + booked[1])
    dates = _when(_INTEREST_AGAIN_AT, _INTEREST_AT)
    tell(_INTEREST_AGAIN_AT, _INTEREST_AT, Correct(difference, reason="interest recalculated", **dates))
    return story


class Bank:
    """The account, kept in three ways; each was told of every booking at the time when the bank was.

    ``store`` holds the events, ``tables`` the row with its audit table.
    """

    def __init__(self) -> None:
        self._now = SENT
        self.store = MemoryEventStore(clock=self._clock)
        self._database = crud.Database("sqlite://", clock=self._clock)
        story = _story()
        for each in story:
            self._now = each.told
            self.store.append(ANA, [NewEvent(each.event, valid_time=each.valid)])
        self.tables = Tables(NewEvent(each.event, valid_time=each.told) for each in story)
        self.rows_written = list(self._bitemporal(story))
        self._row = int(self.tables.row()["balance_minor"].iloc[0])
        self._audited: dict[datetime, int] = {}
        self._now = datetime.now(UTC)

    def _clock(self) -> datetime:
        return self._now

    def _bitemporal(self, story: Sequence[_Told]) -> Iterator[int]:
        """Keep the balance in the bitemporal table; the rows that each booking changed or wrote."""
        opened, *rest = story
        self._now = opened.told
        with self._database.transaction("bank") as session:
            crud.BitemporalAccount.open(session, ANA.key, "Ana Brandt", "EUR", opened.valid)
        for each in rest:
            self._now = each.told
            if isinstance(each.event, Booking):
                with self._database.transaction("bank") as session:
                    yield session.get_one(crud.BitemporalAccount, ANA.key).book(signed(each.event), each.valid)

    @property
    def events(self) -> list[Recorded]:
        """All events, with both of their times."""
        return list(self.store.read(ANA))

    def bitemporal(self) -> pd.DataFrame:
        """The whole bitemporal table; amounts are in cents."""
        columns = "valid_from, valid_to, recorded_from, recorded_to, balance_minor"
        query = f"SELECT {columns} FROM bitemporal_balances ORDER BY recorded_from, valid_from"  # noqa: S608 no input
        found = pd.read_sql(query, self._database.engine)
        times = columns.split(", ")[:4]
        found[times] = found[times].apply(lambda column: column.str[:16])
        return found

    def ask(self, query: str, time: datetime, known_at: datetime) -> list[tuple[Any, ...]]:
        """What an SQL query finds that may speak of ``:time`` and ``:known_at``.

        Raises sqlalchemy.exc.SQLAlchemyError.
        """
        statement = sqlalchemy.text(query)
        given = {"time": time, "known_at": known_at}
        spoken = [name for name in given if name in statement.compile().params]
        typed = statement.bindparams(*(sqlalchemy.bindparam(name, type_=UtcTime) for name in spoken))
        with self._database.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(typed, {name: given[name] for name in spoken})]

    def believed(self, asked: Iterable[tuple[datetime, datetime]]) -> list[Mapping[str, int]]:
        """What each way of keeping the account says was believed about a time at another, in cents, for each question.

        The row knows one number. The audit table knows one time: one can give it either.
        """
        with self._database.transaction("reader") as session:
            table = session.get_one(crud.BitemporalAccount, ANA.key)
            return [
                {
                    "the row": self._row,
                    "audit, at the time in question": self._in_audit(time),
                    "audit, at the time of the question": self._in_audit(known_at),
                    "bitemporal table": table.balance(time, known_at).minor,
                    "events": as_believed(self.store, decider, ANA, time=time, known_at=known_at).balance.minor,
                }
                for time, known_at in asked
            ]

    def _in_audit(self, time: datetime) -> int:
        if time not in self._audited:
            self._audited[time] = int(self.tables.as_of(time)["balance_minor"] or 0)
        return self._audited[time]


def evenings() -> list[datetime]:
    """Eight o'clock in the evening of every day from 1 March to 8 April 2026."""
    days = (_LAST_DAY - MARCH[0]).days + 1
    return [
        datetime.combine(MARCH[0], datetime.min.time(), UTC) + timedelta(days=n, hours=_EVENING) for n in range(days)
    ]


def pairs() -> list[tuple[datetime, datetime]]:
    """What one may ask on each evening: what do we believe about this evening, and about each one before?"""
    return [(time, known_at) for known_at in evenings() for time in evenings() if time <= known_at]


def score(bank: Bank) -> pd.DataFrame:
    """How many of the questions in :func:`pairs` each way of keeping the account answers right.

    What is right is found by hand: the bookings with both times at or before those of the question, added up.
    """
    log = [
        (each.valid_time, each.recorded_time, signed(each.event).minor)
        for each in bank.events
        if isinstance(each.event, Booking)
    ]
    right: dict[str, int] = {}
    for (time, known_at), answers in zip(pairs(), bank.believed(pairs()), strict=True):
        truth = sum(minor for valid, recorded, minor in log if valid <= time and recorded <= known_at)
        for way, minor in answers.items():
            right[way] = right.get(way, 0) + (minor == truth)
    return pd.DataFrame({"questions": len(pairs()), "answered right": right}).rename_axis("kept as")


def late(events: Sequence[Recorded]) -> pd.DataFrame:
    """The events that were recorded after they had happened, with the days between."""
    return pd.DataFrame(
        [
            {
                "happened": f"{each.valid_time:%Y-%m-%d %H:%M}",
                "recorded": f"{each.recorded_time:%Y-%m-%d %H:%M}",
                "days late": round((each.recorded_time - each.valid_time) / timedelta(days=1), 1),
                "event": str(each.event),
            }
            for each in events
            if each.recorded_time > each.valid_time
        ]
    )


@dataclass(frozen=True, slots=True)
class Sheet:
    """A statement reissued as one page: what Ana has in hand beside what is right now; ``changes`` counts the lines."""

    reissued: Reissue

    @property
    def rows(self) -> list[tuple[object, ...]]:
        """Day, text, amount, balance as sent, balance now, what became of the line; opening and closing around."""
        before, after = self.reissued.before, self.reissued.after
        lines = [
            (each.line.on, each.line.text, each.line.amount, each.before, each.after, each.change)
            for each in self.reissued.lines
        ]
        opening = (
            before.first,
            "Opening balance",
            None,
            before.opening,
            after.opening,
            _moved(before.opening, after.opening),
        )
        closing = (
            before.last,
            "Closing balance",
            None,
            before.closing,
            after.closing,
            _moved(before.closing, after.closing),
        )
        return [opening, *lines, closing]

    @property
    def still_right(self) -> int:
        """How many of the lines that were sent are as they were, balance included."""
        return sum(line.change == "" for line in self.reissued.lines)

    def __repr__(self) -> str:
        return str(self.reissued)

    def _repr_html_(self) -> str:
        headers = ["day", "text", "amount", "balance, as sent", "balance, as known now", "change"]
        return markup.sheet(headers, self.rows)


def _moved(before: Money, after: Money) -> str:
    return "" if before == after else "balance"


def questions(bank: Bank) -> pd.DataFrame:
    """The same questions to the row, the audit table, the bitemporal table and the events; – where one cannot say."""
    monday, friday = _at(3, 2, _EVENING), _at(3, 6, _EVENING)
    tuesday, tenth, end = _at(3, 3, _EVENING), _at(3, 10, _EVENING), _at(4, 8, _EVENING)
    rows = []
    for question, time, known_at in (
        ("What is on the account now?", end, end),
        ("What did the app show on Monday evening?", monday, monday),
        ("What was on it on Monday evening, as we know now?", monday, end),
        ("What did we believe on Tuesday about Monday?", monday, tuesday),
        ("What did we believe on 31 March about the 10th?", tenth, _at(3, 31, _EVENING)),
    ):
        given = bank.believed([(time, known_at)])[0]
        audited = given["audit, at the time of the question"] if time == known_at else None
        row = given["the row"] if known_at == end == time else None
        rows.append((question, *map(_cents, (row, audited, given["bitemporal table"], given["events"]))))
    news = learned(bank.store, decider, ANA, tuesday, friday, about=monday).events
    lines = statement(on_record(bank.store, ANA, SENT), *MARCH, "value").lines
    rows.append(("What did we learn by Friday about Monday?", *"–––", "; ".join(str(n.event) for n in news)))
    rows.append(("What stood on the statement of March?", *"–––", f"{len(lines)} lines, each with its reason"))
    return pd.DataFrame(rows, columns=["question", "row", "audit table", "bitemporal table", "events"]).set_index(
        "question"
    )


def _cents(minor: int | None) -> str:
    return "–" if minor is None else str(Money(minor, "EUR"))
