"""P27: ``acks=all`` with ``min.insync.replicas=1``: all that are in sync may be one, and that one may die."""

from typing import Literal

from eventlab.cluster import Kafka
from eventlab.cluster.health import healthy
from eventlab.cluster.watch import Watch
from eventlab.pitfalls.checkers import inconsistent_offsets
from eventlab.pitfalls.experiment import Pitfall
from eventlab.pitfalls.failover import Failover, copies
from eventlab.pitfalls.history import History
from eventlab.pitfalls.payments import payments
from eventlab.pitfalls.sender import Sender
from eventlab.pitfalls.topics import read

PAYMENTS = 100
_ALONE = slice(20, 60)  # the payments that come while a follower stands still
_REFUSED_SECONDS = 1.0  # how long the shop waits for answers then: those that come, come at once
_FAILOVER_SECONDS = 60.0


def run(
    kafka: Kafka,
    *,
    in_sync: Literal["1 of 2", "2 of 3", "2 of 2"] = "1 of 2",
    unclean: bool = True,
    seed: int = 7,
) -> Failover:
    """A follower stands still until it counts as out of sync; payments go on; the leader dies, the follower wakes up.

    The shop asks for ``acks=all``. ``in_sync``: ``min.insync.replicas`` of so many copies. ``unclean``: whether a copy
    that is out of sync may lead when no other is left.
    """
    least, replicas = map(int, in_sync.split(" of "))
    topic = kafka.topic(
        "payments",
        replication=replicas,
        min_insync_replicas=least,
        unclean_leader_election_enable=str(unclean).lower(),
    )
    facts = payments(PAYMENTS, seed)
    with Watch(kafka, topic) as watch, healthy(kafka), Sender(topic, kafka.config(acks="all")) as shop:
        leader, [slow, *_] = copies(kafka, watch)
        shop.send(facts[: _ALONE.start])
        shop.flush()
        slow.pause()
        watch.until(lambda sample: slow.id not in sample.in_sync)
        shop.send(facts[_ALONE])
        refused = shop.settle(_REFUSED_SECONDS)
        watch.note(f"{len(shop.sent) - refused} acknowledged")
        leader.kill()
        slow.resume()
        watch.until(lambda sample: sample.led)
        shop.send(facts[_ALONE.stop :])
        leader.restart()
        shop.flush(_FAILOVER_SECONDS)
        watch.note(f"{sum(attempt.status == 'ok' for attempt in shop.sent)} acknowledged")
    history = History(read(kafka, topic), shop.sent)
    return Failover(history, inconsistent_offsets, PITFALL.unit, timeline=watch.timeline)


PITFALL = Pitfall(
    id="P27",
    hypothesis="With acks=all and one copy in sync, an offset that was acknowledged comes to hold another payment.",
    workload=f"{PAYMENTS} payments with acks=all; a follower falls out of sync, then the leader is killed",
    metric=inconsistent_offsets,
    unit="payments lie at an offset that was acknowledged for another one",
    run=run,
    broken={"in_sync": "1 of 2"},
    cured={"in_sync": "2 of 3"},
    seed=7,
    budget=30,
    brokers=3,
    sources=(
        "https://github.com/apache/kafka/pull/9533",
        "https://github.com/kubedb/docs/pull/1037",
        "https://github.com/Yolean/kubernetes-kafka/issues/116",
        "https://cwiki.apache.org/confluence/display/KAFKA/KIP-966%3A+Eligible+Leader+Replicas",
    ),
)
