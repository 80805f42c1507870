"""P23: one event that a reader cannot read, and everything behind it waits."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Literal

import altair
import msgspec
import pandas as pd
from confluent_kafka import Consumer, Message, TopicPartition

from eventlab import show
from eventlab.cluster import Kafka, LabError
from eventlab.pitfalls.checkers import unseen
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.history import History
from eventlab.pitfalls.marks import ends
from eventlab.pitfalls.record import Fact, Record
from eventlab.pitfalls.sender import Sender
from eventlab.pitfalls.shoppers import interleaved, stories
from eventlab.pitfalls.topics import Writer, messages, record
from eventlab.show.charts import HEIGHT, WIDTH, Figure

SHOPPERS = 30
PARTITIONS = 3
ROUNDS = 5
ASIDE = PARTITIONS
"""The partition that records of the topic beside the carts' have in a result."""
_ATTEMPTS = 3  # at what it cannot read, each time the view looks for news; in real life, without end
_PATIENCE_SECONDS = 20.0
_POLL_SECONDS = 0.1
_SHOP = {"enable.idempotence": True, "max.in.flight": 1, "partitioner": "murmur2_random"}
_VIEW = {
    "enable.auto.commit": False,
    "auto.offset.reset": "error",
    "fetch.wait.max.ms": 10,  # how long the broker waits for news at the end of a partition
}

Cure = Literal["try again", "park the key", "skip"]


@dataclass(frozen=True, repr=False)
class Standstill(Result):
    """``lags``: how many events lay before the view after each round: ``round``, ``partition``, ``lag``.

    ``parked``: of which carts it keeps how many events aside.
    """

    lags: pd.DataFrame = field(default_factory=pd.DataFrame)
    parked: Mapping[str, int] = field(default_factory=dict)

    def lag(self) -> Figure:
        """A line for each partition."""
        last = self.lags[self.lags["round"] == self.lags["round"].max()]
        said = ", ".join(f"partition {row.partition} {row.lag}" for row in last.itertuples())
        alt = f"How many events lie before the view, by partition, after each round of the shop. In the end: {said}."
        base = altair.Chart(self.lags, width=WIDTH, height=HEIGHT).encode(
            x=altair.X("round:O", title="round").axis(labelAngle=0),
            y=altair.Y("lag:Q", title="lag, in events").axis(tickMinStep=1),
            color=altair.Color("partition:N").legend(orient="top"),
        )
        chart = base.mark_line() + base.mark_point(filled=True, size=70, opacity=1).encode(
            shape=altair.Shape("partition:N").legend(None)
        )
        return show.figure(chart, alt, self.lags)


