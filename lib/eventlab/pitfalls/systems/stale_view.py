"""P34: a command is decided on a view, which does not know yet what was decided before."""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Literal

from sqlalchemy import select

from eventlab.cluster import Kafka
from eventlab.domain.account import Account, decider
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, Position, StreamId, Version
from eventlab.pitfalls.actors import Actor
from eventlab.pitfalls.balances import BALANCES, TABLE, keep_up
from eventlab.pitfalls.checkers import stale_decisions
from eventlab.pitfalls.experiment import Pitfall
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.withdrawals import (
    ACCOUNTS,
    LIMIT,
    TELLER,
    Accounts,
    Answer,
    Wish,
    account,
    fact,
    openings,
    result,
    wishes,
)
from eventlab.store import Any, SqlEventStore, WrongExpectedVersion
from eventlab.views import wait_until

_PATIENCE_SECONDS = 20.0

Place = Literal["app", "cash machine"]
Basis = Literal["view", "stream", "view, own events awaited", "view and its version"]


def run(_: Kafka, *, basis: Basis = "view", then: Place = "app", seed: int = 7) -> Accounts:
    """Customers withdraw in the app, and at once again, ``then`` in the app or at a cash machine. No broker takes part.

    A process keeps a view of the balances up to date; it does not get to that between the two. ``basis``: what a
    withdrawal is decided on. The view as it is; or the account's own stream, and then the store has to be at the
    version that was read; or the view, once it has what this client wrote for this customer; or the view as it is, and
    then the store has to be at the version that the view had (if it is not, the client waits for the view).
    """
    opened = openings(seed)
    asked = wishes(opened, ("app", then), seed)
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{Path(directory) / 'bank.db'}"
        with closing(SqlEventStore(url)) as bank, Actor(keep_up, url=url) as view:
            for stream, events in opened.items():
                bank.append(stream, events)
            view.until("looks", times=2)  # it has seen all accounts, and stands before its next look
            clients = {name: _Client(bank, basis) for name in ("app", then)}
            for wish in asked[:ACCOUNTS]:
                clients["app"].serve(wish)
            _at_last(view, clients[then], asked[ACCOUNTS:])
            read = list(bank.read_all())
    served = list(clients.values())
    sent = [attempt for client in served for attempt in client.sent]
    return result(PITFALL, read, sent, [answer for client in served for answer in client.answers])


def _at_last(view: Actor, client: "_Client", asked: Sequence[Wish]) -> None:
    """Have the wishes served; the view goes on when somebody waits for it, or when nobody did."""
    with ThreadPoolExecutor(1) as pool:
        served = pool.submit(client.serve_all, asked)
        served.add_done_callback(lambda _: client.waits.set())
        client.waits.wait()
        view.until("looks")
        served.result()


class _Client:
    """A program that customers ask for money. ``waits`` is set when it waits for the view."""

    def __init__(self, store: SqlEventStore, basis: Basis) -> None:
        self._store, self._basis = store, basis
        self._written: dict[StreamId, Position] = {}
        self.waits = Event()
        self.sent: list[Sent] = []
        self.answers: list[Answer] = []

    def serve_all(self, wishes: Sequence[Wish]) -> None:
        for wish in wishes:
            self.serve(wish)

    def serve(self, wish: Wish) -> None:
        while True:
            known, seen = self._look(wish.stream)
            try:
                [event] = decider.decide(wish.command, known)
            except Refused:
                said = "refused"
                break
            if self._book(wish, event, seen):
                said = "booked"
                break
            if self._basis == "view and its version":
                self._await(self._store.head())
        self.answers.append(Answer(wish, seen, known.balance, said))

    def _look(self, stream: StreamId) -> tuple[Account, Version]:
        """What the client takes the account for, and at which version that was so."""
        if self._basis == "stream":
            events, version = self._store.load(stream)
            return account(events), version
        if self._basis == "view, own events awaited" and stream in self._written:
            self._await(self._written[stream])
        with self._store.engine.connect() as connection:
            row = connection.execute(select(TABLE).where(TABLE.c.account == str(stream))).one()
        limit, balance = (Money(cents, LIMIT.currency) for cents in (row.overdraft, row.balance))
        return Account("open", str(stream), LIMIT.currency, limit, balance), Version(row.version)

    def _await(self, position: Position) -> None:
        self.waits.set()
        wait_until(self._store, BALANCES, position, _PATIENCE_SECONDS)

    def _book(self, wish: Wish, event: object, seen: Version) -> bool:
        new = NewEvent(event, metadata={TELLER: wish.teller})
        guarded = self._basis in ("stream", "view and its version")
        try:
            stored = self._store.append(wish.stream, [new], expected=seen if guarded else Any)
        except WrongExpectedVersion:
            self.sent.append(Sent(fact(wish.stream, seen + 1, event, wish.teller), "fail", seen=seen))
            return False
        [version], [position] = stored.versions, stored.positions
        self._written[wish.stream] = position
        self.sent.append(Sent(fact(wish.stream, version, event, wish.teller), "ok", 0, position - 1, seen=seen))
        return True


PITFALL = Pitfall(
    id="P34",
    hypothesis="Whoever decides on a view grants what the events forbid, for as long as the view is behind.",
    workload=f"{ACCOUNTS} accounts, two withdrawals from each, one right after the other; each can bear one of them",
    metric=stale_decisions,
    unit="accounts were decided on without an event that stood there already",
    run=run,
    broken={"basis": "view"},
    cured={"basis": "stream"},
    seed=7,
    budget=15,
    brokers=1,
    sources=(
        "https://github.com/AxonIQ/AxonFramework/issues/3017",
        "https://github.com/proophsoftware/es-emergency-call/issues/6",
        "https://github.com/Eventuous/eventuous/issues/67",
    ),
)
