"""P24: a share group hands records over one by one, and takes one back while later ones are done (KIP-932)."""

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal, Protocol, Self

import pandas as pd
from confluent_kafka import Consumer, Message, TopicPartition

from eventlab.cluster import Kafka, LabError
from eventlab.cluster.groups import Groups
from eventlab.pitfalls.checkers import inversions, lost_writes
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.history import History, Sent
from eventlab.pitfalls.record import Fact, Place, Record
from eventlab.pitfalls.sharing import FROM_THE_BEGINNING, ShareMember, good, told
from eventlab.pitfalls.shoppers import interleaved, stories
from eventlab.pitfalls.topics import Writer, record

SHOPPERS = 12
FAILURES = 4
_FAILING_VERSION = 2  # of three to five: there is always one behind it
_AT_ONCE = 5  # records that a member takes at once, where two share the work
_MOST_AT_ONCE = 500  # the default: more than there are here
_PATIENCE_SECONDS = 30.0  # share groups of brokers with the default settings take ten to come together
_POLL_SECONDS = 0.1

Group = Literal["share", "classic", "consumer"]


@dataclass(frozen=True, repr=False)
class Deliveries(Result):
    """What was applied; ``deliveries``: how often each record was handed over."""

    deliveries: Mapping[Place, int] = field(default_factory=dict)

    def table(self) -> pd.DataFrame:
        """As ever, with a column ``delivery``: 1, or more for what had been handed over before."""
        return super().table().assign(delivery=[self.deliveries[each.place] for each in self.records])


def run(kafka: Kafka, *, group: Group = "share", seed: int = 7) -> Deliveries:
    """A view takes the events of carts. Of some carts it fails at the second event, once: its database is busy.

    ``group``: what the view's consumer is in. Of a share group it takes all that there is, releases what it failed at,
    and accepts the rest. Of a consumer group, whose partitions are dealt out by the ``classic`` protocol or the newer
    one called ``consumer`` (KIP-848), it goes back to what it failed at, and tries again.
    """
    facts = interleaved(stories(SHOPPERS), seed)
    fails = {fact.id: 1 for fact in Random(seed).sample(_seconds(facts), FAILURES)}  # noqa: S311 repeats, no secret
    topic, view = _written(kafka, facts), _View(fails)
    with _member(kafka, topic, kafka.group("view"), group) as member:
        view.work(member, len(facts))
    return Deliveries(History(tuple(view.applied)), inversions, PITFALL.unit, deliveries=view.deliveries)


def given_up(kafka: Kafka, *, seed: int = 7) -> Deliveries:
    """The view is in a share group, and one of the events it can never apply: it releases that one each time.

    This ends when the broker says that the group has nothing left to do. Counted are the carts of which the view never
    applied an event.
    """
    facts = interleaved(stories(SHOPPERS), seed)
    fails = {Random(seed).choice(_seconds(facts)).id: math.inf}  # noqa: S311 repeats, no secret
    topic, name, view = _written(kafka, facts), kafka.group("view"), _View(fails)
    with _member(kafka, topic, name, "share") as member, closing(Groups(kafka)) as groups:
        view.work(member, len(facts) - 1)
        deadline = _Deadline()
        while groups.look([name])[0].lag:
            deadline.check(len(view.applied), len(facts))
            view.take(member, member.poll())
    history = History(tuple(view.applied), tuple(Sent(fact, "ok") for fact in facts))
    return Deliveries(history, lost_writes, "carts have an event that nobody applied", deliveries=view.deliveries)


def side_by_side(kafka: Kafka, *, seed: int = 7) -> Deliveries:
    """Nothing fails, but two members of a share group take from the same partition, a few records each at once.

    The one that comes first is slow: it applies what it took when the other has applied all the rest.
    """
    facts = interleaved(stories(SHOPPERS), seed)
    topic, name = _written(kafka, facts, **{"batch.num.messages": 1}), kafka.group("view")
    with ExitStack() as stack:
        stack.enter_context(told(kafka, name, FROM_THE_BEGINNING))
        two = [stack.enter_context(ShareMember(kafka, topic, name, _AT_ONCE)) for _ in range(2)]
        taken: Sequence[Message] = ()
        deadline = _Deadline()
        while not taken:
            deadline.check(0, len(facts))
            slow, other = two
            taken = slow.poll()
            two.reverse()
        view = _View({})
        view.work(other, len(facts) - len(taken))
        view.take(slow, taken)
    return Deliveries(History(tuple(view.applied)), inversions, PITFALL.unit, deliveries=view.deliveries)


