"""Those who write: accounts, each with one writer, who books as fast as the cluster takes it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import count
from random import Random
from threading import Event

from eventlab.cluster.proxy import FaultProxy
from eventlab.domain.money import Money
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.events.registry import TypeRegistry
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.sender import Sender
from eventlab.store import KafkaEventLog, Unavailable

PARTITIONS = 3  # each broker leads one

_ACCOUNTS = 5  # of each writer
# Bookings that a writer hands over together. The careless have so many that they go in several requests.
_FEW, _PAGE = 5, 20
_CENTS = (100, 50_000)
_REGISTRY = TypeRegistry([Fact])
_CARELESS = {
    "acks": "1",
    "enable.idempotence": False,  # librdkafka's default, and with it up to a million requests in flight
    "linger.ms": 0,  # several requests for a page, on their way together
    "batch.num.messages": 5,
}

_PATIENCE_SECONDS = 120.0
# As much as the careful ones get done: this is about what becomes of the bookings, not about how many they are.
_BREATH_SECONDS = 0.4

Writer = Callable[[FaultProxy, str, int, int, Event], Sequence[Sent]]
"""``(proxy, topic, number, seed, stop)``: write until ``stop`` is set; what was sent, and what is known of it."""


def bookings(writer: str, seed: int, page: int) -> Iterator[Sequence[Fact]]:
    """Pages of so many of one account's bookings, without end; an account's versions go on from page to page."""
    chance = Random(f"{seed} {writer}")  # noqa: S311 bookings that repeat, not secrets
    versions = [0] * _ACCOUNTS
    while True:
        account = chance.randrange(_ACCOUNTS)
        first = versions[account] + 1
        versions[account] += page
        yield [
            Fact(f"account-{writer}.{account}", version, "Deposited", str(Money(amount, "EUR")), f"writer {writer}")
            for version, amount in enumerate((chance.randint(*_CENTS) for _ in range(page)), first)
        ]


def careful(proxy: FaultProxy, topic: str, number: int, seed: int, stop: Event) -> Sequence[Sent]:
    """With the library's log; of two writers one has a name."""
    return (_by_name if number % 2 else _nameless)(proxy, topic, f"{number}", seed, stop)


def _by_name(proxy: FaultProxy, topic: str, writer: str, seed: int, stop: Event) -> list[Sent]:
    """What got no answer is looked for in the log, opened again, and written again when it is not there."""
    sent: list[Sent] = []
    log: KafkaEventLog | None = None
    for page in bookings(writer, seed, _FEW):
        stream, events, done = StreamId.parse(page[0].key), [NewEvent(fact) for fact in page], False
        while not done and not stop.is_set():
            try:
                if log is None:
                    log = KafkaEventLog(proxy, topic, _REGISTRY, writer=writer)
                    done = any(each.id == events[0].id for each in log.read(stream))
                if not done:
                    _append(log, stream, page, events, sent)
                    done = True
            except Unavailable:
                if log is not None:
                    log.close()
                log = None
        if stop.is_set():
            break
    if log is not None:
        log.close()
    return sent


def _nameless(proxy: FaultProxy, topic: str, writer: str, seed: int, stop: Event) -> list[Sent]:
    """As the library's log is without more. What got no answer stays so, and the writer goes on with new accounts."""
    sent: list[Sent] = []
    with closing(KafkaEventLog(proxy, topic, _REGISTRY)) as log:
        for attempt in count():
            for page in bookings(f"{writer}-{attempt}", seed, _FEW):
                if stop.is_set():
                    return sent
                try:
                    _append(log, StreamId.parse(page[0].key), page, [NewEvent(fact) for fact in page], sent)
                except Unavailable:
                    break
    raise AssertionError("unreachable: attempts do not end")


def _append(
    log: KafkaEventLog, stream: StreamId, page: Sequence[Fact], events: Sequence[NewEvent], sent: list[Sent]
) -> None:
    """Note in ``sent`` what becomes of ``page``. Raises Unavailable when that is unknown."""
    try:
        places = log.append(stream, events).positions
    except Unavailable:
        sent += [Sent(fact, "unknown") for fact in page]
        raise
    partition = log.partition(stream)
    sent += [Sent(fact, "ok", partition, place - 1) for fact, place in zip(page, places, strict=True)]


def careless(proxy: FaultProxy, topic: str, number: int, seed: int, stop: Event) -> Sequence[Sent]:
    """With a producer as many have it: nobody waits for an acknowledgement, or looks at what could not be delivered."""
    with Sender(topic, proxy.config(**_CARELESS)) as sender:
        for page in bookings(f"{number}", seed, _PAGE):
            sender.send(page)
            sender.settle(0)
            if stop.wait(_BREATH_SECONDS):
                sender.flush(_PATIENCE_SECONDS)
                return sender.sent
    raise AssertionError("unreachable: bookings do not end")
