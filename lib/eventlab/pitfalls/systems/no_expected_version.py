"""P31: a log that takes whatever it is given, so that two who decided on the same version both write the next one."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

import msgspec
from confluent_kafka import Producer

from eventlab.cluster import Kafka, LabError
from eventlab.cluster.scan import Scan
from eventlab.domain.account import Account, decider
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId, Version
from eventlab.pitfalls.checkers import conflicting_versions
from eventlab.pitfalls.experiment import Pitfall
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.locked_tellers import locked
from eventlab.pitfalls.withdrawals import (
    ACCOUNTS,
    TELLER,
    VERSION,
    Accounts,
    Answer,
    Wish,
    account,
    fact,
    openings,
    result,
    wishes,
)
from eventlab.store import Any, EventStore, KafkaEventLog, SqlEventStore, WrongExpectedVersion

_TELLERS = ("Ben", "Cleo")
_PATIENCE_SECONDS = 20.0
_PRODUCER = {"enable.idempotence": True, "max.in.flight": 1, "log_level": 0}

Log = Literal["topic", "event store", "single writer", "lock", "fenced lock"]


def run(kafka: Kafka, *, log: Log = "topic", seed: int = 7) -> Accounts:
    """Two tellers have read all accounts when customers come to both; each books what the account can bear.

    ``log``: where the accounts are. A topic takes every event. The event store takes one only if the account is still
    at the version that the teller had read; else the teller reads again, and decides again. With "single writer" the
    tellers do not write to the topic of the accounts at all: they hand their wishes over, in another topic, and one
    process decides on all of them, one after the other. With "lock" each takes a lock in Redis for an
    account, reads it, and writes; but the first one stands still in between, until his locks are over and the second is
    done. With "fenced lock" the broker refuses who writes after somebody else had the lock.
    """
    opened = openings(seed)
    asked = wishes(opened, _TELLERS, seed)
    if log in ("lock", "fenced lock"):
        return result(PITFALL, *locked(kafka, opened, asked, fence=log == "fenced lock"))
    with tempfile.TemporaryDirectory() as directory:
        client = _client(kafka, log, directory)
        with closing(client()) as bank:
            for stream, events in opened.items():
                bank.append(stream, events)
        if log == "single writer":
            tellers = [_Teller(client(), opened, conditional=False)]
            for wish in _handed_over(kafka, asked):
                tellers[0].serve(wish)
        else:
            # Both have read before one of them writes.
            tellers = [_Teller(client(), opened, conditional=log == "event store") for _ in _TELLERS]
            for wish in asked:
                tellers[_TELLERS.index(wish.teller)].serve(wish)
        for teller in tellers:
            teller.close()
        with closing(client()) as fresh:
            read = list(fresh.read_all())
    sent = [attempt for teller in tellers for attempt in teller.sent]
    return result(PITFALL, read, sent, [answer for teller in tellers for answer in teller.answers])


def _client(kafka: Kafka, log: Log, directory: str) -> Callable[[], EventStore]:
    """What gives a connection of its own to each who needs one."""
    if log == "event store":
        url = f"sqlite:///{Path(directory) / 'bank.db'}"
        return lambda: SqlEventStore(url)
    topic = kafka.topic("accounts")
    return lambda: KafkaEventLog(kafka, topic)


class _Teller:
    """Somebody with a connection to the log and an idea of every account, which may be old."""

    def __init__(self, log: EventStore, streams: Iterable[StreamId], conditional: bool) -> None:
        self._log, self._conditional = log, conditional
        self._known = {stream: self._read(stream) for stream in streams}
        self.sent: list[Sent] = []
        self.answers: list[Answer] = []

    def _read(self, stream: StreamId) -> tuple[Account, Version]:
        events, version = self._log.load(stream)
        return account(events), version

    def serve(self, wish: Wish) -> None:
        """Decide on what is known, and book; when the log refuses that, read again and decide again."""
        while True:
            known, seen = self._known[wish.stream]
            try:
                [event] = decider.decide(wish.command, known)
            except Refused:
                said = "refused"
                break
            if self._book(wish, event, seen):
                self._known[wish.stream] = decider.evolve(known, event), Version(seen + 1)
                said = "booked"
                break
            self._known[wish.stream] = self._read(wish.stream)
        self.answers.append(Answer(wish, seen, known.balance, said))

    def _book(self, wish: Wish, event: object, seen: Version) -> bool:
        written = fact(wish.stream, seen + 1, event, wish.teller)
        new = NewEvent(event, metadata={TELLER: wish.teller, VERSION: str(seen + 1)})
        try:
            stored = self._log.append(wish.stream, [new], expected=seen if self._conditional else Any)
        except WrongExpectedVersion:
            self.sent.append(Sent(written, "fail", seen=seen))
            return False
        self.sent.append(Sent(written, "ok", 0, stored.positions[0] - 1, seen=seen))
        return True

    def close(self) -> None:
        self._log.close()


def _handed_over(kafka: Kafka, asked: Iterable[Wish]) -> Iterator[Wish]:
    """The wishes as the one who serves them all reads them, from a topic of their own."""
    topic = kafka.topic("wishes")
    producer = Producer(kafka.config(**_PRODUCER))
    for wish in asked:
        producer.produce(topic, msgspec.json.encode(wish.amount), str(wish.stream), headers={TELLER: wish.teller})
    if producer.flush(_PATIENCE_SECONDS):
        raise LabError(f"The cluster did not take all wishes within {_PATIENCE_SECONDS:g} s.")
    for batch in Scan(kafka, topic):
        for message in batch:
            [(_, teller)] = message.headers()
            amount = msgspec.json.decode(message.value(), type=Money)
            yield Wish(teller.decode(), StreamId.parse(message.key().decode()), amount)


PITFALL = Pitfall(
    id="P31",
    hypothesis="Two tellers who have read version 5 of an account both write a version 6, and the topic takes both.",
    workload=f"{ACCOUNTS} accounts, two withdrawals from each at two tellers; each account can bear one of them",
    metric=conflicting_versions,
    unit="accounts have two events of the same version",
    run=run,
    broken={"log": "topic"},
    cured={"log": "event store"},
    seed=7,
    budget=15,
    brokers=1,
    sources=(
        "https://github.com/pyeventsourcing/eventsourcing/issues/108",
        "https://github.com/liftbridge-io/liftbridge/issues/54",
        "https://github.com/BullOak/BullOak/issues/48",
        "https://issues.apache.org/jira/browse/KAFKA-2260",
        "https://cwiki.apache.org/confluence/display/KAFKA/KIP-27+-+Conditional+Publish",
    ),
)
