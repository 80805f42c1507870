"""What lesson 09's notebook has in hand when its exercises come, and plausible wrong answers."""

from eventlab.course import long_lives


def context(_):
    bank = long_lives.Bank()
    return {"bank": bank, "kept": long_lives.edited(bank)}


def wrong(values):
    right = next(
        stream
        for stream in values["bank"].streams
        if values["kept"].verify(values["bank"].store, long_lives.account.decider, stream).trouble
    )
    other = next(stream for stream in values["bank"].streams if stream != right)
    return {
        "a": [str(other), other, "account-99", 7, "cart-1", int(right.key)],
        "b": [
            lambda snapshot, fold, event_at: snapshot.fold == fold,
            lambda snapshot, fold, event_at: event_at(snapshot.version) == snapshot.event,
            lambda snapshot, fold, event_at: snapshot.fold == fold and event_at(snapshot.version) is not None,
            lambda snapshot, fold, event_at: True,
            lambda snapshot, fold, event_at: False,
            lambda snapshot, fold, event_at: event_at(snapshot.version),
            lambda snapshot, fold, event_at: snapshot.fold == fold and snapshot.version < 5,
            "yes",
        ],
        "c": [
            lambda decider, snapshot, load: decider.fold(load(0)),
            lambda decider, snapshot, load: decider.fold(load(0), snapshot[1] if snapshot else None),
            lambda decider, snapshot, load: snapshot[1] if snapshot else decider.fold(load(0)),
            lambda decider, snapshot, load: decider.fold(load(snapshot[0])) if snapshot else decider.fold(load(0)),
            lambda decider, snapshot, load: (
                decider.fold(load(0)[snapshot[0] :], snapshot[1]) if snapshot else decider.fold(load(0))
            ),
            lambda decider, snapshot, load: load(0),
            7,
        ],
    }
