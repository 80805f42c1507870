"""How fast does a Kafka log append, beside a bare producer with the same settings that waits for each acknowledgement?

On a broker with nothing else on it, one event in an append. Each appends in turn, so that a busy moment meets both; the
rates are those of the median append of a run, and of these the median. A writer with a name is beside a bare producer
that commits a transaction for each.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import Producer

from benchmarks.table import Row, main, median
from benchmarks.topics import one_broker
from eventlab import settings
from eventlab.domain.cart import CartAbandoned
from eventlab.events.catalogue import registry
from eventlab.events.codec import JsonCodec
from eventlab.events.envelope import NewEvent, StreamId
from eventlab.store import KafkaEventLog

APPENDS = 300
PARTITIONS = 3
STREAMS = {"one stream": 1, "many streams": 100}
EVENT = CartAbandoned("too late")
# Of the bare producer's rate: envelope and codec cost something, and to read what another wrote is a round trip.
LEAST, LEAST_SHARED = 0.6, 0.2
NAMED = "one writer with a name"
_PATIENCE_SECONDS = 20.0


Append = Callable[[StreamId], Any]


def rates(sides: dict[str, Append], streams: int) -> dict[str, float]:
    """Appends in a second, to one stream after the other."""
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(APPENDS):
        stream = StreamId("cart", str(number % streams))
        for side, append in sides.items():
            began = time.perf_counter()
            append(stream)
            seconds[side].append(time.perf_counter() - began)
    return {side: round(1 / statistics.median(each), 1) for side, each in seconds.items()}


def bare(kafka: Any, topic: str) -> Append:
    """What appends with a producer alone."""
    producer, value = Producer(kafka.config(**settings.producer())), JsonCodec(registry).encode(EVENT)[-1]

    def append(stream: StreamId) -> None:
        producer.produce(topic, value, str(stream))
        assert producer.flush(_PATIENCE_SECONDS) == 0

    return append


def bare_in_transactions(kafka: Any, topic: str) -> Append:
    """The same, in a transaction each."""
    producer = Producer(kafka.config(**settings.transactions(topic)))
    value = JsonCodec(registry).encode(EVENT)[-1]
    producer.init_transactions(_PATIENCE_SECONDS)

    def append(stream: StreamId) -> None:
        producer.begin_transaction()
        producer.produce(topic, value, str(stream))
        producer.commit_transaction(_PATIENCE_SECONDS)

    return append


def by(log: KafkaEventLog) -> Append:
    """What appends to ``log``."""
    return lambda stream: log.append(stream, [NewEvent(EVENT)])


def measure(runs: int) -> list[Row]:
    """A writer alone, and one that appends in turn with another: then each has to read what the other wrote."""
    readings: dict[str, list[dict[str, float]]] = {}
    shared_stream = "two writers in turn"
    with one_broker() as kafka:
        alone, shared, own = (kafka.topic("carts", PARTITIONS, **settings.topic(1)) for _ in "123")
        logs = [KafkaEventLog(kafka, alone), *(KafkaEventLog(kafka, shared) for _ in "12")]
        logs.append(KafkaEventLog(kafka, own, writer="till"))
        log, first, second, named = (by(each) for each in logs)
        peer = bare(kafka, kafka.topic("bare", PARTITIONS))
        committing = bare_in_transactions(kafka, kafka.topic("bare", PARTITIONS))
        for append in (log, first, second, named, peer, committing):
            append(StreamId("cart", "0"))  # connected
        for _ in range(runs):
            for name, streams in STREAMS.items():
                readings.setdefault(name, []).append(rates({"ours": log, "peer": peer}, streams))
            sides = {"ours": first, "another": second, "peer": peer}
            readings.setdefault(shared_stream, []).append(rates(sides, 1))
            readings.setdefault(NAMED, []).append(rates({"ours": named, "peer": committing}, 1))
        for each in logs:
            each.close()
    rows = []
    for name, found in readings.items():
        kept = {side: [each[side] for each in found] for side in ("ours", "peer")}
        ours, theirs = (median(each, 0) for each in kept.values())
        least = LEAST_SHARED if name == shared_stream else LEAST
        rows.append(Row(f"append, {name}", ours, theirs, "appends/s", f"≥ {least:g}×", ours >= least * theirs, kept))
    return rows


if __name__ == "__main__":
    main(__doc__.splitlines()[0], measure, runs=5)
