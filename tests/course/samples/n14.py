"""What lesson 14's notebook has in hand when its exercises come, and plausible wrong answers."""

from itertools import pairwise

from eventlab.pitfalls.producers import wrong_key


def context(request):
    kafka = request.getfixturevalue("kafka")
    return {
        "broken": wrong_key.run(kafka, key=None, seed=7),
        "by_type": wrong_key.run(kafka, key="type", seed=7),
    }


def wrong(values):
    in_order = {record.key for record in values["by_type"].records} - set(values["by_type"].wrong)
    return {
        "a": [min(in_order), "cart-0", "trousers", 17, values["by_type"].count],
        "b": [
            lambda account, transfer: account,
            lambda account, transfer: transfer,
            lambda account, transfer: account + transfer,
            lambda account, transfer: None,
            lambda account, transfer: 7,
            "account",
        ],
        "c": [
            lambda records: 0,
            lambda records: sum(b.version < a.version for a, b in pairwise(records)),
            _against_the_last_of_its_key,
            lambda records: len(records) - len({(record.key, record.version) for record in records}),
            lambda records: [record for record in records if record.version > 1],
            0,
        ],
    }


def _against_the_last_of_its_key(records):
    last, late = {}, 0
    for record in records:
        late += record.version < last.get(record.key, 0)
        last[record.key] = record.version
    return late
