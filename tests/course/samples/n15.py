"""What lesson 15's notebook has in hand when its exercises come, and plausible wrong answers."""

from eventlab.pitfalls.consumers import skewed_clocks
from eventlab.pitfalls.producers import hole, restarted_producer


def context(request):
    kafka = request.getfixturevalue("kafka")
    return {
        "late": hole.run(kafka, network="late", seed=7),
        "again": restarted_producer.run(kafka, reader="takes all", seed=7),
        "clocks": skewed_clocks.run(kafka, by="version", seed=11),
    }


def wrong(values):
    late = values["late"]
    return {
        "a": [0, len(late.records), len(late.history.sent) + 1, late, "all"],
        "b": [
            {"enable.idempotence": True},
            {"acks": "1", "retries": 3, "max.in.flight": 5, "message.timeout.ms": 120_000},
            {"enable.idempotence": True, "acks": "1", "message.timeout.ms": 0},
            {"enable.idempotence": True, "max.in.flight": 100, "message.timeout.ms": 0},
            {"acks": "all", "max.in.flight": 1, "message.timeout.ms": 0},
            {"acks": "all", "retries": 0, "message.timeout.ms": 0},
            {"enable.idempotent": True},
            {"enable.idempotence": True, "message.timeout.ms": 3600},
            True,
        ],
        "c": [
            lambda records: list(records),
            lambda records: list({record.key: record for record in records}.values()),
            lambda records: list({record.version: record for record in records}.values()),
            lambda records: [r for n, r in enumerate(records) if n == 0 or records[n - 1].id != r.id],
            _only_if_higher,
            lambda records: len(records),
            lambda records: {record.id: record for record in records},
            3,
        ],
        "d": [_ahead(values["clocks"]), "cart-99", 17, ["cart-1"]],
    }


def _ahead(clocks):
    """The cart whose phone is ahead: the one with the youngest record of all before noon."""
    first = clocks.records[: len(clocks.records) // 2]
    return max(first, key=lambda record: record.timestamp).key


def _only_if_higher(records):
    last, kept = {}, []
    for record in records:
        if record.version > last.get(record.key, 0):
            last[record.key] = record.version
            kept.append(record)
    return kept
