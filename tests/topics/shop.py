"""Carts in a topic, and what a view of them has to show."""

from random import Random

from tests.views.shop import added, bought, cart, carts, expected, gone, removed, shown

from eventlab.events.envelope import Recorded
from eventlab.store import KafkaEventLog
from eventlab.topics import Database

CARTS = [cart(number) for number in range(12)]


def write(log: KafkaEventLog, seed: int, appends: int) -> None:
    """A seeded history over a dozen carts, in appends of some events each."""
    random = Random(seed)
    for _ in range(appends):
        kinds = random.choices([added, removed, gone, bought], [6, 3, 1, 1], k=random.randint(1, 8))
        log.append(random.choice(CARTS), [kind() for kind in kinds])


def everywhere(log: KafkaEventLog) -> None:
    """An event in each partition."""
    for stream in {log.partition(stream): stream for stream in CARTS}.values():
        log.append(stream, [added()])


def story(log: KafkaEventLog) -> list[Recorded]:
    """All events, stream by stream, as a fresh reader of the topic finds them."""
    return [recorded for stream in CARTS for recorded in log.read(stream)]


def ends(log: KafkaEventLog) -> dict[int, int]:
    """By partition, the offset behind the last event."""
    last: dict[int, int] = {}
    for recorded in story(log):
        partition = log.partition(recorded.stream)
        last[partition] = max(last.get(partition, 0), recorded.position)
    return last


def holds(home: Database, log: KafkaEventLog) -> None:
    """The view of carts shows what the events say: nothing missing, nothing twice, in order."""
    assert shown(home, carts) == expected(carts, story(log))
