"""What lesson 16's notebook has in hand when its exercises come, and plausible wrong answers."""

from eventlab.pitfalls.consumers import two_topics


def context(request):
    kafka = request.getfixturevalue("kafka")
    return {"waiting": two_topics.run(kafka, join="mark", lost=True, seed=11)}


def wrong(values):
    [one, *_] = values["waiting"].views["live"].waiting
    ways = {"database": "stop", "unreadable": "park the key", "too early": "hold aside", "newsletter": "skip"}
    return {
        "a": [one, one.number, (one.account, one.version + 1), ("account-99", 2), [one.account, one.version]],
        "b": [
            dict.fromkeys(ways, "stop"),
            dict.fromkeys(ways, "skip"),
            {**ways, "database": "park the key"},
            {**ways, "too early": "park the key"},
            {**ways, "unreadable": "dead letters"},
            {"database": "stop"},
            "stop",
        ],
        "c": [
            lambda records: records,
            lambda records: [record for record in records if not record.cause],
            lambda records: sorted(records, key=lambda record: record.id),
            lambda records: sorted(records, key=lambda record: bool(record.cause)),
            _one_step,
            _with_orphans,
            lambda records: len(records),
            lambda records: [record.id for record in records],
            3,
        ],
    }


def _one_step(records):
    """What was set free sets nothing free."""
    applied, waiting = [], {}
    for record in records:
        if record.cause and record.cause not in {each.id for each in applied}:
            waiting.setdefault(record.cause, []).append(record)
        else:
            applied += [record, *waiting.pop(record.id, [])]
    return applied


def _with_orphans(records):
    """What still waits in the end is applied all the same."""
    ids = [record.id for record in records]
    return sorted(
        records, key=lambda record: (record.cause in ids, ids.index(record.cause) if record.cause in ids else 0)
    )
