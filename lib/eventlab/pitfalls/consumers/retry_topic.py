"""P18: an event that is put aside, to be tried again, is applied behind later ones of its entity."""

from dataclasses import replace
from random import Random
from typing import Literal

from eventlab.cluster import Kafka
from eventlab.pitfalls.checkers import inversions
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.record import Record
from eventlab.pitfalls.sender import Sender
from eventlab.pitfalls.shoppers import interleaved, stories
from eventlab.pitfalls.topics import Writer, read

SHOPPERS = 20
FAILURES = 6
_FAILING_VERSION = 2  # of three to five: there is always one behind it
ASIDE = 1
"""The partition that records of the topic beside the carts' have in a result; the carts' own is 0."""
_IN_ORDER = {"enable.idempotence": True, "max.in.flight": 1}  # as the experiments' other producers have it


def run(
    kafka: Kafka, *, on_failure: Literal["retry topic", "park the key", "dead letters"] = "retry topic", seed: int = 7
) -> Result:
    """A view takes the events of carts. At the second event of some carts it fails, once: the stock does not answer.

    ``on_failure``: what becomes of that event. ``retry topic``: it goes into a topic beside the carts', and the view
    goes on; when it has caught up, it takes what is in there. ``park the key``: so does every later event of that cart.
    ``dead letters``: nobody takes what is in there, until somebody looks.
    """
    facts = interleaved(stories(SHOPPERS), seed)
    seconds = [fact.id for fact in facts if fact.version == _FAILING_VERSION]
    view = _View(set(Random(seed).sample(seconds, FAILURES)))  # noqa: S311 a choice that repeats, not a secret
    topic, aside = kafka.topic("carts"), kafka.topic("carts.aside")
    with Sender(topic, kafka.config(**_IN_ORDER)) as shop:
        shop.send(facts)
        shop.flush()
    parked: set[str] = set()
    with Writer(kafka) as relay:
        for record in read(kafka, topic):
            if record.key in parked or not view.takes(record):
                relay.send(aside, record.fact, record.key)
                if on_failure == "park the key":
                    parked.add(record.key)
    if on_failure != "dead letters":
        for record in read(kafka, aside):
            view.takes(replace(record, partition=ASIDE))
    return PITFALL.result(view.applied, shop.sent)


class _View:
    def __init__(self, fails: set[str]) -> None:
        self._fails = fails
        self.applied: list[Record] = []

    def takes(self, record: Record) -> bool:
        """Whether it could apply the record: each of those that fail does so the first time."""
        if record.id in self._fails:
            self._fails.remove(record.id)
            return False
        self.applied.append(replace(record, order=len(self.applied)))
        return True


PITFALL = Pitfall(
    id="P18",
    hypothesis="An event that goes through a retry topic is applied behind later events of its cart.",
    workload=f"{SHOPPERS} carts on one partition; the view fails once at the second event of {FAILURES} of them",
    metric=inversions,
    unit="carts were applied out of order",
    run=run,
    broken={"on_failure": "retry topic"},
    cured={"on_failure": "park the key"},
    seed=7,
    budget=5,
    brokers=1,
    sources=(
        "https://docs.spring.io/spring-kafka/reference/retrytopic/how-the-pattern-works.html",
        "https://github.com/spring-projects/spring-kafka/issues/920",
        "https://github.com/AxonIQ/AxonFramework/issues/2021",
        "https://github.com/RegioHelden/django-kafka/issues/45",
    ),
)
