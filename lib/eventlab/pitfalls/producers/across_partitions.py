"""P1: there is no order across partitions."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Literal

from eventlab.cluster import Kafka
from eventlab.pitfalls.checkers import causal_inversions
from eventlab.pitfalls.experiment import Pitfall, Result
from eventlab.pitfalls.record import Fact
from eventlab.pitfalls.topics import Writer, read

ORDERS = 40
_BETWEEN_ORDERS = timedelta(milliseconds=20)
_ANSWER = range(10, 200)  # milliseconds from an order to its reservation, spread evenly
_WAREHOUSE_CLOCK = timedelta(milliseconds=-40)  # slow against the shop's; NTP over the Internet is no better


def run(kafka: Kafka, *, key: Literal["reservation", "order"] = "reservation", seed: int = 7) -> Result:
    """The shop places orders, the warehouse reserves stock for each as soon as it is acknowledged.

    ``key``: by what the warehouse keys its records, its own number or the order's. The shop keys by order.
    """
    topic = kafka.topic("orders", partitions=2, message_timestamp_type="CreateTime")
    with Writer(kafka) as shop, Writer(kafka) as warehouse:
        for at, number, fact in _day(seed):
            if fact.producer == "shop":
                shop.send(topic, fact, fact.key, at)
            else:
                shop.flush()  # the warehouse answers what it has seen, so the cause is in the log by then
                warehouse.send(topic, fact, f"{key}-{number}", at + _WAREHOUSE_CLOCK)
    return PITFALL.result(read(kafka, topic))


def _day(seed: int) -> list[tuple[datetime, int, Fact]]:
    """When what happens, by a true clock, in order."""
    opening = datetime.now(UTC)
    answers = [timedelta(milliseconds=_ANSWER[place * len(_ANSWER) // ORDERS]) for place in range(ORDERS)]
    Random(seed).shuffle(answers)  # noqa: S311 a day that repeats, not a secret
    day = []
    for number, answer in enumerate(answers, start=1):
        placed = Fact(f"order-{number}", 1, "OrderPlaced", "order placed", "shop")
        reserved = Fact(placed.key, 2, "StockReserved", "stock reserved", "warehouse", cause=placed.id)
        at = opening + number * _BETWEEN_ORDERS
        day += [(at, number, placed), (at + answer, number, reserved)]
    return sorted(day, key=lambda entry: entry[0])


PITFALL = Pitfall(
    id="P1",
    hypothesis="A reader gets records of two partitions in an order in which they were not written.",
    workload=f"{ORDERS} orders by the shop, and for each a reservation by the warehouse, on two partitions",
    metric=causal_inversions,
    unit="orders were seen reserved before they were placed",
    run=run,
    broken={"key": "reservation"},
    cured={"key": "order"},
    seed=7,
    budget=5,
    brokers=1,
    sources=(
        "https://issues.apache.org/jira/browse/KAFKA-3932",
        "https://github.com/mfontanini/cppkafka/pull/59",
        "https://github.com/confluentinc/confluent-kafka-dotnet/issues/1872",
    ),
)