def _seconds(facts: Sequence[Fact]) -> list[Fact]:
    return [fact for fact in facts if fact.version == _FAILING_VERSION]


def _written(kafka: Kafka, facts: Sequence[Fact], **settings: Any) -> str:
    topic = kafka.topic("carts")
    with Writer(kafka, **settings) as shop:
        for fact in facts:
            shop.send(topic, fact, fact.key)
    return topic


class _View:
    """Applies what a member of a group is handed. At the events that ``fails`` names it fails, so many times."""

    def __init__(self, fails: Mapping[str, float]) -> None:
        self._fails = fails
        self.applied: list[Record] = []
        self.deliveries: dict[Place, int] = {}

    def work(self, member: "_Member", count: int) -> None:
        """Until it has applied so many."""
        deadline = _Deadline()
        while len(self.applied) < count:
            deadline.check(len(self.applied), count)
            self.take(member, member.poll())

    def take(self, member: "_Member", messages: Sequence[Message]) -> None:
        """Apply them, or give them back."""
        for message in messages:
            read, delivery = record(message, len(self.applied)), member.delivery(message)
            self.deliveries[read.place] = delivery
            if delivery <= self._fails.get(read.id, 0):
                member.again(message)
            else:
                self.applied.append(read)
                member.done(message)


class _Deadline:
    def __init__(self) -> None:
        self._end = time.monotonic() + _PATIENCE_SECONDS

    def check(self, got: int, count: int) -> None:
        if time.monotonic() > self._end:
            raise LabError(f"The group got {got} of {count} records within {_PATIENCE_SECONDS:g} s.")


class _Member(Protocol):
    """What a member of either kind of group has to offer."""

    def poll(self) -> Sequence[Message]: ...
    def delivery(self, message: Message) -> int: ...
    def done(self, message: Message) -> None: ...
    def again(self, message: Message) -> None: ...


@contextmanager
def _member(kafka: Kafka, topic: str, name: str, group: Group) -> Iterator[_Member]:
    if group == "share":
        with told(kafka, name, FROM_THE_BEGINNING), ShareMember(kafka, topic, name, _MOST_AT_ONCE) as member:
            yield member
    else:
        with _GroupMember(kafka, topic, name, group) as one:
            yield one


class _GroupMember:
    def __init__(self, kafka: Kafka, topic: str, name: str, protocol: str) -> None:
        settings = {"enable.auto.offset.store": False, "auto.offset.reset": "earliest", "group.protocol": protocol}
        self._consumer = Consumer(kafka.config(**{"group.id": name, **settings}))
        self._consumer.subscribe([topic])
        self._handed_over: Counter[int | None] = Counter()  # a consumer group counts nothing

    def poll(self) -> Sequence[Message]:
        found = good(filter(None, [self._consumer.poll(_POLL_SECONDS)]))
        self._handed_over.update(message.offset() for message in found)
        return found

    def delivery(self, message: Message) -> int:
        return self._handed_over[message.offset()]

    def done(self, message: Message) -> None:
        self._consumer.store_offsets(message)

    def again(self, message: Message) -> None:
        self._consumer.seek(TopicPartition(message.topic(), message.partition(), message.offset()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()  # commits


PITFALL = Pitfall(
    id="P24",
    hypothesis="A share group applies the event that failed once behind later ones of its cart.",
    workload=f"{SHOPPERS} carts on one partition, one consumer; the view fails once at an event of {FAILURES} of them",
    metric=inversions,
    unit="carts were applied out of order",
    run=run,
    broken={"group": "share"},
    cured={"group": "consumer"},
    seed=7,
    budget=15,
    brokers=1,
    sources=(
        "https://cwiki.apache.org/confluence/display/KAFKA/KIP-932%3A+Queues+for+Kafka",
        "https://aiven.io/blog/apache-kafka-share-groups-are-not-true-queues",
        "https://github.com/confluentinc/librdkafka/pull/5536",
    ),
)
