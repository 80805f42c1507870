"""P10: a transaction that is left open stops every reader."""

from confluent_kafka.admin import ConfigResource

from eventlab.cluster import Kafka
from eventlab.pitfalls.checkers import unseen
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.history import Sent
from eventlab.pitfalls.marks import marks
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.shoppers import interleaved, stories
from eventlab.pitfalls.topics import Writer, await_stable, read
from eventlab.pitfalls.transactions import Teller

SHOPPERS = 20
DEFAULT_MS, SHORT_MS = 60_000, 1_000  # the former is what librdkafka and Java ask for unless told otherwise
_PRICES = Fact("price-list", 1, "PricesChanged", "new prices", "prices")
_SWEEP = "transaction.abort.timed.out.transaction.cleanup.interval.ms"
_LEEWAY_SECONDS = 1.0
_ANSWER_SECONDS = 10.0


def run(kafka: Kafka, *, transaction_timeout_ms: int = DEFAULT_MS, seed: int = 7) -> Result:
    """Shoppers fill their carts. A price service opens a transaction, writes one record to their partition, and hangs.

    ``transaction_timeout_ms``: after how long the broker may end a transaction by itself. The shop uses none, and goes
    on selling. Its reader comes a little later than a transaction of ``SHORT_MS`` can last.
    """
    topic = kafka.topic("carts")
    events = interleaved(stories(SHOPPERS), seed)
    config = {"transactional.id": kafka.name("prices"), "transaction.timeout.ms": transaction_timeout_ms}
    with Writer(kafka) as shop, Teller(kafka.config(**config)) as prices:
        for number, fact in enumerate(events):
            if number == len(events) // 2:
                shop.flush()
                prices.begin()
                prices.send(topic, _PRICES, partition=0, transaction="prices")
            shop.send(topic, fact, fact.key)
        shop.flush()
        ended = await_stable(kafka, topic, SHORT_MS / 1000 + _sweep_seconds(kafka) + _LEEWAY_SECONDS)
        seen, beside = read(kafka, topic), marks(kafka, topic)
    return PITFALL.result(seen, [Sent(fact, "ok") for fact in events], to_end=ended, marks=beside)


def _sweep_seconds(kafka: Kafka) -> float:
    """How often the coordinators look for transactions that last too long: the lab's do so sooner than others."""
    one, *_ = kafka.admin.list_topics(timeout=_ANSWER_SECONDS).brokers
    resource = ConfigResource(ConfigResource.Type.BROKER, str(one))
    settings = kafka.admin.describe_configs([resource])[resource].result(_ANSWER_SECONDS)
    return int(settings[_SWEEP].value) / 1000


PITFALL = Pitfall(
    id="P10",
    hypothesis="As long as one transaction is open, a reader of committed records gets no further than where it began.",
    workload=f"{SHOPPERS} carts, half of whose events come behind the record of a transaction that nobody ends",
    metric=unseen,
    unit="carts have acknowledged events that the reader does not get",
    run=run,
    broken={"transaction_timeout_ms": DEFAULT_MS},
    cured={"transaction_timeout_ms": SHORT_MS},
    seed=7,
    budget=15,
    brokers=1,
    sources=(
        "https://cwiki.apache.org/confluence/display/KAFKA/KIP-664%3A+Provide+tooling+to+detect+and+abort+hanging+transactions",
        "https://github.com/twmb/franz-go/pull/928",
        "https://github.com/softwaremill/klag-exporter/issues/104",
    ),
)
