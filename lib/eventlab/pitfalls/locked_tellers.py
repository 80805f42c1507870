"""Two tellers who lock an account in Redis while they decide on it. The topic that they write to knows of no lock."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from eventlab import settings
from eventlab.cluster import Kafka, LabError, redis
from eventlab.cluster.clients import abandon
from eventlab.domain.account import Event, decider
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money
from eventlab.events.catalogue import registry
from eventlab.events.codec import JsonCodec
from eventlab.events.envelope import NewEvent, Recorded, StreamId
from eventlab.locks.redis_lock import holding
from eventlab.locks.steps import nobody
from eventlab.locks.teller import Teller
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.quiet import QUIET
from eventlab.pitfalls.topics import await_stable
from eventlab.pitfalls.withdrawals import TELLER, VERSION, Answer, Wish, account, fact
from eventlab.store import KafkaEventLog
from eventlab.store.contract import BEGINNING, START
from eventlab.store.kafka_records import headers
from eventlab.store.rules import stored, utc_now

_LEASE_SECONDS = 0.5  # of a lock: nobody who is awake needs so long
_PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.01


def locked(
    kafka: Kafka, opened: Mapping[StreamId, Sequence[NewEvent]], asked: Sequence[Wish], fence: bool
) -> tuple[list[Recorded], list[Sent], list[Answer]]:
    """What a fresh reader got, what the tellers sent, and what they answered to what they were ``asked``.

    The first teller stands still when he has decided on all his wishes, until his locks are over and the second one has
    served all hers; then he writes. ``fence``: who has the lock of an account writes with that account's
    ``transactional.id``, else with one of his own. The broker counts who comes with an id, and refuses who came before.
    """
    topic = kafka.topic("accounts")
    with closing(KafkaEventLog(kafka, topic)) as log:
        for stream, events in opened.items():
            log.append(stream, events)
        tellers = _Tellers(kafka, topic, log, fence)
        first = asked[0].teller
        with ExitStack() as held:
            decided = [tellers.decide(wish, held) for wish in asked if wish.teller == first]
            _await_end([each.lock for each in decided])
            for wish in asked:
                if wish.teller != first:
                    tellers.serve(wish)
            for decision in decided:
                tellers.write(decision)
        await_stable(kafka, topic)
        return list(log.read_all()), tellers.sent, tellers.answers


def _await_end(locks: Iterable[Teller]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    for lock in locks:
        while lock.redis.exists(lock.key):
            if time.monotonic() > deadline:
                raise LabError(f"A lock of {_LEASE_SECONDS:g} s lasted for {_PATIENCE_SECONDS:g} s.")
            time.sleep(_POLL_SECONDS)


@dataclass(frozen=True)
class _Decision:
    """What a teller means to write (nothing: the wish is refused), and on what he had read."""

    wish: Wish
    seen: int
    balance: Money
    event: Event | None
    lock: Teller
    producer: Producer


class _Tellers:
    """What both of them do, and what came of it."""

    def __init__(self, kafka: Kafka, topic: str, log: KafkaEventLog, fence: bool) -> None:
        self._kafka, self._topic, self._log, self._fence = kafka, topic, log, fence
        self._codec, self._redis_url = JsonCodec(registry), redis.url()
        self.sent: list[Sent] = []
        self.answers: list[Answer] = []

    def decide(self, wish: Wish, held: ExitStack) -> _Decision:
        """Take the lock of the account, become its writer, read it, and decide. What is ``held`` is given back."""
        name = f"{self._topic}:{wish.stream}"
        lock = held.enter_context(closing(Teller("sqlite://", name, redis_url=self._redis_url, lease=_LEASE_SECONDS)))
        held.enter_context(holding(lock, nobody))
        id_ = name if self._fence else f"{name}:{wish.teller}"
        producer = Producer(self._kafka.config(**settings.transactions(id_, logger=QUIET)))
        held.callback(abandon, producer)
        # Connected first: else librdkafka lets half a second pass until it asks for a producer id.
        producer.list_topics(timeout=_PATIENCE_SECONDS)
        producer.init_transactions(_PATIENCE_SECONDS)  # from now on the broker refuses who had this id before
        events = [each.event for each in self._log.read(wish.stream)]
        known = account(events)
        try:
            [event] = decider.decide(wish.command, known)
        except Refused:
            return _Decision(wish, len(events), known.balance, None, lock, producer)
        return _Decision(wish, len(events), known.balance, event, lock, producer)

    def serve(self, wish: Wish) -> None:
        """All of it, as somebody does who is awake."""
        with ExitStack() as held:
            self.write(self.decide(wish, held))

    def write(self, decided: _Decision) -> None:
        """Write what was decided. When the broker refuses it, take the lock and decide again."""
        wish, seen, version = decided.wish, decided.seen, decided.seen + 1
        if decided.event is None:
            self.answers.append(Answer(wish, seen, decided.balance, "refused"))
            return
        written = fact(wish.stream, version, decided.event, wish.teller)
        new = NewEvent(decided.event, metadata={TELLER: wish.teller, VERSION: str(version)})
        try:
            offset = self._send(decided.producer, wish.stream, new)
        except KafkaException:
            self.sent.append(Sent(written, "fail", seen=seen))
            self.serve(wish)
        else:
            self.sent.append(Sent(written, "ok", 0, offset, seen=seen))
            self.answers.append(Answer(wish, seen, decided.balance, "booked"))

    def _send(self, producer: Producer, stream: StreamId, new: NewEvent) -> int:
        """Raises KafkaException when another one has come with the id of ``producer``."""
        record = stored(stream, START, BEGINNING, new, self._codec.encode(new.event), utc_now())
        offsets: list[int] = []

        def note(error: KafkaError | None, message: Message) -> None:
            if error is None:
                offsets.append(message.offset())

        producer.begin_transaction()
        producer.produce(self._topic, record.data, str(stream), headers=headers(record), on_delivery=note)
        producer.commit_transaction(_PATIENCE_SECONDS)
        return offsets[0]
