"""What lesson 04's notebook has in hand when its exercises come, and plausible wrong answers."""

from eventlab import history
from eventlab.domain.account import decider
from eventlab.events.envelope import StreamId
from eventlab.history import population
from eventlab.inputs.generate import demo_account, demo_carts, demo_store


def context(request):
    stream, ana = StreamId("account", "ana"), demo_account(4)
    store = demo_store({stream: ana})
    shop = population.read(demo_store(demo_carts(1)), population.CARTS)
    steps = history.steps(store, decider, stream)
    return {"ana": ana, "store": store, "steps": steps, "decider": decider, "shop": shop}


def wrong(values):
    steps = values["steps"]
    below = [step.version for step in steps if step.state.balance.minor < 0]
    return {
        "a": [
            1,
            below[0],
            below[-1],
            min(steps, key=lambda step: step.state.available.minor).version,
            0,
            len(steps) + 1,
            str(below[0]),
            min(step.state.balance.amount for step in steps),
        ],
        "b": [
            lambda events, version: decider.fold(events),
            lambda events, version: decider.fold(events[: version - 1]),
            lambda events, version: decider.fold(events[: version + 1]),
            lambda events, version: decider.fold(events[: version or 1]),
            lambda events, version: decider.fold(reversed(events[:version])),
            lambda events, version: events[:version],
            3,
        ],
        "c": [
            "UPDATE accounts SET balance_minor = balance_minor + 100 WHERE balance_minor < 0",
            "UPDATE accounts SET owner = 'Ana'",
            "DELETE FROM accounts",
            "DELETE FROM audit",
            "UPDATE account SET balance_minor = 0",
            "SELECT * FROM accounts",
            100,
        ],
        "d": [9, 11, 12, 13, 8, 14, "10:00", 10.5],
    }
