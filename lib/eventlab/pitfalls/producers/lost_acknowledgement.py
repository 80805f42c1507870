"""P6: the request arrived, its acknowledgement did not, and the producer sends again."""

from eventlab.cluster import Kafka
from eventlab.cluster.proxy import FaultProxy, Frames
from eventlab.pitfalls.checkers import duplicates
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.sender import Sender
from eventlab.pitfalls.shoppers import interleaved, stories
from eventlab.pitfalls.topics import read

SHOPPERS = 32  # who make 120 facts
# One request after the other: those behind the lost answer would be doubled as well, which shows nothing new. They wait
# until they are full, or for longer than it takes to hand over all facts.
_FOUR_REQUESTS = {"batch.num.messages": 30, "linger.ms": 200, "max.in.flight": 1}


def run(kafka: Kafka, *, idempotent: bool = False, seed: int = 7) -> Result:
    """Shoppers fill and buy their carts; the connection ends before the second acknowledgement has arrived.

    ``idempotent``: ``enable.idempotence``, off in librdkafka by default.
    """
    topic = kafka.topic("carts")
    with FaultProxy(kafka) as proxy:
        proxy.cut(Frames("Produce", "response", nth=2))
        with Sender(topic, proxy.config(**_FOUR_REQUESTS, **{"enable.idempotence": idempotent})) as shop:
            shop.send(interleaved(stories(SHOPPERS), seed))
            shop.flush()
    return PITFALL.result(read(kafka, topic), shop.sent)


PITFALL = Pitfall(
    id="P6",
    hypothesis="A connection that ends at the wrong moment doubles events which the shop sent once.",
    workload=f"{SHOPPERS} shoppers at the same time, one producer, one partition, four requests",
    metric=duplicates,
    unit="carts have an event twice",
    run=run,
    broken={"idempotent": False},
    cured={"idempotent": True},
    seed=7,
    budget=10,
    brokers=1,
    sources=(
        "https://github.com/IBM/sarama/issues/1965",
        "https://github.com/confluentinc/confluent-kafka-python/issues/1188",
        "https://github.com/confluentinc/librdkafka/issues/4953",
    ),
)
