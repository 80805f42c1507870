"""P32: a writer that was taken for dead wakes up, and goes on beside the one that took its place."""

from collections.abc import Iterable
from typing import Literal

from eventlab.cluster import Kafka
from eventlab.pitfalls.actors import Actor, Step
from eventlab.pitfalls.checkers import conflicting_versions
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.shard import close_month, opened
from eventlab.pitfalls.topics import Writer, await_stable, read

ACCOUNTS = 20
_BOOKED_BEFORE = 10  # accounts that the first writer has done when it stops
_BOOKED_MEANWHILE = 5  # accounts that the second has done when the first wakes up


def run(
    kafka: Kafka, *, transactional_id: Literal["per process", "per shard"] = "per process", seed: int = 7
) -> Result:
    """A process closes the month of 20 accounts and stops in the middle (SIGSTOP). Another takes over; it goes on.

    ``transactional_id``: each process has its own, or it belongs to the shard and whoever writes that has it.
    ``seed`` is what every pitfall takes: here nothing is left to chance.
    """
    topic = kafka.topic("accounts")
    with Writer(kafka) as bank:
        for number in range(1, ACCOUNTS + 1):
            bank.send(topic, fact := opened(number), fact.key)
    shard = kafka.name("shard")
    ids = {"per process": (f"{shard}-1", f"{shard}-2"), "per shard": (shard, shard)}[transactional_id]
    writers = [
        Actor(close_month, topic=topic, config=kafka.config(**{"transactional.id": id_}), writer=f"writer {number}")
        for number, id_ in enumerate(ids, start=1)
    ]
    with writers[0] as first:
        first.until("booked", times=_BOOKED_BEFORE)
        first.pause()
        await_stable(kafka, topic)
        with writers[1] as second:
            second.until("booked", times=_BOOKED_MEANWHILE)
            first.resume()
            first.finish()
            second.finish()
    await_stable(kafka, topic)
    return PITFALL.result(read(kafka, topic), [*_sent(first.steps), *_sent(second.steps)])


def _sent(steps: Iterable[Step]) -> list[Sent]:
    """What a writer decided on: booked, with its offset, or certainly not, since it was refused."""
    facts = [Fact(**fact) for step in steps if step.name == "decided" for fact in step.what["facts"]]
    offsets = [offset for step in steps if step.name == "booked" for offset in step.what["offsets"]]
    return [
        Sent(fact, "ok", 0, offsets[place]) if place < len(offsets) else Sent(fact, "fail")
        for place, fact in enumerate(facts)
    ]


PITFALL = Pitfall(
    id="P32",
    hypothesis="A writer that was paused and replaced goes on when it wakes up, and two write the same accounts.",
    workload=f"{ACCOUNTS} accounts, one writer at a time; the first stands still, the second takes over",
    metric=conflicting_versions,
    unit="accounts have two events with the same version",
    run=run,
    broken={"transactional_id": "per process"},
    cured={"transactional_id": "per shard"},
    seed=7,
    budget=15,
    brokers=1,
    sources=(
        "https://github.com/apache/iceberg/pull/18039",
        "https://github.com/spring-attic/spring-cloud-stream-binder-kafka/issues/655",
        "https://github.com/strimzi/strimzi.github.io/pull/362",
    ),
)
