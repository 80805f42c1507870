"""What lesson 18's notebook has in hand when its exercises come, and plausible wrong answers."""

from collections import Counter

from eventlab.pitfalls.producers import torn_transaction


def context(request):
    kafka = request.getfixturevalue("kafka")
    return {
        "other": torn_transaction.run(kafka, late="commit", seed=11),
        "torn": torn_transaction.run(kafka, seed=7),
        "whole": torn_transaction.run(kafka, on_timeout="new producer", seed=7),
    }


def wrong(values):
    first = values["other"].records[0].label
    return {
        "a": ["12.40 EUR", 0, 1, True, float(first.split()[-2]), -_off(values["other"])],
        "b": [30, 5_000, 20_000, 40_000, 60_000, 25.5, "30000", True],
        "c": [
            lambda records: [],
            lambda records: [record.key for record in records if record.version == 1],
            lambda records: [key for key, count in Counter(record.key for record in records).items() if count == 1],
            lambda records: 0,
            lambda records: "transfer-4",
            lambda records: {"transfer-4"},
            _without_credit,
            ["transfer-4"],
        ],
    }


def _off(other):
    rows = other.table()
    [alone] = rows[~rows["key"].duplicated(keep=False)]["label"]
    return float(alone.split()[-2])


def _without_credit(records):
    received = {record.key for record in records if record.version == 2}
    return {record.key for record in records} - received
