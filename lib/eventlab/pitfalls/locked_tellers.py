"""Two tellers who lock an account in Redis while they decide on it. The topic that they write to knows of no lock."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

from eventlab.cluster import Kafka, LabError, redis
from eventlab.domain.account import Event, decider
from eventlab.domain.decider import Refused
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, Recorded, StreamId
from eventlab.locks.redis_lock import holding
from eventlab.locks.steps import nobody
from eventlab.locks.teller import Teller
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.topics import await_stable
from eventlab.pitfalls.withdrawals import TELLER, VERSION, Answer, Wish, account, fact
from eventlab.store import KafkaEventLog, Unavailable

_LEASE_SECONDS = 0.5  # of a lock: nobody who is awake needs so long
_PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.01


def locked(
    kafka: Kafka, opened: Mapping[StreamId, Sequence[NewEvent]], asked: Sequence[Wish], fence: bool
) -> tuple[list[Recorded], list[Sent], list[Answer]]:
    """What a fresh reader got, what the tellers sent, and what they answered to what they were ``asked``.

    The first teller stands still when he has decided on all his wishes, until his locks are over and the second one has
    served all hers; then he writes. ``fence``: who has the lock of an account writes in that account's
    name, else in one of his own. The broker counts who comes with a name (a ``transactional.id``), and refuses who came
    before.
    """
    topic = kafka.topic("accounts")
    with closing(KafkaEventLog(kafka, topic)) as log:
        for stream, events in opened.items():
            log.append(stream, events)
        tellers = _Tellers(kafka, topic, fence)
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
    log: KafkaEventLog


class _Tellers:
    """What both of them do, and what came of it."""

    def __init__(self, kafka: Kafka, topic: str, fence: bool) -> None:
        self._kafka, self._topic, self._fence, self._redis_url = kafka, topic, fence, redis.url()
        self.sent: list[Sent] = []
        self.answers: list[Answer] = []

    def decide(self, wish: Wish, held: ExitStack) -> _Decision:
        """Take the lock of the account, become its writer, read it, and decide. What is ``held`` is given back."""
        name = f"{self._topic}:{wish.stream}"
        lock = held.enter_context(closing(Teller("sqlite://", name, redis_url=self._redis_url, lease=_LEASE_SECONDS)))
        held.enter_context(holding(lock, nobody))
        writer = f"{wish.stream}" if self._fence else f"{wish.stream}:{wish.teller}"
        # From now on the broker refuses who had this name before.
        log = held.enter_context(closing(KafkaEventLog(self._kafka, self._topic, writer=writer)))
        events, _ = log.load(wish.stream)
        known = account(events)
        try:
            [event] = decider.decide(wish.command, known)
        except Refused:
            return _Decision(wish, len(events), known.balance, None, lock, log)
        return _Decision(wish, len(events), known.balance, event, lock, log)

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
            [position] = decided.log.append(wish.stream, [new]).positions
        except Unavailable:
            self.sent.append(Sent(written, "fail", seen=seen))
            self.serve(wish)
        else:
            self.sent.append(Sent(written, "ok", 0, position - 1, seen=seen))
            self.answers.append(Answer(wish, seen, decided.balance, "booked"))
