"""What lesson 19's notebook has in hand when its exercises come, and plausible wrong answers."""

import tempfile
from collections import Counter

from eventlab.pitfalls.checkers import version_gaps
from eventlab.pitfalls.log import retention

DAY = 24 * 60 * 60 * 1000
ACCOUNTS = {"retention.ms": -1}
STOCK = {"cleanup.policy": "compact", "delete.retention.ms": 3 * DAY}
CLICKS = {"retention.ms": 30 * DAY}


def context(request):
    kafka = request.getfixturevalue("kafka")
    with tempfile.TemporaryDirectory() as directory:
        whole = retention.archived(kafka, directory, seed=7)
    return {
        "other": retention.run(kafka, seed=11),
        "month": retention.run(kafka, seed=7),
        "whole": whole,
    }


def wrong(values):
    other = values["other"]
    return {
        "a": [
            [],
            3,
            "account-5",
            list(other.wrong),
            [record.key for record in version_gaps(other.history)],
            ["account-99"],
        ],
        "b": [
            {"accounts": ACCOUNTS, "stock": STOCK},
            {"accounts": {}, "stock": STOCK, "clicks": CLICKS},
            {"accounts": {"cleanup.policy": "compact"}, "stock": STOCK, "clicks": CLICKS},
            {"accounts": ACCOUNTS, "stock": {"cleanup.policy": "compact"}, "clicks": CLICKS},
            {"accounts": ACCOUNTS, "stock": {**STOCK, "cleanup.policy": "compact,delete"}, "clicks": CLICKS},
            {"accounts": ACCOUNTS, "stock": ACCOUNTS, "clicks": CLICKS},
            {"accounts": ACCOUNTS, "stock": STOCK, "clicks": ACCOUNTS},
            {"accounts": ACCOUNTS, "stock": STOCK, "clicks": {"retention.ms": 30}},
            {"accounts": ACCOUNTS, "stock": STOCK, "clicks": {**CLICKS, "cleanup.policy": "compact"}},
            {"accounts": {"retention_ms": -1}, "stock": STOCK, "clicks": CLICKS},
            {"accounts": -1, "stock": STOCK, "clicks": CLICKS},
            -1,
        ],
        "c": [
            lambda records, last: [],
            lambda records, last: 0,
            lambda records, last: "account-5",
            lambda records, last: {key for key in last if key not in {record.key for record in records}},
            lambda records, last: {record.key for record in records if record.version == 1},
            _counted,
            _without_gap,
            ["account-5"],
        ],
    }


def _counted(records, last):
    found = Counter(record.key for record in records)
    return {key for key, version in last.items() if found[key] < version}


def _without_gap(records, last):
    there = {(record.key, record.version) for record in records}
    return {key for key, version in there if version > 1 and (key, version - 1) not in there}
