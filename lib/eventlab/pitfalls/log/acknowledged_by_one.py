"""P26: ``acks=1``: what only the leader has, and has acknowledged, is lost with the leader."""

from typing import Literal

from eventlab.cluster import Kafka
from eventlab.cluster.health import healthy
from eventlab.cluster.watch import Watch
from eventlab.pitfalls.checkers import lost_writes
from eventlab.pitfalls.experiment import Pitfall
from eventlab.pitfalls.failover import Failover, await_copied, copies
from eventlab.pitfalls.history import History
from eventlab.pitfalls.payments import payments
from eventlab.pitfalls.sender import Sender
from eventlab.pitfalls.topics import read

PAYMENTS = 100
_LAG = slice(20, 80)  # the payments that come while the followers stand still
# How long the shop waits for the answer to a payment before it takes the next one. One by one, since a follower that is
# paused has asked the leader before: the first answer still reaches its socket.
_NEXT_SECONDS = 0.02
_FAILOVER_SECONDS = 60.0


def run(kafka: Kafka, *, acks: Literal["1", "all"] = "1", seed: int = 7) -> Failover:
    """Payments go to a topic with three copies. Both followers stand still for a second, and then the leader dies.

    ``acks``: whether the leader says yes when it has a payment itself, or when all copies in sync have it.
    """
    topic = kafka.topic("payments", replication=3, min_insync_replicas=2)
    facts = payments(PAYMENTS, seed)
    with Watch(kafka, topic) as watch, healthy(kafka), Sender(topic, kafka.config(acks=acks)) as shop:
        leader, followers = copies(kafka, watch)
        shop.send(facts[: _LAG.start])
        shop.flush()
        await_copied(kafka, topic, _LAG.start)
        for follower in followers:
            follower.pause()
        for fact in facts[_LAG]:
            shop.send([fact])
            shop.settle(_NEXT_SECONDS)
        watch.note(f"{sum(attempt.status == 'ok' for attempt in shop.sent)} acknowledged")
        leader.kill()
        for follower in followers:
            follower.resume()
        shop.send(facts[_LAG.stop :])
        shop.flush(_FAILOVER_SECONDS)
        watch.note(f"{sum(attempt.status == 'ok' for attempt in shop.sent)} acknowledged")
    history = History(read(kafka, topic), shop.sent)
    return Failover(history, lost_writes, PITFALL.unit, timeline=watch.timeline)


PITFALL = Pitfall(
    id="P26",
    hypothesis="With acks=1 a payment is acknowledged and lost, when the leader dies before it was copied.",
    workload=f"{PAYMENTS} payments, three copies; the followers stand still for a second, then the leader is killed",
    metric=lost_writes,
    unit="acknowledged payments are lost",
    run=run,
    broken={"acks": "1"},
    cured={"acks": "all"},
    seed=7,
    budget=30,
    brokers=3,
    sources=(
        "https://github.com/apache/kafka/pull/22233",
        "https://github.com/hoangdaochuz/booking/issues/49",
        "https://github.com/fyndiq/confluent_kafka_helpers/issues/4",
        "https://github.com/edenhill/kcat/issues/38",
    ),
)
