"""Those who write: accounts, each with one writer, who books as fast as the cluster takes it."""

from collections.abc import Callable, Iterator, Sequence
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


def bookings(writer: int, seed: int, page: int) -> Iterator[Sequence[Fact]]:
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
    """With the library's log. What is not acknowledged is looked for, and written again when it is not there.

    An event that is written again has the id that it had, so that whoever finds it twice knows it.
    """
    log = KafkaEventLog(proxy, topic, TypeRegistry([Fact]))
    sent: list[Sent] = []
    try:
        for page in bookings(number, seed, _FEW):
            stream = StreamId.parse(page[0].key)
            left = [NewEvent(fact) for fact in page]
            while left and not stop.is_set():
                attempts, sure = _append(log, stream, left)
                sent += attempts
                left = [] if sure else _missing(log, stream, left, stop)
            if stop.is_set():
                return sent
    finally:
        log.close()
    raise AssertionError("unreachable: bookings do not end")


def _append(log: KafkaEventLog, stream: StreamId, page: Sequence[NewEvent]) -> tuple[list[Sent], bool]:
    facts = [new.event for new in page if isinstance(new.event, Fact)]
    try:
        places = log.append(stream, page).positions
    except Unavailable:
        return [Sent(fact, "unknown") for fact in facts], False
    partition = log.partition(stream)
    return [Sent(fact, "ok", partition, place - 1) for fact, place in zip(facts, places, strict=True)], True


def _missing(log: KafkaEventLog, stream: StreamId, page: Sequence[NewEvent], stop: Event) -> list[NewEvent]:
    """What of ``page`` the log does not hold; asks until there is an answer."""
    while not stop.is_set():
        try:
            there = {each.id for each in log.read(stream)}
        except Unavailable:
            continue
        return [new for new in page if new.id not in there]
    return []


def careless(proxy: FaultProxy, topic: str, number: int, seed: int, stop: Event) -> Sequence[Sent]:
    """With a producer as many have it: nobody waits for an acknowledgement, or looks at what could not be delivered."""
    with Sender(topic, proxy.config(**_CARELESS)) as sender:
        for page in bookings(number, seed, _PAGE):
            sender.send(page)
            sender.settle(0)
            if stop.wait(_BREATH_SECONDS):
                sender.flush(_PATIENCE_SECONDS)
                return sender.sent
    raise AssertionError("unreachable: bookings do not end")
