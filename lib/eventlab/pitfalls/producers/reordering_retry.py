"""P5: a request that failed is sent again, behind those that were already under way."""

from random import Random

from eventlab.cluster import Kafka
from eventlab.cluster.proxy import FaultProxy, Frames
from eventlab.pitfalls.checkers import inversions
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.sender import Sender
from eventlab.pitfalls.shoppers import stories
from eventlab.pitfalls.topics import read

SHOPPERS = 20
FAILURES = 6
_EACH_ITS_OWN = {
    "batch.num.messages": 1,  # each event its own request, several of which are under way at once
    "linger.ms": 0,
    "reconnect.backoff.ms": 10,  # only so that it takes less time
    "retry.backoff.ms": 10,
}


def run(kafka: Kafka, *, idempotent: bool = False, seed: int = 7) -> Result:
    """Phones that were offline hand in their carts, one after the other; in some, the broker fails at the second event.

    The proxy takes that request out. Once the broker has answered those behind it, the connection ends, and the
    producer sends again what got no answer. ``idempotent``: ``enable.idempotence``, off in librdkafka by default.
    """
    topic = kafka.topic("carts")
    struck = Random(seed).sample(range(SHOPPERS), FAILURES)  # noqa: S311 a choice that repeats, not a secret
    config = {**_EACH_ITS_OWN, "enable.idempotence": idempotent}
    with FaultProxy(kafka) as proxy, Sender(topic, proxy.config(**config)) as shop:
        for number, story in enumerate(stories(SHOPPERS)):
            if number in struck:
                lost = proxy.drop(Frames("Produce", nth=2))
                answered = proxy.watch(Frames("Produce", "response"))
                shop.send(story)
                answered.wait(times=len(story) - 1)
                lost.release()
                proxy.disconnect()
            else:
                shop.send(story)
            shop.flush()
    return PITFALL.result(read(kafka, topic), shop.sent)


PITFALL = Pitfall(
    id="P5",
    hypothesis="A retry puts an older event behind younger ones, on one partition and with the right key.",
    workload=f"{SHOPPERS} carts of three to five events, one producer, one partition; {FAILURES} requests fail once",
    metric=inversions,
    unit="carts were read out of order",
    run=run,
    broken={"idempotent": False},
    cured={"idempotent": True},
    seed=7,
    budget=10,
    brokers=1,
    sources=(
        "https://github.com/confluentinc/librdkafka/issues/623",
        "https://github.com/apache/kafka/pull/10690",
        "https://github.com/confluentinc/librdkafka/issues/1092",
    ),
)
