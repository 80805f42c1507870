"""The workload of the pitfalls that overdraw accounts: two withdrawals from each, of which it can bear one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import cast

import altair
import pandas as pd

from eventlab import show
from eventlab.domain.account import Account, AccountOpened, Deposited, Event, Withdraw, decider
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, Recorded, StreamId
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.history import History, Sent
from eventlab.pitfalls.record import Fact, Record
from eventlab.show.charts import HEIGHT, WIDTH, Figure
from eventlab.show.palette import BLUE, VERMILLION

ACCOUNTS = 8
OPENED = 5  # the version of an account before anybody withdraws: opened, and four deposits
TODAY = date(2026, 3, 2)
LIMIT = Money(100_00, "EUR")
_DEPOSITS = range(50_00, 100_00, 5_00)
_MORE_THAN_HALF = range(55, 95, 5)  # percent of what is available: one withdrawal is granted, two are too many
_VERDICTS = ("within its limit", "overdrawn")
VERSION = "version"  # in an event's metadata: the version that its writer gave it, where the log gives none
TELLER = "teller"


@dataclass(frozen=True)
class Wish:
    """A customer asks ``teller`` for money."""

    teller: str
    stream: StreamId
    amount: Money

    @property
    def command(self) -> Withdraw:
        """What the decider is asked."""
        return Withdraw(self.amount, TODAY, text=f"at {self.teller}")


@dataclass(frozen=True)
class Answer:
    """What a teller said to a wish (``booked`` or ``refused``), and on what: a version of the account, its balance."""

    wish: Wish
    seen: int
    balance: Money
    said: str


def openings(seed: int) -> dict[StreamId, list[NewEvent]]:
    """The events of each account before anybody withdraws."""
    random = Random(seed)  # noqa: S311 accounts that repeat, not secrets
    return {
        StreamId("account", str(number)): [
            NewEvent(AccountOpened(f"customer {number}", "EUR", LIMIT, TODAY)),
            *(NewEvent(Deposited(Money(random.choice(_DEPOSITS), "EUR"), TODAY)) for _ in range(OPENED - 1)),
        ]
        for number in range(1, ACCOUNTS + 1)
    }


def wishes(opened: Mapping[StreamId, Sequence[NewEvent]], tellers: tuple[str, str], seed: int) -> list[Wish]:
    """First one for each account, at the first teller; then one more for each, at the second."""
    random = Random(seed)  # noqa: S311 wishes that repeat, not secrets
    found = []
    for teller in tellers:
        for stream, events in opened.items():
            available = int(account(each.event for each in events).available.amount)
            found.append(Wish(teller, stream, Money.of(available * random.choice(_MORE_THAN_HALF) // 100, "EUR")))
    return found


def account(events: Iterable[object]) -> Account:
    """What the events of one account amount to."""
    return decider.fold(cast(Iterable[Event], events))


def fact(stream: StreamId, version: int, event: object, teller: str) -> Fact:
    """An event of an account as the checkers take it."""
    return Fact(str(stream), version, type(event).__name__, str(event), teller)


def record(order: int, recorded: Recorded) -> Record:
    """An event of an account as a fresh reader of the whole log got it."""
    stream, metadata = recorded.stream, recorded.metadata
    version = int(metadata.get(VERSION, recorded.version))
    said = fact(stream, version, recorded.event, metadata.get(TELLER, "bank"))
    return Record(
        key=said.key,
        version=said.version,
        type=said.type,
        label=said.label,
        producer=said.producer,
        order=order,
        partition=0,
        offset=recorded.position - 1,
        timestamp=recorded.recorded_time,
    )


@dataclass(frozen=True, kw_only=True, repr=False)
class Accounts(Result):
    """A result that knows what the accounts amount to, by a fresh reader, and what was answered to whom."""

    accounts: Mapping[str, Account] = field(default_factory=dict)
    answers: Sequence[Answer] = ()

    @property
    def workload(self) -> Sequence[Wish]:
        """What customers asked for, whatever came of it."""
        return sorted((answer.wish for answer in self.answers), key=lambda wish: (wish.teller, wish.stream))

    @property
    def overdrawn(self) -> list[str]:
        """The accounts that are below their limit, which no account may be."""
        return [key for key, account in self.accounts.items() if account.available.minor < 0]

    def decisions(self) -> pd.DataFrame:
        """What each teller answered, and on what balance; a row for each wish."""
        return pd.DataFrame(
            {
                "account": [str(answer.wish.stream) for answer in self.answers],
                "teller": [answer.wish.teller for answer in self.answers],
                "wants": [str(answer.wish.amount) for answer in self.answers],
                "seen version": [answer.seen for answer in self.answers],
                "seen balance": [str(answer.balance) for answer in self.answers],
                "said": [answer.said for answer in self.answers],
            }
        )

    def balances(self) -> pd.DataFrame:
        """What each account amounts to, in EUR."""
        return pd.DataFrame(
            {
                "account": list(self.accounts),
                "balance": [float(account.balance.amount) for account in self.accounts.values()],
                "limit": [-float(account.overdraft_limit.amount) for account in self.accounts.values()],
                "verdict": [_VERDICTS[key in self.overdrawn] for key in self.accounts],
            }
        )

    def picture(self) -> Figure:
        """The balances as bars, and the limit that none may be below."""
        frame = self.balances()
        base = altair.Chart(frame, width=WIDTH, height=HEIGHT)
        verdict = altair.Color("verdict:N", title=None).scale(domain=list(_VERDICTS), range=[BLUE, VERMILLION])
        bars = base.mark_bar().encode(
            x=altair.X("account:N", sort=None, title=None).axis(labelAngle=0),
            y=altair.Y("balance:Q").title("balance, EUR"),
            color=verdict,
        )
        limit = base.mark_rule(strokeDash=[6, 4], color="currentColor").encode(y="mean(limit):Q")
        said = ", ".join(f"{row.account} {row.balance:,.2f}" for row in frame.itertuples())
        alt = (
            f"The balance of each account in EUR, and the limit of {frame['limit'].mean():,.2f} as a dashed line: "
            f"{said}. Below the limit: {len(self.overdrawn)} of {len(frame)}."
        )
        return show.figure(bars + limit, alt, frame)


def result(pitfall: Pitfall, read: Iterable[Recorded], sent: Iterable[Sent], answers: Sequence[Answer]) -> Accounts:
    """The verdict on what a fresh reader of the whole log got, and what tellers know that they sent and said."""
    assert pitfall.metric
    events = list(read)
    streams = dict.fromkeys(each.stream for each in events)
    accounts = {str(stream): account(each.event for each in events if each.stream == stream) for stream in streams}
    records = tuple(record(order, each) for order, each in enumerate(events))
    return Accounts(
        History(records, tuple(sent)), pitfall.metric, pitfall.unit, accounts=accounts, answers=tuple(answers)
    )
