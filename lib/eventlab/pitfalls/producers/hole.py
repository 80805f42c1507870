"""P8: an event that was never delivered, and nobody looked: a hole in the story of its cart."""

from typing import Literal

from eventlab.cluster import Kafka
from eventlab.cluster.proxy import FaultProxy, Frames
from eventlab.pitfalls import job
from eventlab.pitfalls.actors import Actor
from eventlab.pitfalls.checkers import version_gaps
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.history import History, Sent
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.sender import Sender
from eventlab.pitfalls.shoppers import interleaved, stories
from eventlab.pitfalls.topics import read

SHOPPERS = 20
_OUTAGE = slice(25, 45)  # the events that the shop hands over while the network is out of order
_IDEMPOTENT = {"enable.idempotence": True}  # which is no help here
# By default five minutes. Its request waits for the last event of the outage, so that there is one.
_HASTY = {"message.timeout.ms": 500, "linger.ms": 200}


def run(
    kafka: Kafka,
    *,
    on_failure: Literal["go on", "start again"] = "go on",
    network: Literal["down", "late"] = "down",
    seed: int = 7,
) -> Result:
    """Shoppers fill and buy their carts; for a while the network is out of order, for longer than the producer tries.

    ``on_failure``: what the shop does about the events of which it was told that they are not delivered. It goes on to
    the next, or it stops and starts again with the first of them. ``network``: it is down, or it brings everything, but
    after the producer has given up.
    """
    topic = kafka.topic("carts")
    facts = interleaved(stories(SHOPPERS), seed)
    before, during, after = facts[: _OUTAGE.start], facts[_OUTAGE], facts[_OUTAGE.stop :]
    with (
        FaultProxy(kafka) as proxy,
        Sender(topic, proxy.config(**_IDEMPOTENT)) as shop,
        Sender(topic, proxy.config(**_IDEMPOTENT, **_HASTY)) as hasty,  # the shop, with less patience for the outage
    ):
        shop.send(before)
        shop.flush()
        outage = (proxy.cut if network == "down" else proxy.hold)(Frames("Produce"))
        hasty.send(during)
        hasty.flush()
        answered = proxy.watch(Frames("Produce", "response"))
        outage.release()
        if network == "late":
            answered.wait()
        if on_failure == "start again":
            shop.send([attempt.fact for attempt in hasty.sent if attempt.status != "ok"])
        shop.send(after)
        shop.flush()
    sent = (*shop.sent[: len(before)], *hasty.sent, *shop.sent[len(before) :])
    return PITFALL.result(read(kafka, topic), sent)


def ending(kafka: Kafka, *, flush: bool = False, seed: int = 7) -> Result:
    """A job hands over all events of the day, in a process of its own, and ends. Counted are the carts that miss one.

    ``flush``: whether it waits for the producer first, which fills its requests for up to a second (``linger.ms``).
    """
    topic = kafka.topic("carts")
    facts = interleaved(stories(SHOPPERS), seed)
    events = [(fact.key, fact.encode().decode()) for fact in facts]
    config = kafka.config(**{"linger.ms": 1000, "log_level": 0})
    with Actor(job.hand_over, topic=topic, config=config, events=events, flush=flush) as process:
        process.finish()
    sent = [Sent(fact, "ok" if flush else "unknown") for fact in facts]
    return Result(History(read(kafka, topic), tuple(sent)), _missing, "carts miss an event that was handed over")


def _missing(history: History) -> list[Fact]:
    return [attempt.fact for attempt in history.sent if attempt.fact not in history.places]


PITFALL = Pitfall(
    id="P8",
    hypothesis="An event that was handed over to the producer, and acknowledged to nobody, is missing for ever.",
    workload=f"{SHOPPERS} shoppers at the same time, one producer that gives up on an event before the network is back",
    metric=version_gaps,
    unit="carts have a hole in their story",
    run=run,
    broken={"on_failure": "go on"},
    cured={"on_failure": "start again"},
    seed=7,
    budget=10,
    brokers=1,
    sources=(
        "https://github.com/confluentinc/librdkafka/issues/3635",
        "https://github.com/dpkp/kafka-python/pull/1553",
        "https://github.com/fluent/fluent-bit/issues/4939",
    ),
)
