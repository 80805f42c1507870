"""Random use of each store beside lists that do what the contract says: appends, conflicts, repeats, crashes, reads."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path
from random import Random
from typing import Any as Anything

import pytest
import sqlalchemy
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.contracts.backends import Backend

from eventlab.domain import account, cart
from eventlab.domain.cart import CartAbandoned, ItemAdded, ItemRemoved
from eventlab.domain.decider import Decider, Refused
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, Position, Recorded, StreamId, Version
from eventlab.history import as_of
from eventlab.store import (
    BEGINNING,
    Any,
    Append,
    Appended,
    NoStream,
    StreamExists,
    WrongExpectedVersion,
    execute,
    state,
)

from .victims import killed_while_it_appends
from .waiting import stubbornly

STEPS = 30
EXAMPLES = {"memory": 200, "sqlite": 20, "postgres": 15}  # some seconds each
BLOW_SECONDS = 0.004  # an append takes 0.2 to 2 ms

CARTS = [StreamId("cart", key) for key in "ab"]
ACCOUNTS = [StreamId("account", owner) for owner in ("ana", "bob")]
STREAMS = CARTS + ACCOUNTS
DECIDERS: Mapping[str, Decider[Anything, Anything, Anything]] = {"cart": cart.decider, "account": account.decider}
TODAY = date(2026, 11, 23)

euros = st.integers(1, 500).map(lambda minor: Money(minor, "EUR"))
products = st.sampled_from(["socks", "trousers"])
events = (
    st.builds(ItemAdded, products, st.integers(1, 3), euros)
    | st.builds(ItemRemoved, products, st.integers(1, 3))
    | st.builds(CartAbandoned, st.just("late"))
)
batches = st.lists(events, min_size=1, max_size=3)
# What an append expects; a number is how far the writer's idea of the version is off.
expectations = st.sampled_from([Any, NoStream, StreamExists]) | st.sampled_from([0, 0, 0, -1, 1])
carts = st.sampled_from(CARTS)
accounts = st.sampled_from(ACCOUNTS)
streams = st.sampled_from(STREAMS)
wanted_appends = st.lists(
    st.tuples(carts, batches, expectations), min_size=1, max_size=2, unique_by=lambda wanted: wanted[0]
)
# Versions, or a choice among what there is, modulo its number.
places = st.integers(0, 40)
spans = st.tuples(places, st.none() | places)
types = st.sets(st.sampled_from([ItemAdded, ItemRemoved, CartAbandoned, account.Deposited, account.TransferSent]))
delays = st.integers(0, 20).map(lambda part: part * BLOW_SECONDS / 20)


class Consumer:
    """Knows each event by its id and waits for the next version: then it does not matter how events arrive."""

    def __init__(self) -> None:
        self._known: set[uuid.UUID] = set()
        self._early: dict[tuple[StreamId, int], Recorded] = {}
        self.versions = dict.fromkeys(STREAMS, 0)
        self.states = {stream: DECIDERS[stream.category].initial for stream in STREAMS}

    def receive(self, recorded: Recorded) -> None:
        if recorded.id in self._known:
            return
        self._known.add(recorded.id)
        stream = recorded.stream
        self._early[stream, recorded.version] = recorded
        while following := self._early.pop((stream, self.versions[stream] + 1), None):
            self.states[stream] = DECIDERS[stream.category].evolve(self.states[stream], following.event)
            self.versions[stream] += 1


class StoreMachine(RuleBasedStateMachine):
    """``log`` is what the store has to hold, ``done`` each append with its answer."""

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.backend = backend
        self.store = backend.open()
        self.log: list[tuple[StreamId, NewEvent, Position]] = []
        self.done: list[tuple[list[Append], list[Appended]]] = []
        self.followed: list[Recorded] = []
        self.paid_in = 0

    # -- the model ----------------------------------------------------------------------------------------------

    def stream(self, stream: StreamId) -> list[NewEvent]:
        return [new for where, new, _ in self.log if where == stream]

    def version(self, stream: StreamId) -> Version:
        return Version(len(self.stream(stream)))

    def wanted(self, stream: StreamId, batch: Sequence[object], expected: Anything) -> Append:
        if isinstance(expected, int):
            expected = Version(max(0, self.version(stream) + expected))
        return Append(stream, [NewEvent(event) for event in batch], expected)

    def allowed(self, append: Append) -> bool:
        length = self.version(append.stream)
        return {Any: True, NoStream: length == 0, StreamExists: length > 0}.get(
            append.expected, append.expected == length
        )

    def stored(self, appends: list[Append], answers: list[Appended]) -> None:
        """What the store answered to a first append is right, and the model has it, too."""
        last = self.log[-1][2] if self.log else BEGINNING
        for each, answer in zip(appends, answers, strict=True):
            before = self.version(each.stream)
            assert list(answer.versions) == list(range(before + 1, before + len(each.events) + 1))
            self.log += zip([each.stream] * len(each.events), each.events, answer.positions, strict=True)
        positions = [position for *_, position in self.log]
        assert positions == sorted(set(positions))
        assert positions[-1] > last
        self.done.append((appends, answers))

    def executed(self, recorded: Sequence[Recorded]) -> None:
        """What ``execute`` stored."""
        self.log += [(each.stream, NewEvent(each.event, each.id), each.position) for each in recorded]

    # -- writing ------------------------------------------------------------------------------------------------

    @initialize()
    def open_accounts(self) -> None:
        for stream in ACCOUNTS:
            command = account.OpenAccount(stream.key, "EUR", Money(0, "EUR"), TODAY)
            self.executed(execute(self.store, account.decider, stream, command))

    @rule(
        wanted=st.lists(st.tuples(carts, batches, expectations), min_size=1, max_size=2, unique_by=lambda each: each[0])
    )
    def append(self, wanted: list[tuple[StreamId, list[object], Anything]]) -> None:
        appends = [self.wanted(*each) for each in wanted]
        one = appends[0]
        if all(map(self.allowed, appends)):
            if len(appends) == 1:
                self.stored(appends, [self.store.append(one.stream, one.events, one.expected)])
            else:
                self.stored(appends, self.store.append_all(appends))
        else:
            with pytest.raises(WrongExpectedVersion) as caught:
                self.store.append_all(appends)
            assert caught.value.stream in [each.stream for each in appends if not self.allowed(each)]
            assert caught.value.actual == self.version(caught.value.stream)

    @precondition(lambda self: self.done)
    @rule(which=places)
    def repeat(self, which: int) -> None:
        appends, answers = self.done[which % len(self.done)]
        assert self.store.append_all(appends) == answers

    @precondition(lambda self: self.done)
    @rule(which=places, stream=carts)
    def repeat_wrongly(self, which: int, stream: StreamId) -> None:
        [known, *_], _ = self.done[which % len(self.done)]
        with pytest.raises(ValueError, match="only some"):
            self.store.append(known.stream, [*known.events, NewEvent(CartAbandoned("late"))])
        if stream != known.stream:
            with pytest.raises(ValueError, match="already stored in"):
                self.store.append(stream, known.events)

    @rule(stream=accounts, amount=euros)
    def deposit(self, stream: StreamId, amount: Money) -> None:
        self.executed(execute(self.store, account.decider, stream, account.Deposit(amount, TODAY)))
        self.paid_in += amount.minor

    def transfer(self, there: bool, amount: Money) -> list[Append]:
        """Both sides in one append. Raises Refused when there is not enough."""
        sender, receiver = ACCOUNTS if there else ACCOUNTS[::-1]
        send = account.SendTransfer(amount, TODAY, to=receiver.key)
        receive = account.ReceiveTransfer(amount, TODAY, sender=sender.key)
        return [
            self.wanted(stream, account.decide(command, state(self.store, account.decider, stream)), 0)
            for stream, command in ((sender, send), (receiver, receive))
        ]

    @rule(there=st.booleans(), amount=euros)
    def transfer_money(self, there: bool, amount: Money) -> None:
        try:
            appends = self.transfer(there, amount)
        except Refused:
            return
        self.stored(appends, self.store.append_all(appends))

    # -- crashes ------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.backend.name != "memory")
    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = self.backend.open()

    @precondition(lambda self: self.backend.name != "memory")
    @rule(stream=carts, batch=batches, there=st.booleans(), amount=euros, delay=delays)
    def writer_is_killed(self, stream: StreamId, batch: list[object], there: bool, amount: Money, delay: float) -> None:
        """Nobody knows what became of its append, but it is whole or not there; then it is done again."""
        appends = [self.wanted(stream, batch, 0)]
        with suppress(Refused):
            appends += self.transfer(there, amount)
        killed_while_it_appends(self.backend, appends, delay)
        ids = [new.id for each in appends for new in each.events]
        assert [recorded.id for recorded in self.store.read_all()][len(self.log) :] in ([], ids)
        self.stored(appends, self.store.append_all(appends))

    @precondition(lambda self: self.backend.name == "postgres")
    @rule(stream=carts, batch=batches, delay=delays)
    def connections_are_cut(self, stream: StreamId, batch: list[object], delay: float) -> None:
        appends = [self.wanted(stream, batch, 0)]
        administrator = sqlalchemy.create_engine(
            self.backend.where, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool
        )
        with ThreadPoolExecutor(1) as thread, administrator.connect() as connection:
            writing = thread.submit(stubbornly, lambda: self.store.append_all(appends))
            time.sleep(delay)
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            self.stored(appends, writing.result())
        self.open_again()

    # -- reading ------------------------------------------------------------------------------------------------

    @invariant()
    def the_store_holds_the_log(self) -> None:
        assert [(each.stream, each.id, each.event, each.position) for each in self.store.read_all()] == [
            (stream, new.id, new.event, position) for stream, new, position in self.log
        ]
        assert self.store.head() == (self.log[-1][2] if self.log else BEGINNING)

    @invariant()
    def money_is_conserved(self) -> None:
        balances = [state(self.store, account.decider, stream).balance.minor for stream in ACCOUNTS]
        assert sum(balances) == self.paid_in
        assert min(balances) >= 0

    @rule(stream=streams, span=spans, backwards=st.booleans(), only=types)
    def read(self, stream: StreamId, span: tuple[int, int | None], backwards: bool, only: set[type]) -> None:
        after, until = span
        found = self.store.read(
            stream, Version(after), None if until is None else Version(until), backwards=backwards, types=only
        )
        right = [
            (version, new.id)
            for version, new in enumerate(self.stream(stream), start=1)
            if after < version <= (version if until is None else until) and (not only or type(new.event) in only)
        ]
        assert [(each.version, each.id) for each in found] == (right[::-1] if backwards else right)

    @rule(span=spans, backwards=st.booleans(), only=types)
    def read_all(self, span: tuple[int, int | None], backwards: bool, only: set[type]) -> None:
        """The bounds are positions of events, or just beside them."""
        after, until = (None if place is None else Position(self.position(place) + place % 2) for place in span)
        assert after is not None
        found = self.store.read_all(after, until, backwards=backwards, types=only)
        right = [
            (position, new.id)
            for _, new, position in self.log
            if after < position <= (position if until is None else until) and (not only or type(new.event) in only)
        ]
        assert [(each.position, each.id) for each in found] == (right[::-1] if backwards else right)

    def position(self, place: int) -> Position:
        return [BEGINNING, *(position for *_, position in self.log)][place % (len(self.log) + 1)]

    @rule(since=places, before=places)
    def read_between_times(self, since: int, before: int) -> None:
        everything = list(self.store.read_all())
        since_time, before_time = (everything[place % len(everything)].recorded_time for place in (since, before))
        right = [each for each in everything if since_time <= each.recorded_time < before_time]
        assert list(self.store.read_all(since=since_time, before=before_time)) == right

    @rule(stream=streams, after=places)
    def load(self, stream: StreamId, after: int) -> None:
        after = min(after, self.version(stream))
        rest = [new.event for new in self.stream(stream)[after:]]
        assert self.store.load(stream, Version(after)) == (rest, self.version(stream))

    @rule(after=places)
    def subscribe(self, after: int) -> None:
        position = self.position(after)
        assert list(self.store.subscribe(position, idle=0)) == list(self.store.read_all(position))

    @rule(most=places)
    def follow(self, most: int) -> None:
        """One subscriber that comes back from time to time, and does not always stay until the end."""
        after = self.followed[-1].position if self.followed else BEGINNING
        for recorded, _ in zip(self.store.subscribe(after, idle=0), range(most), strict=False):
            self.followed.append(recorded)
        assert self.followed == list(self.store.read_all())[: len(self.followed)]

    # -- what follows from it -----------------------------------------------------------------------------------

    @rule(stream=streams, place=places)
    def fold(self, stream: StreamId, place: int) -> None:
        decider = DECIDERS[stream.category]
        history = [new.event for new in self.stream(stream)]
        whole = decider.fold(history)
        assert state(self.store, decider, stream) == whole
        version = place % (len(history) + 1)
        if history:
            prefix = as_of(self.store, decider, stream, version=version)
            assert prefix == decider.fold(history[:version])
            rest = (each.event for each in self.store.read(stream, after=Version(version)))
            assert decider.fold(rest, prefix) == whole

    @rule(random=st.randoms(use_true_random=False), copies=st.integers(0, 20))
    def deliver(self, random: Random, copies: int) -> None:
        """However often and in whatever order events arrive, ids and versions lead back to the state."""
        delivered = list(self.store.read_all())
        delivered += random.choices(delivered, k=copies)
        random.shuffle(delivered)
        consumer = Consumer()
        for recorded in delivered:
            consumer.receive(recorded)
        assert consumer.versions == {stream: self.version(stream) for stream in STREAMS}
        assert consumer.states == {stream: state(self.store, DECIDERS[stream.category], stream) for stream in STREAMS}

    def teardown(self) -> None:
        self.store.close()


def check(name: str, place: Callable[[], Backend]) -> None:
    """Run the machine, each time in a new place."""
    run_state_machine_as_test(
        lambda: StoreMachine(place()),
        settings=settings(
            max_examples=EXAMPLES[name],
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def names() -> Iterator[str]:
    """Names that were not used yet."""
    return (uuid.uuid4().hex for _ in iter(int, 1))


def test_memory() -> None:
    check("memory", lambda: Backend("memory"))


def test_sqlite(tmp_path: Path, names: Iterator[str]) -> None:
    check("sqlite", lambda: Backend("sqlite", f"sqlite:///{tmp_path / next(names)}.db"))


def test_postgres(postgres_url: str, names: Iterator[str]) -> None:
    check("postgres", lambda: Backend("postgres", postgres_url, schema=next(names)))