def run(kafka: Kafka, *, on_unreadable: Cure = "try again", mended: bool = False, seed: int = 7) -> Standstill:
    """A new server of the shop writes one event, the second of a cart, in a form that the view has never heard of.

    The shop writes in several rounds; after each, the view takes what there is. ``on_unreadable``: it comes back to
    that event as often as it looks (a service that is restarted over and over does the same), it keeps it and all
    later events of that cart in a topic beside the carts', or it leaves the event out. ``mended``: in the evening, a
    view that knows both forms takes the place of the other.
    """
    day = interleaved(stories(SHOPPERS), seed)
    topic, poison = kafka.topic("carts", partitions=PARTITIONS), _poison(day)
    with Sender(topic, kafka.config(**_SHOP)) as shop, closing(_View(kafka, topic, on_unreadable)) as view:
        for number in range(ROUNDS):
            for fact in day[number * len(day) // ROUNDS : (number + 1) * len(day) // ROUNDS]:
                shop.send([fact], _new_form if fact == poison else Fact.encode)
            shop.flush()
            view.work(_ends(shop))
            view.note_lag(number + 1)
        if mended:
            view.mend()
            view.work(_ends(shop))
            view.take_back()
    history = History(tuple(view.applied), shop.sent, to_end=False)
    beside = ends(kafka, topic)
    return Standstill(history, unseen, PITFALL.unit, beside, pd.DataFrame(view.lags), dict(view.parked))


def _poison(day: Sequence[Fact]) -> Fact:
    """The second event of the cart that is bought first: on its partition, others go on behind that one's last."""
    first = next(fact.key for fact in day if fact.type == "CheckedOut")
    return next(fact for fact in day if (fact.key, fact.version) == (first, 2))


def _new_form(fact: Fact) -> bytes:
    return msgspec.json.encode({"schema": 2, "event": msgspec.Raw(fact.encode())})


def _ends(shop: Sender) -> Mapping[int, int]:
    """Behind what the shop knows to be written, in each partition."""
    places = [attempt.place for attempt in shop.sent if attempt.place]
    return {partition: offset + 1 for partition, offset in sorted(places)}


def _old_form(message: Message) -> Record:
    """Raises TypeError for another form: it has fields that no event has."""
    return record(message, 0)


def _either_form(message: Message) -> Record:
    try:
        return _old_form(message)
    except TypeError:
        message.set_value(bytes(msgspec.json.decode(message.value(), type=_NewForm).event))
        return _old_form(message)


class _NewForm(msgspec.Struct):
    schema: int
    event: msgspec.Raw


class _View:
    """A consumer with a committed offset for each partition, and what it has applied and put aside."""

    def __init__(self, kafka: Kafka, topic: str, on_unreadable: Cure) -> None:
        self._kafka, self._topic, self._cure = kafka, topic, on_unreadable
        self._aside, self._relay = kafka.topic("carts.parked"), Writer(kafka)
        self._next = dict.fromkeys(range(PARTITIONS), 0)
        self._consumer = Consumer(kafka.config(**{**_VIEW, "group.id": kafka.group("view")}))
        self._consumer.assign(self._at(self._next))
        self._read: Callable[[Message], Record] = _old_form
        self.applied: list[Record] = []
        self.parked: Counter[str] = Counter()
        self.lags: list[dict[str, int]] = []

    def _at(self, offsets: Mapping[int, int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, partition, offset) for partition, offset in offsets.items()]

    def work(self, ends: Mapping[int, int]) -> None:
        """Take what there is up to ``ends``, and commit. A partition that it cannot get on with it leaves for now."""
        tries: Counter[int] = Counter()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while any(self._next[number] < end and tries[number] < _ATTEMPTS for number, end in ends.items()):
            if time.monotonic() > deadline:
                raise LabError(f"The view did not get what the shop wrote within {_PATIENCE_SECONDS:g} s.")
            message = self._consumer.poll(_POLL_SECONDS)
            if message is None:
                continue
            if error := message.error():
                raise LabError(f"The view could not read {self._topic}: {error.str()}.")
            if self._gets_past(message):
                self._next[message.partition()] = message.offset() + 1
            else:
                tries[message.partition()] += 1
                self._consumer.seek(*self._at({message.partition(): message.offset()}))
        self._relay.flush()  # first: what is committed is not read again
        self._consumer.commit(offsets=self._at(self._next), asynchronous=False)

    def _gets_past(self, message: Message) -> bool:
        key = message.key().decode()  # which can be read, whatever the value is
        try:
            read = self._read(message)
        except TypeError:
            if self._cure == "park the key":
                self._park(message, key)
            return self._cure != "try again"
        if key in self.parked:
            self._park(message, key)
        else:
            self._apply(read)
        return True

    def _park(self, message: Message, key: str) -> None:
        self._relay.forward(message, self._aside)
        self.parked[key] += 1

    def mend(self) -> None:
        """From now on it can read both forms."""
        self._read = _either_form

    def take_back(self) -> None:
        """Apply what was put aside, in its order; its carts are free again."""
        for message in messages(self._kafka, self._aside):
            self._apply(replace(self._read(message), partition=ASIDE))
        self.parked.clear()

    def _apply(self, read: Record) -> None:
        self.applied.append(replace(read, order=len(self.applied)))

    def note_lag(self, round_: int) -> None:
        """What the brokers say of it now."""
        for committed in self._consumer.committed(self._at(self._next), _PATIENCE_SECONDS):
            _, end = self._consumer.get_watermark_offsets(committed, _PATIENCE_SECONDS)
            self.lags.append({"round": round_, "partition": committed.partition, "lag": end - committed.offset})

    def close(self) -> None:
        """Leave."""
        self._consumer.close()
        self._relay.close()


PITFALL = Pitfall(
    id="P23",
    hypothesis="Behind one event that a view cannot read, its partition stands still, and the lag grows.",
    workload=f"{SHOPPERS} carts on {PARTITIONS} partitions, and one event in a form that the view does not know",
    metric=unseen,
    unit="carts have events that the view never came to",
    run=run,
    broken={"on_unreadable": "try again"},
    cured={"on_unreadable": "park the key"},
    seed=7,
    budget=10,
    brokers=1,
    sources=(
        "https://github.com/spring-projects/spring-kafka/issues/1287",
        "https://github.com/vert-x3/vertx-kafka-client/issues/220",
        "https://github.com/IBMStreams/streamsx.kafka/issues/65",
        "https://github.com/AxonIQ/AxonFramework/issues/2021",
    ),
)
